"""Thirty faults, of every kind, while small jobs of every kind run: none is lost, done twice or left over, and each comes to what it comes to in calm.

``make chaos`` does the same with more of them and other seeds.
"""

from __future__ import annotations

from pathlib import Path

from tests.chaos.storm import plan
from tests.chaos.storm.faults import KINDS
from tests.chaos.storm.report import storm

FAULTS = 30
SEED = 17


def test_a_storm_leaves_nothing_wrong(data_folder: Path) -> None:
    faults = plan.draw(SEED, FAULTS, list(KINDS), pause=0.3)
    report = storm(data_folder, faults)
    print(report)
    assert not report.wrongs, (
        f"{report}\nseed {SEED}; to be had again with --replay and these lines:\n{plan.dumps(faults)}"
    )
    assert sum(report.done.values()) == len([fault for fault in faults if fault.kind not in report.impossible])
