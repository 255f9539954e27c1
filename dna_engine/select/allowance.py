"""How much a selection may do where somebody waits for the answer. Torch-free.

Work is counted in steps, not in seconds, so that one question has one answer on every machine. Few selections come near it:
most that would, ask for many networks far apart in a deep space.
"""

from __future__ import annotations

from dna_engine.errors import TooHard


class Allowance:
    """So many steps for all searches that share it; a step takes some hundred nanoseconds."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Raises TooHard once there is not so much left."""
        self._left -= steps
        if self._left < 0:
            raise TooHard(
                "This selection takes longer than a request may. Ask for fewer networks, for a smaller min_distance, or "
                "for fewer limits at once.",
                param="min_distance",
            )
