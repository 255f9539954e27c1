"""Whose the rows of a list are, for callers who see more than one project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dna_client.cli.tables import FittingTable
from dna_client.client import Client


def with_owners(table: FittingTable, found: Sequence[Mapping[str, Any]], client: Client) -> FittingTable:
    """The table with the project of each row, and the name of the key that has asked for it: where some are not of the caller's own project,
    which only an admin sees."""
    projects = {one["project"] for one in found if one.get("project")}
    if not projects or projects == {client.me()["project"]}:
        return table
    return replace(
        table,
        columns=(*table.columns, "project", "by"),
        rows=[
            (*row, one["project"] or "", one["created_by"] or "") for row, one in zip(table.rows, found, strict=True)
        ],
        droppable=("by", *table.droppable, "project"),
    )
