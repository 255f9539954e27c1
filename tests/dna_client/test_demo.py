"""What the demo and the example for own photos do with what a search left; ``make demo`` runs the whole of it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from dna_client import Client
from dna_client.cli import demo
from examples import own_photos
from tests.api.builders import finish
from tests.dna_client.conftest import Api


def test_a_network_without_an_onnx_file_is_shown_and_not_tried(
    api: Api, client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = client.create_search({"dataset": "digits"})
    finish(api.sessions, api.blobs, UUID(made["id"]), onnx=False)
    found = client.get_search(made["id"])
    files = demo._download(client, found, tmp_path)
    assert set(files) == {"json", "safetensors", "bundle"}
    assert demo._try_onnx(files) is None
    assert "onnx: There is no onnx of this network" in capsys.readouterr().err
    # The example brings it home with its weights.
    model, _ = own_photos.bring_home(client, found, tmp_path / "out")
    assert model is None
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"winner.json", "winner.safetensors"}
    assert "There is no onnx of this network" in capsys.readouterr().err


def test_whoever_stops_the_demo_is_told_what_there_is_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), demo._told_where_it_stopped(tmp_path / "of mine"):
        raise KeyboardInterrupt
    assert f"dna up --data-dir '{tmp_path}/of mine'" in capsys.readouterr().err
