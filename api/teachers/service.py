"""Teachers: those of the catalogue beside those that were sent, and how one is taken in."""

from __future__ import annotations

import io
import json
import re
from functools import partial
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy.orm import Session

from api.forms import wrong
from api.teachers.schemas import TeacherOut
from api.teachers.upload import Sent
from api.uploads.files import Uploads
from dna_engine.catalogue import catalogue, get_teacher, is_known
from dna_engine.errors import UnknownName
from dna_engine.weights import count_classes, normalisation
from store import quotas, teachers
from store.errors import IllegalTransition
from store.files import Drafts

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
#: Of what a user sent, in an answer.
_SHOWN = 200


def create(session: Session, drafts: Drafts, sent: Sent, uploads: Uploads) -> TeacherOut:
    """The teacher that was sent; its files are among the drafts until the transaction is committed.

    Raises:
        Invalid: the name is none.
        NameTaken: there is a teacher of that name.
        UnknownName: there is no such model.
        QuotaSpent: the key may keep no more bytes.
        TeacherError: the file does not hold its weights; names what is wrong.
    """
    name = _name(session, sent)
    try:
        classes = count_classes(sent.model, sent.weights, sent.filename)
    except UnknownName as error:
        raise wrong("model", error.message[:-1]) from error
    known_mean, known_std = normalisation(sent.model)
    mean, std = sent.mean or known_mean, sent.std or known_std
    about = {"model": sent.model, "weights": "upload", "mean": list(mean), "std": list(std)}
    weights = drafts.write(sent.weights)
    quotas.keep(session, weights.size, arriving=partial(uploads.arriving, sent.once.owner))
    teacher = teachers.create(
        session,
        name,
        sent.model,
        num_classes=classes,
        mean=mean,
        std=std,
        weights=weights,
        about=drafts.write(io.BytesIO(json.dumps(about).encode())),
    )
    return TeacherOut.sent(teacher)


def _name(session: Session, sent: Sent) -> str:
    name = sent.name or PurePosixPath(sent.filename).name.removesuffix(".safetensors")
    if not NAME.fullmatch(name) or _is_id(name):
        raise wrong(
            "name",
            f"{name[:_SHOWN]!r} cannot name a teacher: take up to 100 letters, digits, dots, dashes and underscores, and no id",
        )
    if is_known(name):
        raise wrong("name", f"{name} is a model of timm: take another name for these weights of it")
    teachers.check_free(session, name)
    return name


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def find(session: Session, ref: str) -> TeacherOut:
    """A teacher by the name of its model, or by its id or name where it was sent.

    Raises:
        NotFound: there is none.
    """
    if is_known(ref):
        return TeacherOut.of_catalogue(get_teacher(ref))
    return TeacherOut.sent(teachers.find(session, ref))


def delete(session: Session, ref: str) -> list[str]:
    """Deletes one that was sent; returns the locations of its files, to be discarded after the commit.

    Raises:
        NotFound: there is none.
        IllegalTransition: it is one of timm's.
    """
    if is_known(ref):
        raise IllegalTransition(f"{ref} is a model of timm and stays.")
    return teachers.delete(session, teachers.find(session, ref))


def listing(
    session: Session,
    asked: str,
    *,
    sent: bool | None,
    project: str | None,
    after: str | None,
    descending: bool,
    limit: int,
) -> list[TeacherOut]:
    """Teachers by name, or against it: of the catalogue, sent, or both, from behind ``after`` on. What a project has was sent."""
    asked = asked.lower()
    meant = {
        name: teacher
        for name, teacher in catalogue().items()
        if any(asked in text.lower() for text in (name, teacher.family, *teacher.names))
    }
    behind = [name for name in meant if after is None or (name < after if descending else name > after)]
    found = [TeacherOut.of_catalogue(meant[name]) for name in behind if sent is not True and project is None]
    if sent is not False:
        rows = teachers.listing(session, asked, meant, project=project, after=after, descending=descending, limit=limit)
        found += [TeacherOut.sent(row) for row in rows]
    return sorted(found, key=lambda teacher: teacher.name, reverse=descending)[:limit]
