"""A check without a service: of a folder, of an archive, of what is neither; and whether a folder has changed since."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from dna_engine import pipeline
from dna_engine.__main__ import main
from dna_engine.checking import check_here
from dna_engine.errors import DataError, DatasetChanged
from dna_engine.events import Reporter
from dna_engine.images.layout.reading import Reading
from dna_engine.images.survey import check_unchanged, survey
from dna_engine.plans import Kind, Step
from tests.dna_engine.images.test_archive import zipped
from tests.dna_engine.images.test_arrange import picture
from tests.dna_engine.runs import context, tiny_spec

FILES = {
    f"{name}/{number}.png": picture(20 * number + shade)
    for shade, name in ((0, "owl"), (7, "wren"))
    for number in range(10)
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "birds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "birds"


def test_an_archive_has_the_report_of_its_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "birds.zip").write_bytes(zipped(FILES).getvalue())
    said = io.StringIO()
    of_folder = check_here(folder, Reporter(said), Reading())
    assert check_here(tmp_path / "birds.zip", Reporter(io.StringIO()), Reading()) == of_folder
    assert of_folder.splits == {"train": 16, "test": 4}
    last = json.loads(said.getvalue().splitlines()[-1])
    assert (last["done"], last["total"], last["unit"]) == (20, 20, "pictures")


def test_the_command_prints_the_report_and_fails_where_it_has_errors(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--json", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["splits"] == {"train": 16, "test": 4}
    (folder / "owl/bad.png").write_bytes(b"no picture")
    assert main(["check", str(folder)]) == DataError.exit_code
    printed = capsys.readouterr()
    assert "images   17 to train, 4 to test" in printed.out
    assert "owl/bad.png" in printed.err


def test_what_is_no_dataset_is_a_report_too_and_what_is_not_there_is_not(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no archive")
    [error] = check_here(tmp_path / "x.zip", Reporter(io.StringIO()), Reading()).errors
    assert "neither a zip nor a tar" in error.text
    with pytest.raises(DataError, match="no file or folder"):
        check_here(tmp_path / "y.zip", Reporter(io.StringIO()), Reading())


def test_a_folder_that_has_changed_is_told_from_one_that_has_not(folder: Path) -> None:
    known = survey(str(folder))
    check_unchanged(known)
    owl = folder / "owl/0.png"
    before = owl.stat()
    os.utime(owl, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(DatasetChanged, match=r"Put the folder back as it was and resume"):
        check_unchanged(known)
    os.utime(owl, ns=(before.st_atime_ns, before.st_mtime_ns))
    check_unchanged(known)
    (folder / "owl/11.png").write_bytes(picture(1))
    with pytest.raises(DatasetChanged):
        check_unchanged(known)
    (folder / "owl/11.png").unlink()
    (folder / "wren").rename(folder.parent / "wren")
    with pytest.raises(DatasetChanged, match="cannot be read as it was"):
        check_unchanged(known)


def test_a_dataset_of_another_kind_cannot_change() -> None:
    check_unchanged(survey("digits"))


def test_no_step_begins_on_images_that_have_changed_and_nothing_is_spoiled(folder: Path, tmp_path: Path) -> None:
    spec = tiny_spec(survey(str(folder)))
    step = Step(key="teacher", kind=Kind.TEACHER)
    (folder / "owl/0.png").write_bytes(picture(99))
    where, _ = context(tmp_path / "run")
    with pytest.raises(DatasetChanged):
        pipeline.run_step(spec, step, where)
    with pytest.raises(DatasetChanged):
        pipeline.run(spec, where)
    assert [path.name for path in (tmp_path / "run").rglob("*") if path.is_file()] == ["spec.json"]
