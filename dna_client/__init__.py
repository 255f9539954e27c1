"""The Python client of the service, ``Client``, and the ``dna`` command. Speaks HTTP only; needs httpx, typer and rich."""

from dna_client.client import Client
from dna_client.errors import ApiError, ClientError

__all__ = ["ApiError", "Client", "ClientError"]
