"""What timing a network is asked to do. Torch-free: the API writes it, the engine runs it."""

from __future__ import annotations

from typing import Any, Literal

from dna_engine.spec.parts import ResolvedJob


class ResolvedTiming(ResolvedJob):
    """A timing with nothing left open.

    Attributes:
        architecture_id: of the network; whoever asks for its timings finds them by it.
        architecture: its description.
    """

    job: Literal["timing"] = "timing"
    architecture_id: str
    architecture: dict[str, Any]

    @property
    def dataset_name(self) -> str:
        """It is about no images."""
        return ""
