"""The inference server of found networks: Open Inference Protocol v2 over REST and gRPC, on KServe's model server and onnxruntime.

Knows neither the API nor the workers, and never loads torch. ``python -m serving`` or ``dna serve`` runs it.
"""
