"""``make chaos``: storms that are longer than the one of ``make test``, of one seed or of one after the other.

    python -m tests.chaos.storm --seed 7 --faults 200
    python -m tests.chaos.storm --storms 20
    python -m tests.chaos.storm --replay storm-7.jsonl

Ends with 1 when something was wrong. The faults of such a storm are kept in ``storm-SEED.jsonl`` beside its logs.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.storm import plan
from tests.chaos.storm.faults import KINDS
from tests.chaos.storm.report import storm


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm", description="Storms upon the service.")
    parser.add_argument("--seed", type=int, default=1, help="of the first storm (default: 1)")
    parser.add_argument("--storms", type=int, default=1, help="how many, one seed after the other (default: 1)")
    parser.add_argument("--faults", type=int, default=200, help="in each (default: 200)")
    parser.add_argument("--pause", type=float, default=1.0, help="mean seconds between faults (default: 1)")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of faults, joined by commas (default: all)")
    parser.add_argument("--replay", type=Path, help="the faults of a storm before, instead of drawing them")
    parser.add_argument("--folder", type=Path, help="where to keep logs, by default only of storms that went wrong")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.kinds.split(",")) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # What runs is ended, disks are unmounted.
    failed = [seed for seed in range(chosen.seed, chosen.seed + chosen.storms) if not _one(chosen, seed)]
    print(
        f"{chosen.storms - len(failed)} of {chosen.storms} storms left nothing wrong; seeds of the others: {failed or 'none'}"
    )
    return 1 if failed else 0


def _one(chosen: argparse.Namespace, seed: int) -> bool:
    faults = (
        plan.loads(chosen.replay.read_text())
        if chosen.replay
        else plan.draw(seed, chosen.faults, chosen.kinds.split(","), pause=chosen.pause)
    )
    folder = Path(tempfile.mkdtemp(prefix=f"storm-{seed}-", dir=chosen.folder))
    (folder / f"storm-{seed}.jsonl").write_text(plan.dumps(faults))
    print(f"seed {seed}, {len(faults)} faults, in {folder}", flush=True)
    report = storm(folder, faults, lambda line: print(line, flush=True))
    print(report, flush=True)
    if report.wrongs:
        print(f"again: python -m tests.chaos.storm --replay {folder / f'storm-{seed}.jsonl'}")
    elif not chosen.folder:
        shutil.rmtree(folder)
    return not report.wrongs


if __name__ == "__main__":
    sys.exit(main())
