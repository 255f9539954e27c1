"""Names of files: one for each thing, the same whoever asks."""

from __future__ import annotations

from pathlib import Path

from dna_engine.checkpoint_file import before
from dna_engine.plans import files
from dna_engine.space import CellRef


def test_a_cell_names_its_files_as_its_text_does() -> None:
    assert files.cell_weights(CellRef(2, 1)) == files.cell_weights("b2c1") == "cells/b2c1.safetensors"
    assert files.cell_ratings(CellRef(2, 1)) == files.cell_ratings("b2c1") == "ratings/b2c1.json"


def test_a_networks_files_lie_in_its_folder() -> None:
    assert files.of_network("winner", files.ONNX, files.BUNDLE) == ["winner/model.onnx", "winner/bundle.zip"]


def test_the_checkpoint_before_is_the_one_that_the_engine_keeps(tmp_path: Path) -> None:
    assert before(tmp_path / files.checkpoint("distill-2")) == tmp_path / files.checkpoint_before("distill-2")
