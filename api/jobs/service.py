"""The query of a list of jobs of any kind: which are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query

from api.errors import Invalid
from api.filters import After, Before, OfProject, Part
from api.pagination import Ref
from dna_engine.spec import Priority
from store.filters import Filter, Period
from store.states import JobState

#: Up to the first colon that no backslash stands before: what stands behind it is the value.
_LABEL = re.compile(r"(?P<key>(?:\\.|[^\\:])*)(?P<colon>:(?P<value>.*))?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


States = Annotated[list[JobState], Query(max_length=10, description="One of these states; as often as needed.")]
Priorities = Annotated[
    list[Priority], Query(max_length=10, description="Of one of these priorities; as often as needed.")
]
OnDataset = Annotated[
    str | None, Query(max_length=200, description="Name of a dataset, `name@version`, or its id.", examples=["digits"])
]
Labels = Annotated[
    list[str],
    Query(
        max_length=32,
        description="`key:value`, or `key` alone for a job that has it whatever its value; a job must have all of them. The key ends at the "
        r"first colon; a colon or backslash of its own has a backslash before it: `a\:b:value`.",
        examples=[["team:vision"]],
    ),
]


async def _filter(
    ref: Ref = None,
    q: Part = None,
    project: OfProject = None,
    state: States = [],  # noqa: B006
    priority: Priorities = [],  # noqa: B006
    dataset: OnDataset = None,
    label: Labels = [],  # noqa: B006
    created_after: After = None,
    created_before: Before = None,
    finished_after: After = None,
    finished_before: Before = None,
) -> Filter:
    """Which jobs a list is to show, by its query."""
    equal, present = parse_labels(label)
    return Filter(
        ref=ref,
        part=q,
        project=project,
        states=state,
        priorities=priority,
        dataset=dataset,
        labels=equal,
        keys=present,
        created=Period(created_after, created_before),
        finished=Period(finished_after, finished_before),
    )


JobFilter = Annotated[Filter, Depends(_filter)]


def parse_labels(labels: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Labels of a query: those that must be equal, and the keys that must be there.

    Raises:
        Invalid: one has no key, or a key is to have two values at once.
    """
    equal: dict[str, str] = {}
    present: list[str] = []
    for label in labels:
        read = _LABEL.fullmatch(label)
        if read is None or not read["key"]:
            raise _wrong(
                f"Write a label as key:value or key, with a backslash before a colon of the key, not {label!r}"
            )
        key, value = _ESCAPED.sub(r"\1", read["key"]), read["value"]
        if value is None:
            present.append(key)
        elif equal.setdefault(key, value) != value:
            raise _wrong(f"{key!r} cannot be {equal[key]!r} and {value!r} at once: a job has one value of a label")
    return equal, present


def _wrong(message: str) -> Invalid:
    return Invalid(f"{message}.", errors=[{"parameter": "label", "detail": message}])
