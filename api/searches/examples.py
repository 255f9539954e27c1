"""Bodies for the OpenAPI document; the tests send each of them."""

from __future__ import annotations

from typing import Any

SPECS: dict[str, dict[str, Any]] = {
    "smallest": {
        "summary": "Only the dataset: everything else suits it",
        "value": {"dataset": "digits"},
    },
    "budget": {
        "summary": "A budget on multiply-adds, with a name and labels",
        "value": {
            "name": "digits under 800,000 multiply-adds",
            "dataset": "digits",
            "budget": {"flops": 800_000},
            "labels": {"team": "vision"},
        },
    },
    "explicit": {
        "summary": "Teacher, space, training and seed chosen",
        "value": {
            "name": "a space of one's own",
            "dataset": "digits",
            "teacher": {"model": "resnet10t", "weights": "train", "epochs": 20},
            "space": {
                "name": "two blocks",
                "ops": ["mb3_3x3", "mb6_3x3", "mb6_5x5", "skip"],
                "blocks": [
                    {"stride": 2, "cells": [{"depth": 2, "width": 24}, {"depth": 3, "width": 24}]},
                    {"stride": 2, "cells": [{"depth": 2, "width": 48}]},
                ],
                "stem_width": 16,
                "first_width": 16,
                "head_width": 256,
            },
            "training": {"epochs": 10, "batch_size": 64},
            "retrain": {"epochs": 20, "control": True},
            "seed": 1,
        },
    },
    "compared": {
        "summary": "Standard networks of the winner's cost beside it: is the search worth it?",
        "value": {"dataset": "digits", "retrain": {"references": ["efficientnet_b0", "mobilenetv3_small_100"]}},
    },
}

BUDGETS: dict[str, dict[str, Any]] = {
    "one": {"summary": "The best network under another budget", "value": {"budget": {"flops": 600_000}}},
    "several": {
        "summary": "The five best that differ in at least three layers",
        "value": {"budget": {"flops": 1_000_000, "params": 400_000}, "top_k": 5, "min_distance": 3},
    },
}
