"""Bodies for the OpenAPI document; the tests send each of them, with the id of a network that there is."""

from __future__ import annotations

from typing import Any

from api.trainings.examples import NETWORK

SPECS: dict[str, dict[str, Any]] = {
    "smallest": {
        "summary": "Twenty short trainings, whose learning rate, weight decay and label smoothing are tried",
        "value": {"architecture": NETWORK, "dataset": "digits"},
    },
    "own": {
        "summary": "Other fields and values, with a fixed batch size, by successive halving",
        "value": {
            "name": "a recipe for digits",
            "architecture": NETWORK,
            "dataset": "digits",
            "trials": 50,
            "epochs": 9,
            "batch_size": 32,
            "search": {
                "learning_rate": [0.0001, 0.1, "log"],
                "label_smoothing": [0, 0.3],
                "sampling": ["uniform", "by_class"],
            },
            "pruner": "hyperband",
            "seed": 1,
            "labels": {"team": "vision"},
        },
    },
}
