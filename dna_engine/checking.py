"""Checks a dataset: an archive as it was sent, or a folder where it lies; for the service and for people without one.

What is wrong with it is found, not raised: the check of a dataset that cannot be used succeeds, and its report says why. Torch-free.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from dna_engine.errors import DataError
from dna_engine.events import Progress, Reporter, Result
from dna_engine.images import arrange, timm_albums
from dna_engine.images.albums import Albums, describe, describe_folder
from dna_engine.images.archive import Limits, pack
from dna_engine.images.check.check import Looked, check, write_samples
from dna_engine.images.check.report import Finding, Level, Report
from dna_engine.images.check.subject import Subject, of_layout
from dna_engine.images.layout.layout import read_arranged, read_layout
from dna_engine.images.layout.reading import Reading, read_archive
from dna_engine.images.pictures.decoder import Decoder
from dna_engine.images.shards import album as shards
from dna_engine.images.shards.index import make, save
from dna_engine.images.shards.places import look
from dna_engine.images.survey import url_of
from dna_engine.images.timm_albums import open_timm
from dna_engine.plans import Step
from dna_engine.plans.files import IMAGES, SAMPLES, SENT
from dna_engine.plans.results import Checked
from dna_engine.spec import ResolvedCheck

#: How often it is said how far it is, in seconds.
_EVERY = 0.5
#: How long it has run before it is said how long it will.
_TELLING = 2.0
#: Memory for decoding, where nobody says otherwise.
_MEMORY = 200_000_000
#: Folders in the run folder: of what was sent, and of what is kept of it.
UNPACKED, KEPT = "unpacked", "images"


class Surroundings(Protocol):
    """What a check needs of the context that every step has."""

    @property
    def run(self) -> Path: ...

    @property
    def reporter(self) -> Reporter: ...

    @property
    def stop(self) -> Callable[[], bool]: ...


def run_step(spec: ResolvedCheck, step: Step, context: Surroundings) -> Result:  # noqa: ARG001  There is one.
    """Checks what was sent, the folder of the server, or what lies elsewhere; leaves the images of an archive, or the index of shards,
    packed, and a few pictures of each class."""
    with _decoder(spec.decoding_bytes) as decoder:
        checking = Checking(decoder, context)
        try:
            found = checking.of(spec)
        except DataError as error:
            found = Checked(report=refused(error), param=error.param)
    if found.info and spec.reading.licence:
        found = found.model_copy(update={"info": found.info.model_copy(update={"licence": spec.reading.licence})})
    kept = [name for name in (IMAGES, SAMPLES) if found.info and (context.run / name).is_file()]
    return found.result(kept)


def check_here(path: Path, reporter: Reporter, reading: Reading) -> Report:
    """The report on a folder or an archive of this machine, read so; nothing is left behind.

    Raises:
        DataError: there is neither.
    """
    if not path.exists():
        raise DataError(f"There is no file or folder {path}.", param="dataset")
    told = Said(reporter)
    with _decoder(_MEMORY) as decoder, tempfile.TemporaryDirectory() as scratch:
        try:
            if path.is_dir():
                root, layout = path, read_layout(path, reading.layout)
            else:
                root = Path(scratch) / UNPACKED
                with path.open("rb") as sent:
                    layout = read_archive(sent, root, reading, limits=Limits())
            return check(of_layout(layout, root), decoder, told=told).report
        except DataError as error:
            return refused(error)


def refused(error: DataError) -> Report:
    """The report on what is no dataset at all."""
    return Report(
        splits={},
        classes=[],
        findings=[Finding(code=error.code, level=Level.ERROR, count=1, names=[], text=error.message)],
    )


class Checking:
    """One check in a run folder. What an earlier attempt left there goes."""

    def __init__(self, decoder: Decoder, context: Surroundings) -> None:
        self._decoder, self._context = decoder, context

    def of(self, spec: ResolvedCheck) -> Checked:
        """What the spec names.

        Raises:
            DataError: it is no dataset.
            Interrupted: it was stopped.
        """
        for name in (IMAGES, SAMPLES):
            (self._context.run / name).unlink(missing_ok=True)
        if spec.folder is not None:
            return self.folder(spec, Path(spec.folder))
        if spec.url is None:
            return self.archive(spec)
        url = url_of(spec.url)
        return self.timm(spec, spec.url) if url is None else self.shards(spec, url)

    def folder(self, spec: ResolvedCheck, folder: Path) -> Checked:
        """The images stay where they are."""
        layout = read_layout(folder, spec.reading.layout, within=[Path(root) for root in spec.within])
        fingerprint = arrange.quick_fingerprint(layout)
        subject = of_layout(layout, folder)
        looked = self._check(subject)
        if looked.report.errors:
            return Checked(report=looked.report)
        info = describe_folder(spec.name, "folder", str(folder), layout, spec.reading.layout)
        write_samples(subject, self._context.run / SAMPLES, looked.seen.look)
        known = _known(looked, spec) | {"fingerprint": fingerprint}
        return Checked(info=info.model_copy(update=known), fingerprint=fingerprint, report=looked.report)

    def archive(self, spec: ResolvedCheck) -> Checked:
        """The images are unpacked, and packed again as they are kept: ``train/``, ``test/`` and, where there is one, ``val/``."""
        unpacked, kept = (_fresh(self._context.run / name) for name in (UNPACKED, KEPT))
        with (self._context.run / SENT).open("rb") as sent:
            limits = spec.archive.limits
            layout = read_archive(sent, unpacked, spec.reading, limits=limits, stopped=self._context.stop)
        subject = of_layout(layout, unpacked)
        looked = self._check(subject)
        if looked.report.errors:
            return Checked(report=looked.report)
        write_samples(subject, self._context.run / SAMPLES, looked.seen.look)
        arrange.arrange(layout, kept)
        fingerprint = arrange.fingerprint(kept)
        info = describe_folder(spec.name, "upload", fingerprint, read_arranged(kept))
        pack(kept, self._context.run / IMAGES)
        known = _known(looked, spec) | {"left_out": layout.left_out}
        return Checked(info=info.model_copy(update=known), fingerprint=fingerprint, report=looked.report)

    def shards(self, spec: ResolvedCheck, url: str) -> Checked:
        """The images stay where they are; what is kept of them is an index."""
        kept = _fresh(self._context.run / KEPT)
        index = make(look(url), told=Said(self._context.reporter, "shards"), stopped=self._context.stop)
        subject = shards.subject_of(index)
        looked = self._check(subject)
        if looked.report.errors:
            return Checked(report=looked.report)
        info = shards.describe_shards(spec.name, index, looked.seen)
        write_samples(subject, self._context.run / SAMPLES, looked.seen.look)
        save(index, kept / shards.INDEX)
        pack(kept, self._context.run / IMAGES)
        info = info.model_copy(update=_known(looked, spec))
        return Checked(info=info, fingerprint=index.fingerprint, report=looked.report)

    def timm(self, spec: ResolvedCheck, name: str) -> Checked:
        """The images are what timm makes of the name, on every worker."""
        albums = open_timm(name)
        subject = timm_albums.subject_of(albums)
        looked = self._check(subject)
        if looked.report.errors:
            return Checked(report=looked.report)
        write_samples(subject, self._context.run / SAMPLES, looked.seen.look)
        names = list(subject.classes)
        info = describe(spec.name, "timm", name, Albums(*albums), class_names=names, seen=looked.seen)
        fingerprint = sha256(info.model_dump_json(exclude={"name"}).encode()).hexdigest()
        report = looked.report.model_copy(update={"formats": {}})  # They are no files.
        return Checked(info=info.model_copy(update=_known(looked, spec)), fingerprint=fingerprint, report=report)

    def _check(self, subject: Subject) -> Looked:
        said = Said(self._context.reporter)
        return check(subject, self._decoder, told=said, stopped=self._context.stop)


def _known(looked: Looked, spec: ResolvedCheck) -> dict[str, Any]:
    """Fields of ``DatasetInfo`` that all pictures tell, not a few."""
    return looked.seen.described | {"version": spec.version, "one_way": looked.one_way}


class Said:
    """Tells how far a check is, now and then."""

    def __init__(self, reporter: Reporter, unit: str = "pictures") -> None:
        self._reporter, self._unit = reporter, unit
        self._began = time.monotonic()
        self._next = self._began

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next and done < total:
            return
        self._next = now + _EVERY
        ran = now - self._began
        left = None if ran < _TELLING else round(ran * (total - done) / done, 1)
        self._reporter.emit(Progress(done=done, total=total, unit=self._unit, eta_seconds=left))


@contextmanager
def _decoder(memory: int) -> Iterator[Decoder]:
    decoder = Decoder(memory)
    try:
        yield decoder
    finally:
        decoder.close()


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder
