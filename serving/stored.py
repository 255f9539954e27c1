"""Networks from the service's database and artifacts, by the names that its commands take."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from dna_engine.plans import files
from serving.errors import CannotServe
from serving.network import Network, Precision, Wanted
from store import architecture_lists, architectures, artifacts, searches, trainings
from store.blobs import BlobStore
from store.columns import Json
from store.errors import Ambiguous
from store.filters import Filter
from store.order import At
from store.tables import Training

#: The file of each precision in the folder of a network.
_FILES = {Precision.FP32: files.ONNX, Precision.INT8: files.ONNX_INT8}

_LOOKED_AT = At(limit=50)


def load(session: Session, blobs: BlobStore, wanted: Wanted) -> Network:
    """The network that ``wanted.ref`` means: of a search its winner (``SEARCH`` or ``SEARCH/winner``) or another that it has trained
    (``SEARCH/control``), what a training has made (its name, its id or an end of that), or a network (its id or an end of that, or its
    name) as it was trained last.

    Raises:
        CannotServe: there is none that is trained, or none with such a file.
        Ambiguous: there are several.
        CorruptArtifact: the file is not what was stored.
    """
    meant = {training.id: training for training in _meant(session, wanted.ref)}
    if not meant:
        raise CannotServe(
            f"There is no file, and no trained network, {wanted.ref!r}: dna search list, dna training list and dna architecture list "
            "show what there is."
        )
    if len(meant) > 1:
        raise Ambiguous("training", wanted.ref, [f"{training.id} ({_name(training)})" for training in meant.values()])
    [training] = meant.values()
    file = f"{training.network}/{_FILES[wanted.precision]}"
    artifact = artifacts.named(session, training.job_id, [file]).get(file)
    if artifact is None:
        raise CannotServe(
            f"{wanted.ref} has no ONNX file of {wanted.precision}: it is {training.state}, or was exported without. "
            f"dna training show {training.id} says why."
        )
    onnx = b"".join(blobs.read(artifacts.blob(artifact)))
    return wanted.named(_name(training), onnx, _described(session, training)["preprocessing"])


def _meant(session: Session, ref: str) -> Iterator[Training]:
    of, slash, network = ref.rpartition("/") if "/" in ref else (ref, "", "winner")
    for search in searches.listing(session, Filter(ref=of), _LOOKED_AT).items:
        yield from (made for made in trainings.of_search(session, search.id) if made.network == network)
    if slash:
        return
    for training in trainings.listing(session, trainings.Which(Filter(ref=ref)), _LOOKED_AT).items:
        if training.alone or training.job.name != ref:  # By its name a search is meant, not each training of it.
            yield training
    for found in architecture_lists.listing(session, architecture_lists.Which(ref=ref), _LOOKED_AT).items:
        done = [training for training in trainings.of_architecture(session, found.id) if training.found]
        yield from done[-1:]


def _name(training: Training) -> str:
    return training.job.name if training.alone else f"{training.job.name}-{training.network}"


def _described(session: Session, training: Training) -> Json:
    """The network for the dataset that it is trained on."""
    if training.alone or training.architecture_id is None:
        described: Json = training.job.resolved["architecture"]
        return described
    return architectures.get(session, training.architecture_id).architecture
