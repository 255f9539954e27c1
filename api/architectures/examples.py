"""Bodies for the OpenAPI document; the tests send each of them."""

from __future__ import annotations

from typing import Any

from dna_engine.space.architecture import published

GIVEN: dict[str, dict[str, Any]] = {
    "published": {"summary": "A published network by its name", "value": {"architecture": "dna-b"}},
    "own": {
        "summary": "A network as it was downloaded, with a name",
        "value": {"architecture": published("dna-a", input_size=32).to_json(), "name": "from elsewhere"},
    },
}
