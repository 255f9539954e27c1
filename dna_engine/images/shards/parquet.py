"""Rows of a Parquet file as Hugging Face writes it: ``image`` as a struct of ``bytes`` and ``path`` (or as bytes), ``label`` as a
number of the names in the file's notes, a number alone, or a name.

pyarrow reads a group of rows at a time; a single row cannot be read alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from dna_engine.errors import Interrupted
from dna_engine.images.shards.places import Shard, wrong
from dna_engine.images.shards.samples import Found

_IMAGES, _LABELS = ("image", "img", "picture"), ("label", "labels", "cls", "class", "target")
#: A picture is read with its whole group; the bytes of a larger one would not be held by each process of a loader.
_GROUP_BYTES = 256 << 20


def read(shard: Shard, file: IO[bytes], stopped: Callable[[], bool]) -> Iterator[Found]:
    """The pictures of a file, in its order; only their labels are read.

    Raises:
        DataError: a column is missing, a label is none, or a group of rows is too large.
        Interrupted: it was stopped.
    """
    table = _opened(shard, file)
    _, label, names = _columns(shard, table)
    row = 0
    for group in range(table.num_row_groups):
        if stopped():
            raise Interrupted("Nobody waits for the dataset any more; nothing of it is kept.")
        _refuse_large(shard, table, group)
        rows = table.read_row_group(group, columns=[label], use_threads=False)
        for said in rows.column(label).to_pylist():
            yield Found(f"row {row}", _named(shard, row, said, names), row, group=group)
            row += 1


def pictures_of_group(shard: Shard, file: IO[bytes], group: int) -> tuple[int, list[bytes]]:
    """The first row of a group, and the bytes of the pictures of all its rows.

    Raises:
        DataError: a row has none.
    """
    table = _opened(shard, file)
    first = sum(table.metadata.row_group(before).num_rows for before in range(group))
    image, _, _ = _columns(shard, table)
    rows = table.read_row_group(group, columns=[image], use_threads=False)
    return first, list(_bytes(shard, rows.column(image), first))


def _opened(shard: Shard, file: IO[bytes]) -> Any:
    try:
        import pyarrow.parquet  # Large, and only these datasets need it.
    except ImportError as error:
        raise wrong(
            "Reading .parquet files needs pyarrow, which is not installed here: pip install 'dna-automl[parquet]', on the API and "
            "every worker."
        ) from error
    try:
        return pyarrow.parquet.ParquetFile(file)
    except (ValueError, pyarrow.ArrowException) as error:
        raise wrong(f"{shard.name} is no Parquet file ({error}). Write it anew.") from error


def _columns(shard: Shard, table: Any) -> tuple[str, str, Sequence[str] | None]:
    """The columns of pictures and of labels, and the names of the classes where the labels number them."""
    features = _features(table.schema_arrow.metadata or {})
    kinds = {name: about.get("_type") for name, about in features.items() if isinstance(about, dict)}
    columns = table.schema_arrow.names
    image = _one(shard, columns, [name for name in columns if kinds.get(name) == "Image"], _IMAGES, "pictures")
    label = _one(shard, columns, [name for name in columns if kinds.get(name) == "ClassLabel"], _LABELS, "labels")
    names = features.get(label, {}).get("names") if kinds.get(label) == "ClassLabel" else None
    return image, label, names if isinstance(names, list) else None


def _one(shard: Shard, columns: Sequence[str], typed: Sequence[str], usual: Sequence[str], what: str) -> str:
    found = typed or [name for name in usual if name in columns]
    if len(typed) > 1:
        found = [name for name in usual if name in typed]
    if not found:
        raise wrong(
            f"{shard.name} has no column of {what} that is known as one; it has {', '.join(columns)}. Call it {usual[0]!r}."
        )
    return found[0]


def _features(notes: dict[bytes, bytes]) -> dict[str, Any]:
    """What Hugging Face's ``datasets`` wrote of the columns; nothing where it did not."""
    try:
        features = json.loads(notes[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def _refuse_large(shard: Shard, table: Any, group: int) -> None:
    size = table.metadata.row_group(group).total_byte_size
    if size > _GROUP_BYTES:
        raise wrong(
            f"A group of rows of {shard.name} holds {size:,} bytes, and each picture is read with its whole group. Write the file "
            f"anew with groups of some hundred rows, at most {_GROUP_BYTES:,} bytes."
        )


def _bytes(shard: Shard, column: Any, first: int) -> Iterator[bytes]:
    for row, cell in enumerate(column.to_pylist(), first):
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(content, bytes):
            raise wrong(
                f"Row {row} of {shard.name} has no bytes of a picture; a path alone is not followed. Write the file anew with the "
                "pictures in it."
            )
        yield content


def _named(shard: Shard, row: int, label: object, names: Sequence[str] | None) -> str | int | None:
    if isinstance(label, bool) or not isinstance(label, int | str | None):
        raise wrong(f"Row {row} of {shard.name} has the label {label!r}; one is a number or a name.")
    if isinstance(label, int):
        if label < 0:
            return None
        return names[label] if names is not None and label < len(names) else label
    return label or None
