"""Checkpoints: whole, exact, without pickle."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dna_engine.checkpoint_file import before
from dna_engine.errors import DamagedCheckpoint
from dna_engine.events import Log
from dna_engine.runtime import checkpoint
from tests.dna_engine.runs import context


def test_a_nested_state_comes_back_bit_by_bit(tmp_path: Path) -> None:
    state: dict[str, Any] = {
        "step": 12,
        "rate": 0.1 + 0.2,
        "none": None,
        "flag": True,
        "text": "ü",
        "infinite": float("inf"),
        "nested": {3: [torch.arange(4), (torch.tensor(float("nan")), 1.5)], "empty": {}},
        "bytes": torch.get_rng_state(),
        "half": torch.randn(3, 2).to(torch.bfloat16),
        "nothing": torch.empty(0, 3),
    }
    checkpoint.save(tmp_path / "deep/state.safetensors", state)
    loaded = checkpoint.load(tmp_path / "deep/state.safetensors")
    assert loaded is not None
    assert {k: loaded[k] for k in ("step", "rate", "none", "flag", "text", "infinite")} == {
        k: state[k] for k in ("step", "rate", "none", "flag", "text", "infinite")
    }
    first, (nan, number) = loaded["nested"][3]
    assert torch.equal(first, torch.arange(4))
    assert nan.isnan()
    assert number == 1.5
    assert loaded["nested"]["empty"] == {}
    for name in ("bytes", "half", "nothing"):
        assert loaded[name].dtype == state[name].dtype
        assert torch.equal(loaded[name], state[name])


def test_a_fused_optimizer_goes_on_from_it_also_with_channels_last(tmp_path: Path) -> None:
    def fresh() -> nn.Conv2d:
        return nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)

    def advance(model: nn.Conv2d, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        images = torch.linspace(-1, 1, 2 * 3 * 5 * 5).view(2, 3, 5, 5)
        model(images).square().sum().backward()
        optimizer.step()

    model = fresh()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    advance(model, optimizer)
    path = tmp_path / "c.safetensors"
    checkpoint.save(path, {"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    advance(model, optimizer)

    loaded = checkpoint.load(path)
    assert loaded is not None
    again = fresh()
    again.load_state_dict(loaded["model"])
    resumed = torch.optim.AdamW(again.parameters(), fused=True)
    resumed.load_state_dict(loaded["optimizer"])
    advance(again, resumed)
    assert torch.equal(again.weight, model.weight)


def test_tensors_that_share_memory_can_be_kept(tmp_path: Path) -> None:
    tensor = torch.arange(6.0)
    checkpoint.save(tmp_path / "c", {"all": tensor, "again": tensor, "part": tensor[2:]})
    loaded = checkpoint.load(tmp_path / "c")
    assert loaded is not None
    assert loaded["part"].tolist() == [2, 3, 4, 5]


def test_an_absent_file_is_none(tmp_path: Path) -> None:
    assert checkpoint.load(tmp_path / "none") is None


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[:-10],
    "cut in its header": lambda content: content[:20],
    "overwritten": lambda content: b"\xff" * 8 + content[8:],
    "one bit": lambda content: content[:-10] + bytes([content[-10] ^ 1]) + content[-9:],
    "other": lambda _: b'{"a": 1}',
    "empty": lambda _: b"",
    "brackets": lambda content: struct.pack("<Q", 20_000) + b"[" * 20_000 + content,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "c.safetensors"
    checkpoint.save(path, {"weights": torch.randn(100)})
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(DamagedCheckpoint, match=r"c\.safetensors cannot be read"):
        checkpoint.load(path)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_step_goes_on_from_the_one_before(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "c.safetensors"
    for step in (1, 2, 3):
        checkpoint.save(path, {"step": step, "weights": torch.randn(100)})
    _, recorder = context(tmp_path)
    state = checkpoint.resume(path, recorder)
    assert state is not None
    assert (state["step"], recorder.of(Log)) == (3, [])
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    state = checkpoint.resume(path, recorder)
    assert state is not None
    assert state["step"] == 2
    assert [event.level for event in recorder.of(Log)] == ["warning", "warning"]
    before(path).write_bytes(DAMAGE[damage](before(path).read_bytes()))
    assert checkpoint.resume(path, recorder) is None
    assert recorder.of(Log)[-1].message == "No checkpoint can be read: starts from the beginning."
    checkpoint.save(path, {"step": 1})
    assert checkpoint.resume(path, recorder) == {"step": 1}
    checkpoint.remove(path)
    assert list(tmp_path.iterdir()) == []


def test_one_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    structure = '{"dict": [["weights", {"tensor": "t0", "channels_last": false}]]}'
    save_file({"t0": torch.arange(3)}, path, metadata={"structure": structure})
    loaded = checkpoint.load(path)
    assert loaded is not None
    assert loaded["weights"].tolist() == [0, 1, 2]


def test_what_it_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "c"
    checkpoint.save(path, {"step": 1})
    with pytest.raises(TypeError, match="set"):
        checkpoint.save(path, {"step": {1, 2}})
    with pytest.raises(TypeError, match="tuple"):
        checkpoint.save(path, cast(dict[str, Any], {(1, 2): 3}))
    assert checkpoint.load(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]
