"""Which devices a machine has, from what nvidia-smi and the environment say."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.devices import Device, NoSuchDevice, find_devices, shared_out

SMI = """#!/bin/sh
echo "0, GPU-aaaa, NVIDIA H100 80GB HBM3"
echo "1, GPU-bbbb, NVIDIA H100 80GB HBM3"
"""


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in nvidia-smi's place that answers as for two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text(SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("two_gpus")
def test_every_gpu_is_a_device_that_its_engine_sees_alone() -> None:
    first, second = find_devices("auto")
    assert (first.name, first.label, first.visible) == ("cuda:0", "NVIDIA H100 80GB HBM3", "0")
    assert (second.name, second.visible) == ("cuda:1", "1")
    assert second.engine_command[-2:] == ["--device", "cuda:0"]
    assert find_devices("cuda") == [first, second]
    assert find_devices("cuda:1") == find_devices("1") == [second]
    assert find_devices("all") == find_devices("1,cuda:0") == [first, second]
    with pytest.raises(NoSuchDevice, match="not cuda:2"):
        find_devices("0,2")


@pytest.mark.usefixtures("two_gpus")
def test_gpus_that_were_given_are_narrowed_not_widened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-bbbb")
    [only] = find_devices("auto")
    assert (only.name, only.label, only.visible) == ("cuda:0", "NVIDIA H100 80GB HBM3", "GPU-bbbb")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [device.name for device in find_devices("auto")] == ["cpu"]


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_there_is_the_processor() -> None:
    [device] = find_devices("all")
    assert [device] == find_devices("auto")
    assert (device.name, device.visible) == ("cpu", "")
    assert device.label
    assert device.engine_command[-2:] == ["--device", "cpu"]
    with pytest.raises(NoSuchDevice, match="nvidia-smi shows 0 GPUs"):
        find_devices("cuda")


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(
        NoSuchDevice, match="--devices is cuda:2, but nvidia-smi shows 2 GPUs to this worker, not cuda:2"
    ):
        find_devices("cuda:2")
    assert find_devices("cpu") == [Device("cpu", find_devices("cpu")[0].label)]


@pytest.mark.usefixtures("two_gpus")
def test_gpus_are_shared_out_among_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    two = find_devices("cuda")
    assert shared_out(two, 1) == two
    [both] = shared_out(two, 2)
    assert (both.name, both.label, both.count) == ("cuda:0,cuda:1", "2 x NVIDIA H100 80GB HBM3", 2)
    assert both.visible == "0,1"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-bbbb,GPU-aaaa")
    assert both.visible == "GPU-bbbb,GPU-aaaa"
    five = [Device(f"cuda:{place}", "A GPU") for place in range(5)]
    assert [(node.name, node.count) for node in shared_out(five, 2)] == [
        ("cuda:0,cuda:1", 2),
        ("cuda:2,cuda:3", 2),
        ("cuda:4", 1),
    ]
    with pytest.raises(NoSuchDevice, match="3 devices per step are asked for, and this worker has 2 GPUs"):
        shared_out(two, 3)


def test_processes_share_the_processor() -> None:
    assert shared_out([Device("cpu", "A processor")], 2) == [Device("cpu", "A processor", 2)]
