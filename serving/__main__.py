"""``python -m serving``: runs the inference server. Exits with 2 when something must be said otherwise, and says what."""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from serving import local
from serving.errors import CannotServe
from serving.network import Network, Precision, Wanted
from serving.settings import ServingSettings
from store.errors import StoreError
from store.settings import wrong_settings


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    given = {f"serve_{name}": value for name, value in vars(chosen).items() if name not in ("networks", "precision")}
    try:
        settings = ServingSettings.model_validate({name: value for name, value in given.items() if value is not None})
        precisions = dict.fromkeys(chosen.precision or [Precision.FP32])
        wanted = [Wanted.parse(text, Precision(precision)) for precision in precisions for text in chosen.networks]
        _serve(_networks(wanted, settings), settings)
    except (CannotServe, StoreError) as error:
        print(error.message, file=sys.stderr)
        return 2
    except ValidationError as error:
        print(f"A setting is wrong. {wrong_settings(error)}", file=sys.stderr)
        return 2
    except ArgumentError as error:
        print(error, file=sys.stderr)
        return 2
    except (OperationalError, ProgrammingError) as error:
        print(f"The database of DNA_DATABASE_URL cannot be used: {error.orig}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serving", description="Serves networks by the Open Inference Protocol v2, over REST and gRPC."
    )
    parser.add_argument(
        "networks",
        nargs="+",
        metavar="NETWORK",
        help="an .onnx file, a bundle.zip or a folder of a download; or what the service knows it by: SEARCH/winner, "
        "SEARCH/control, the name or id of a training, an id of a network. NAME=NETWORK serves it under that name",
    )
    parser.add_argument("--host", help="address to listen on, instead of DNA_SERVE_HOST (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port of REST, instead of DNA_SERVE_PORT (8080); 0 takes a free one")
    parser.add_argument(
        "--grpc-port", type=int, help="port of gRPC, instead of DNA_SERVE_GRPC_PORT (8081); 0 takes a free one"
    )
    parser.add_argument(
        "--precision",
        action="append",
        choices=list(Precision),
        help="numbers to compute with; twice for both, side by side: the network of 8 bits is called NAME-int8",
    )
    parser.add_argument(
        "--max-batch", type=int, help="images that go through a network at once, instead of DNA_SERVE_MAX_BATCH (4)"
    )
    parser.add_argument(
        "--threads", type=int, help="threads that compute one batch, instead of DNA_SERVE_THREADS (all cores)"
    )
    return parser


def _networks(wanted: Sequence[Wanted], settings: ServingSettings) -> list[Network]:
    """Those that are paths are read from there, all others from the service."""
    known = [one for one in wanted if not Path(one.ref).exists()]
    found = dict(zip(known, _stored(known, settings), strict=True)) if known else {}
    networks = [found[one] if one in found else local.load(one) for one in wanted]
    for name, times in Counter(network.name for network in networks).items():
        if times > 1:
            raise CannotServe(f"{times} networks are called {name}: write NAME=NETWORK to tell them apart.")
    return networks


def _stored(wanted: Sequence[Wanted], settings: ServingSettings) -> list[Network]:
    if settings.database_url is None:
        raise CannotServe(
            f"There is no file {wanted[0].ref}. For networks of the service set DNA_DATABASE_URL, or name the folder of a "
            "dna up that runs: dna serve --data-dir."
        )
    from serving import stored
    from store.blobs import BlobStore
    from store.session import make_engine, make_sessions, transaction

    engine = make_engine(settings.database_url, settings.database_timeouts, pool_size=1)
    try:
        with transaction(make_sessions(engine)) as session:
            blobs = BlobStore(settings.artifacts)
            return [stored.load(session, blobs, one) for one in wanted]
    finally:
        engine.dispose()


def _serve(networks: Sequence[Network], settings: ServingSettings) -> None:
    """KServe reads the options of the process when it is imported, and they are none of its own."""
    del sys.argv[1:]
    from serving.server import serve

    serve(networks, settings)


if __name__ == "__main__":
    sys.exit(main())
