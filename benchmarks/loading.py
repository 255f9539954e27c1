"""How many images a second the loader gives, from class folders, tar and Parquet shards, on this disk and in S3, beside those of a step.

One set of pictures lies in all places. S3 is moto's, one process on this machine, which takes milliseconds of a core for an answer. What
a store elsewhere takes is waiting: tars of this disk stand for it, whose every answer is held back for ``--delay`` seconds, with the
pictures of a batch asked for one by one, and several at once. A step is forward, backward and the optimiser's on one batch that lies on
the device.

Read from first to last batch, so that the start of the loader's processes does not count.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from benchmarks import report, turns
from dna_engine.images.albums import Album, FolderAlbum, open_folder
from dna_engine.images.pictures.file import HeldFile
from dna_engine.images.shards import index
from dna_engine.images.shards.album import ShardAlbum
from dna_engine.images.shards.places import look
from dna_engine.runtime.context import choose_device, precision, prepare
from dna_engine.space.architecture import published
from dna_engine.training.batches import ASKED_AT_ONCE, StreamedImages
from dna_engine.training.network import build

#: Pictures of a tar, and of a group of rows, as people write them.
_OF_TAR, _OF_GROUP = 500, 100


@dataclass(frozen=True)
class Elsewhere(ShardAlbum):
    """Shards whose every answer takes ``delay`` seconds more."""

    delay: float = 0.0
    together: bool = True

    @property
    def distant(self) -> bool:
        return self.together

    def file(self, index: int) -> HeldFile:
        time.sleep(self.delay)
        return super().file(index)


def write_shards(album: FolderAlbum, folder: Path) -> None:
    """``folder/tar`` and ``folder/parquet`` with the pictures of class folders as they are."""
    for kind in ("tar", "parquet"):
        (folder / kind).mkdir(parents=True)
    pictures = [(path, label) for path, label in zip(album.paths, album.labels, strict=True)]
    for number in range(0, len(pictures), _OF_TAR):
        with tarfile.open(folder / f"tar/train-{number:06}.tar", "w") as packed:
            for place, (path, label) in enumerate(pictures[number : number + _OF_TAR], number):
                (folder / "cls").write_text(str(label))
                packed.add(path, f"{place:06}.jpg")
                packed.add(folder / "cls", f"{place:06}.cls")
    cells = [{"bytes": path.read_bytes(), "path": path.name} for path, _ in pictures]
    table = pa.table({"image": cells, "label": [label for _, label in pictures]})
    pq.write_table(table, folder / "parquet/train.parquet", row_group_size=_OF_GROUP)


@contextmanager
def s3(folder: Path) -> Iterator[str]:
    """Copies what lies in ``folder`` into a bucket, and says where that is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            os.environ |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
            os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
            _wait(server, port)
            from s3fs import S3FileSystem

            store = S3FileSystem()
            store.mkdir("sets")
            for kind in ("tar", "parquet"):
                store.put(str(folder / kind), f"sets/{kind}", recursive=True)
            yield "s3://sets"
        finally:
            server.terminate()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/").close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("moto's server ended before it answered")


def opened(url: str, folder: Path) -> ShardAlbum:
    """The training pictures of shards; groups of rows are kept below ``folder``."""
    made = index.make(look(url))
    return ShardAlbum(made, made.parts["train"], folder)


def places(folders: FolderAlbum, work: Path, bucket: str | None, delay: float) -> Mapping[str, Album]:
    """The same pictures, by where they lie."""
    local = work.as_uri()
    tar = opened(f"{local}/tar", work)
    slow = Elsewhere(tar.index, tar.part, work, delay=delay)
    parquet = opened(f"{local}/parquet", work / "kept")
    near: dict[str, Album] = {
        "class folders": folders,
        "tar": tar,
        "Parquet, first read": parquet,
        "Parquet, kept": parquet,
    }
    distant = (
        {}
        if bucket is None
        else {
            "tar in S3": opened(f"{bucket}/tar", work),
            "Parquet in S3, first read": opened(f"{bucket}/parquet", work / "kept too"),
        }
    )
    return {
        **near,
        **distant,
        f"tar, {1000 * delay:.0f} ms away, one by one": replace(slow, together=False),
        f"tar, {1000 * delay:.0f} ms away, {ASKED_AT_ONCE} at once": slow,
    }


def loaded(album: Album, size: int, batch_size: int, device: torch.device) -> float:
    """Images a second.

    Raises:
        SystemExit: too few pictures.
    """
    images = StreamedImages(album, range(len(album.labels)), size, augment=True, flip=True, device=device)
    seen, began = 0, 0.0
    for x, _ in images.epoch(0, batch_size, seed=0):
        seen, began = (seen + len(x), began) if began else (0, time.perf_counter())
    if not seen:
        raise SystemExit(
            f"{len(album.labels)} pictures are one batch of {batch_size} only: give more, or a smaller --batch-size."
        )
    return seen / (time.perf_counter() - began)


def stepped(size: int, batch_size: int, device: torch.device, seconds: float) -> float:
    """Images a second of a network's training steps."""
    model = build(published("dna-a", input_size=size)).to(device).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x = torch.randn(batch_size, 3, size, size, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (batch_size,), device=device)

    def step() -> None:
        with precision(device):
            loss = nn.functional.cross_entropy(model(x), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()

    step()
    seen, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        step()
        seen += batch_size
        if device.type == "cuda":
            torch.cuda.synchronize()
    return seen / (time.perf_counter() - began)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a folder of class folders, or with train/ and test/")
    parser.add_argument("--device", help="cpu or cuda")
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.03, help="seconds that a store elsewhere takes to answer")
    parser.add_argument(
        "--no-s3", action="store_true", help="not from S3, whose server and client need packages of their own"
    )
    parser.add_argument("--seconds", type=float, default=5, help="for which steps are taken")
    arguments = parser.parse_args(argv)
    device = choose_device(arguments.device)
    prepare(device)
    report.print_header("loading", device)
    size, batch_size = arguments.input_size, arguments.batch_size
    folders = open_folder(arguments.data).train
    assert isinstance(folders, FolderAlbum)
    with turns.among_others(), tempfile.TemporaryDirectory() as work:
        stepped(size, batch_size, device, 0)  # Kernels are chosen in a first step.
        with turns.alone(device):
            steps = stepped(size, batch_size, device, arguments.seconds)
        write_shards(folders, Path(work))
        with nullcontext() if arguments.no_s3 else s3(Path(work)) as bucket:
            albums = places(folders, Path(work), bucket, arguments.delay)
            with turns.alone(device):
                rates = {name: loaded(album, size, batch_size, device) for name, album in albums.items()}
    rows = [("a step of dna-a", f"{steps:,.0f}", "1.00x")]
    rows += [(name, f"{rate:,.0f}", f"{report.significant(rate / steps)}x") for name, rate in rates.items()]
    print(f"{len(folders.labels):,} pictures, {size} x {size}, batches of {batch_size}\n")
    report.print_table(("from", "images/s", "of a step's"), rows)


if __name__ == "__main__":
    main()
