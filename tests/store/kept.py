"""What must hold between the rows that name stored files and the files."""

from __future__ import annotations

import fsspec
from sqlalchemy import select

from store.session import Sessions, transaction
from store.tables import Artifact, Dataset, Teacher


def rows_and_files(sessions: Sessions, artifacts_url: str) -> tuple[set[str], set[str]]:
    """The locations that rows name, and those where something lies: the same when nothing is lost and nothing orphaned."""
    with transaction(sessions) as session:
        named = set(session.scalars(select(Artifact.location)))
        archives = session.scalars(select(Dataset.archive).where(Dataset.archive.is_not(None)))
        named |= {archive["location"] for archive in archives if archive}
        for teacher in session.scalars(select(Teacher)):
            named |= {teacher.weights["location"], teacher.about["location"]}
    filesystem, root = fsspec.url_to_fs(artifacts_url)
    return named, {str(path).removeprefix(f"{root}/") for path in filesystem.find(root)}
