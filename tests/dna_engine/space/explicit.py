"""A space as a person writes it."""

from __future__ import annotations

EXPLICIT = {
    "name": "mine",
    "ops": ["mb3_3x3", "skip", {"name": "wide", "kernel": 9, "expansion": 4, "se_ratio": 0.0}],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 1, "width": 16}, {"depth": 3, "width": 24}]},
        {"stride": 1, "cells": [{"depth": 2, "width": 32}]},
    ],
    "head_width": 64,
}
