"""From a network that was found on some images to one in use on others: transferred, tuned, quantised, served and asked.

    python examples/deploy.py SEARCH FOLDER PHOTO

SEARCH is the name or id of a search that has ended; the weights of its winner are the start. FOLDER has a folder of photos for every class,
PHOTO is what the network is asked in the end, by curl and by tritonclient. The service is the one at ``DNA_URL``, by default
http://127.0.0.1:8000 (``make up``); ``DNA_API_KEY`` is its key, where it wants one. The trials are spread over all of its workers:
``dna worker`` starts another. ``pip install 'dna-automl[serve]' 'tritonclient[grpc]'`` is needed beside the client.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc

from dna_client import Client
from dna_client.cli import refs
from dna_client.cli.options import make_folder
from dna_client.errors import ClientError, LocalError, NotFound
from dna_client.models import Format


def main() -> int:
    options = parse()
    try:
        make_folder(options.output)  # Rather than find out after the trainings.
        with Client() as client:
            start = winner(client, options.search)
            dataset = client.create_dataset(options.folder, f"deployed-{datetime.now():%Y%m%d-%H%M%S}")["name"]
            wanted = {"start": {"training": start}, "dataset": dataset}
            recipe = tune(client, wanted, options)
            training = train(client, {**wanted, "recipe": recipe, "int8_loss": options.int8_loss}, options)
            precisions = bring_home(client, training, options.output)
        with served(options.output, precisions) as server:
            for model in server.models:
                print(f"{model}, by curl: {by_curl(server, model, options.photo)}")
                print(f"{model}, by tritonclient: {by_tritonclient(server, model, options.photo)}")
    except ClientError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def winner(client: Client, search: str) -> str:
    """Id of the training of what a search has found."""
    of_search = client.trainings.list(search=refs.search_id(client, search))["items"]
    found = next((training for training in of_search if training["network"] == "winner"), None)
    if found is None or found["state"] != "succeeded":
        raise LocalError(f"The search {search} has trained no winner yet: dna search show {search}")
    return found["id"]


def tune(client: Client, wanted: dict[str, Any], options: argparse.Namespace) -> str:
    """What a training is given as its recipe, to be trained by the best that was found."""
    training = sum(
        "gpu" in worker["queues"] for worker in client.workers()
    )  # The queue of what trains, on whatever device.
    print(f"Trying {options.trials} recipes on {training} workers ...", flush=True)
    made = client.tunings.create({**wanted, "trials": options.trials, **lengths(options.trial_epochs)})
    tuning = client.tunings.wait(made["id"])
    if tuning["best"] is None:
        raise LocalError(f"No trial has come to its end: {tuning['counts']}")
    best = tuning["best"]
    print(f"The best reaches {best['value']:.2%} of images that were held out: {json.dumps(best['params'])}")
    return tuning["recipe"]


def train(client: Client, wanted: dict[str, Any], options: argparse.Namespace) -> str:
    """Id of the training on all images."""
    print("Training by it on all of them ...", flush=True)
    training = client.trainings.wait(client.trainings.create({**wanted, **lengths(options.epochs)})["id"])
    assert training["test_accuracy"] is not None
    print(f"{training['test_accuracy']:.2%} of the test images are right.")
    return training["id"]


def lengths(epochs: int | None) -> dict[str, int]:
    """As many epochs as suit the images, unless it is said."""
    return {} if epochs is None else {"epochs": epochs}


def bring_home(client: Client, training: str, folder: Path) -> list[str]:
    """Downloads the network in every precision that there is; returns those."""
    client.trainings.download(training, "json", folder / "network.json")
    files: dict[str, tuple[Format, str]] = {
        "fp32": ("onnx", "network.onnx"),
        "int8": ("onnx-int8", "network.int8.onnx"),
    }
    found = []
    for precision, (kind, name) in files.items():
        try:
            client.trainings.download(training, kind, folder / name)
            found.append(precision)
        except NotFound as error:
            print(error)
    return found


@dataclass(frozen=True)
class Server:
    """Where REST and gRPC are answered, and the names of the networks there."""

    url: str
    grpc: str
    models: list[str]


@contextmanager
def served(folder: Path, precisions: list[str]) -> Iterator[Server]:
    """``dna serve`` of what lies in the folder, in each precision, side by side."""
    options = [part for precision in precisions for part in ("--precision", precision)]
    command = [sys.executable, "-m", "dna_client", "serve", str(folder), *options, "--port", "0", "--grpc-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            if not line:
                raise LocalError("The inference server did not start.")
            yield Server(**json.loads(line))
        finally:
            process.terminate()


def by_curl(server: Server, model: str, photo: Path) -> str:
    """The likeliest class of a photo that is sent as it is."""
    url = f"{server.url}/v2/models/{model}/classify"
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--data-binary", f"@{photo}", url]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    best = json.loads(answer.stdout)["classes"][0]
    return f"{best['name']} ({best['probability']:.1%})"


def by_tritonclient(server: Server, model: str, photo: Path) -> str:
    """The same over gRPC, by a client that knows the protocol alone."""
    with tritonclient.grpc.InferenceServerClient(server.grpc) as client:
        picture = tritonclient.grpc.InferInput("image", [1], "BYTES")
        picture.set_data_from_numpy(np.array([photo.read_bytes()], dtype=object))
        answer = client.infer(model, [picture], parameters={"top_k": 1})
    [[name]], [[probability]] = answer.as_numpy("classes"), answer.as_numpy("probabilities")
    return f"{name.decode()} ({probability:.1%})"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("search", help="name or id of a search that has ended")
    parser.add_argument("folder", type=Path, help="a folder of photos for every class")
    parser.add_argument("photo", type=Path, help="what the network is asked in the end")
    parser.add_argument("--output", type=Path, default=Path("deployed"), help="folder for the network (deployed)")
    parser.add_argument("--trials", type=int, default=8, help="recipes that are tried (8)")
    parser.add_argument("--trial-epochs", type=int, help="of each; default: as many as suit the photos")
    parser.add_argument("--epochs", type=int, help="of the training; default: as many as suit the photos")
    parser.add_argument(
        "--int8-loss", type=float, default=0.01, help="accuracy that the network may lose in 8 bits (0.01)"
    )
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder; unpack it first, if it is an archive.")
    if not options.photo.is_file():
        parser.error(f"{options.photo} is no file.")
    return options


if __name__ == "__main__":
    sys.exit(main())
