"""Bodies for the OpenAPI document; the tests send each of them, with ids of a network and a training that there are."""

from __future__ import annotations

from typing import Any

NETWORK = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"
TRAINING = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a11"

SPECS: dict[str, dict[str, Any]] = {
    "smallest": {
        "summary": "A network on a dataset: everything else suits them",
        "value": {"architecture": NETWORK, "dataset": "digits"},
    },
    "recipe": {
        "summary": "Another recipe, with a name and labels",
        "value": {
            "name": "digits, longer",
            "architecture": NETWORK,
            "dataset": "digits",
            "epochs": 100,
            "batch_size": 32,
            "learning_rate": 0.002,
            "seed": 1,
            "labels": {"team": "vision"},
        },
    },
    "inherited": {
        "summary": "From its distilled blocks, learning from the teacher's answers too",
        "value": {
            "architecture": NETWORK,
            "dataset": "digits",
            "start": "inherited",
            "distill": {"weight": 0.5, "temperature": 4},
        },
    },
    "transfer": {
        "summary": "From the weights of another training, on other images: the classifier is new where the classes are",
        "value": {
            "dataset": "digits",
            "start": {"training": TRAINING},
            "backbone_learning_rate": 0.0005,
            "head_epochs": 2,
            "epochs": 10,
        },
    },
    "published": {
        "summary": "A published network from scratch",
        "value": {"architecture": "dna-b", "dataset": "digits", "input_size": 32},
    },
}
