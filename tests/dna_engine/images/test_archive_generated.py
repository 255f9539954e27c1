"""Three hundred hostile archives, drawn by a seed, through the step that checks what was sent: none gets in, none leaves anything."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

import pytest

from dna_engine import checking
from dna_engine.events import Reporter
from dna_engine.plans import Kind, Step
from dna_engine.plans.files import SENT
from dna_engine.plans.results import Checked
from dna_engine.spec import ArchiveLimits, ResolvedCheck
from tests.checks import Surroundings
from tests.untidy_generated import ENTRIES, EVIL, Hostile, hostile

SEEDS = range(300)
SPEC = ResolvedCheck(
    name="birds",
    version=1,
    seed=0,
    labels={},
    archive=ArchiveLimits(total_bytes=1 << 30, entries=ENTRIES),
    decoding_bytes=200_000_000,
)


def checked(archive: Hostile, run: Path) -> Checked:
    """What the step of a worker finds, whose run folder that is."""
    run.mkdir()
    (run / SENT).write_bytes(archive.content)
    result = checking.run_step(SPEC, Step(key="check", kind=Kind.CHECK), Surroundings(run, Reporter(io.StringIO())))
    return Checked.model_validate(result.values)


def strays(folder: Path, run: Path) -> list[Path]:
    """What lies where nothing may: links, files outside of the run folder or the root, and what should not have got in."""
    paths = [
        path for path in folder.rglob("*") if not path.is_relative_to(run / checking.UNPACKED) and path != run / SENT
    ]
    return [path for path in (*paths, Path("/", EVIL), Path(EVIL)) if path.is_symlink() or path.is_file()]


def test_none_gets_in_and_none_leaves_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    refused = 0
    for seed in SEEDS:
        archive, run = hostile(seed), tmp_path / "worker" / "runs" / str(seed)
        run.parent.mkdir(parents=True, exist_ok=True)
        found = checked(archive, run)
        told = f"seed {seed}: {archive.kinds}: {found.report.findings}"
        assert found.info is None or not archive.refused, told
        assert str(tmp_path) not in told
        if found.info is None:
            assert found.report.errors, told
            assert strays(tmp_path, run) == [], told
        shutil.rmtree(run)  # As the worker does at the end of a job.
        refused += archive.refused
    assert refused > len(SEEDS) / 2, "most are such that the documentation refuses them"
