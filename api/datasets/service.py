"""Takes in a dataset: an archive that was sent, or a folder of the server. A worker checks it before it can be used."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath
from typing import IO

from sqlalchemy.orm import Session

from api.datasets.allowed import allowed_folder, allowed_url, invalid
from api.datasets.upload import Sent
from api.settings import ApiSettings
from api.uploads.files import Uploads
from dna_engine.images.shards.places import name_of
from dna_engine.spec import ArchiveLimits, ResolvedCheck
from store import datasets, quotas
from store.files import Drafts
from store.tables import Dataset

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ARCHIVE_SUFFIX = re.compile(r"(\.zip|\.tar|\.tgz|\.tbz2?|\.txz|\.tar\.(gz|bz2|xz))$", re.IGNORECASE)
#: Of what a user sent, in an answer.
_SHOWN = 200
#: Unpacked, a dataset may be larger than its archive may be, by this factor.
UNPACKED = 4


def create(session: Session, settings: ApiSettings, drafts: Drafts, sent: Sent, archive: IO[bytes] | None) -> Dataset:
    """A dataset of what was sent or named, whose check is queued: the next version of its name.

    Args:
        archive: what was sent, on this machine's disk; among the drafts until the transaction is committed.

    Raises:
        Invalid: the name is none, or the folder or the URL is not one that may be used.
        QuotaSpent, QueueFull: the key may keep no more, or have no more checked just now.
        NameTaken: a dataset of that name ships with the service.
    """
    name = sent.name or _name(sent)
    if not NAME.fullmatch(name):
        raise invalid(
            "name",
            f"{name[:_SHOWN]!r} cannot name a dataset: take up to 100 letters, digits, dots, dashes and underscores",
        )
    datasets.check_free(name)
    folders = settings.allowed_folders
    folder = None if sent.folder is None else str(allowed_folder(sent.folder, folders))
    url = None if sent.url is None else allowed_url(sent.url, settings.allowed_urls)
    # Before a version is taken, which others of the name wait for.
    stored = None if archive is None else drafts.write(archive)
    if stored is not None:
        uploads = Uploads(settings.datasets_dir)
        quotas.keep(session, stored.size, arriving=partial(uploads.arriving, sent.once.owner, but=sent.upload))
    spec = ResolvedCheck(
        name=name,
        version=datasets.next_version(session, name),
        seed=0,
        labels={},
        folder=folder,
        url=url,
        within=[str(root) for root in folders],
        reading=sent.reading,
        archive=ArchiveLimits(total_bytes=UNPACKED * settings.max_upload_bytes, entries=settings.max_upload_entries),
        decoding_bytes=settings.decoding_bytes,
    )
    return datasets.begin(session, spec, stored, max_attempts=settings.max_attempts)


def _name(sent: Sent) -> str:
    """Where nobody says one."""
    if sent.url is not None:
        return name_of(sent.url)
    return _ARCHIVE_SUFFIX.sub("", PurePosixPath(sent.filename or sent.folder or "").name)
