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


def test_an_interrupted_demo_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "Service", interrupted)
    with pytest.raises(KeyboardInterrupt):
        demo.demo(tmp_path / "with space")
    assert f"dna up --data-dir '{tmp_path}/with space/service' goes on" in capsys.readouterr().err


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
