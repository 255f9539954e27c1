"""A network for your own photos: sends a folder of them to a running service, searches, brings the network home and tries it.

    python examples/own_photos.py FOLDER

FOLDER has a folder of photos for every class. The service is the one at ``DNA_URL``, by default http://127.0.0.1:8000 (``make up``);
``DNA_API_KEY`` is its key, where it wants one. What is asked for suits a worker without a GPU.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from dna_client import Client
from dna_client.cli.options import make_folder
from dna_client.cli.output import duration
from dna_client.errors import ClientError, NotFound
from dna_client.models import Dataset, Search, SearchNetwork
from dna_client.watch import watch

#: Photos of this side and more are looked at with this many pixels: small enough for a CPU.
INPUT_SIZE = 64


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder of photos for every class")
    parser.add_argument("--output", type=Path, default=Path("own-network"), help="folder for the network (own-network)")
    parser.add_argument(
        "--epochs",
        type=int,
        help="passes over the photos in every training, a quarter in those of finalists; default: as many as suit them",
    )
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder; unpack it first, if it is an archive.")
    if options.epochs is not None and options.epochs < 1:
        parser.error(f"{options.epochs} epochs are none; at least 1 is needed.")
    try:
        make_folder(options.output)  # Rather than find out after the search.
        with Client() as client:
            dataset = send(client, options.folder)
            found = search(client, wishes(dataset, options.epochs))
            model, description = bring_home(client, found, options.output)
    except ClientError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    report(found)
    print(f"The service keeps the photos for further searches; dna dataset delete {dataset['name']} ends that.")
    if model is None:
        return 0
    print(f"\nThe same test photos again, with onnxruntime and {model}:", flush=True)
    classify = Path(__file__).with_name("classify.py")
    return subprocess.run([sys.executable, classify, model, description, options.folder, "--held-out"]).returncode


def send(client: Client, folder: Path) -> Dataset:
    """The folder as a dataset, under its name and the time."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", folder.resolve().name).strip("-")[:60] or "photos"
    dataset = client.create_dataset(folder, f"{name}-{datetime.now():%Y%m%d-%H%M%S}")
    print(
        f"{dataset['name']}: {dataset['num_classes']} classes, {dataset['num_train']} photos to train and {dataset['num_test']} to test with."
    )
    for sentence in [*dataset["left_out"], *dataset.get("warnings", [])]:
        print(sentence)
    return dataset


def wishes(dataset: Dataset, epochs: int | None) -> dict[str, Any]:
    """The search: what is not said has defaults that suit the dataset. Small photos need nothing said."""
    spec: dict[str, Any] = {"dataset": dataset["name"], "labels": {"made-by": "own_photos.py"}}
    if (dataset["image_size"] or 0) >= INPUT_SIZE:
        spec |= {"input_size": INPUT_SIZE, "teacher": {"model": "resnet18", "weights": "train"}}
    if epochs is not None:
        for part in ("teacher", "training", "retrain"):
            spec[part] = {**spec.get(part, {}), "epochs": epochs}
        spec["select"] = {"epochs": min(epochs / 4, 100)}  # The service takes no more.
    return spec


def search(client: Client, spec: dict[str, Any]) -> Search:
    """The search when it is done; shown meanwhile. Ctrl-C ends the program, not the search."""
    expected = client.estimate_search(spec)
    made = client.create_search(spec)
    print(
        f"Search {made['id']}, under {made['spec']['budget']['flops']:,} multiply-adds; dna search watch {made['id']} shows it as well."
    )
    print(
        f"That takes about {duration(expected['device_seconds'])} on {expected['device']}, if nothing else runs there."
    )
    watch(client.events(made["id"], waits=True), Console(soft_wrap=True))
    return client.wait(made["id"])


def bring_home(client: Client, found: Search, output: Path) -> tuple[Path | None, Path]:
    """The winner's ONNX file and its description. A network that has none comes with its weights; why, is said."""
    assert found["best"] is not None
    network = found["best"]["architecture_id"]
    model, description = output / "winner.onnx", output / "winner.json"
    client.download(network, "json", description)
    try:
        client.download(network, "onnx", model)
    except NotFound as error:
        weights = client.download(network, "safetensors", output / "winner.safetensors").path
        print(f"{error.message}\nIts weights are in {weights}, for timm.", file=sys.stderr)
        return None, description
    return model, description


def report(found: Search) -> None:
    """The winner beside its control, a random network of as many multiply-adds, and whether the difference means anything."""
    print("\nOn the test photos, as the service measured:")
    for network in found["architectures"]:
        if network["test_accuracy"] is not None:
            print(
                f"  {network['role']}: {network['test_accuracy']:.2%} with {network['params']:,} parameters{caution(network)}"
            )
    if found["comparison"]:
        print(found["comparison"]["says"])


def caution(network: SearchNetwork) -> str:
    """What an accuracy alone would hide: classes of several sizes, an answer that looks at nothing."""
    test = network["test"]
    if test is None:
        return ""
    unequal = abs(test["balanced_accuracy"] - test["accuracy"]) > 0.005
    balanced = f"; {test['balanced_accuracy']:.2%} as the mean of the classes" if unequal else ""
    return (
        f"{balanced}; it {'is ' if test['verdict'] == 'at chance' else ''}{test['verdict']}"
        if test["verdict"]
        else balanced
    )


if __name__ == "__main__":
    sys.exit(main())
