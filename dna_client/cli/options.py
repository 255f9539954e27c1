"""Options that commands share, and how their texts are read."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from dna_client.client import Client
from dna_client.errors import LocalError

LOCAL = "http://127.0.0.1:8000"

#: A command that asks once gives up after two seconds or so; one that watches waits for a restart of the service.
IMPATIENT = (0.2, 0.5, 1.0)
PATIENT = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)

Url = Annotated[str, typer.Option("--url", envvar="DNA_URL", help="Address of the service.")]
Key = Annotated[
    str | None,
    typer.Option("--key", envvar="DNA_API_KEY", show_envvar=True, help="API key; none is needed with a local dna up."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the API sends it.")]
SearchRef = Annotated[
    str, typer.Argument(help="Name or id of the search, or the beginning or end of its id.", metavar="SEARCH")
]
DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="DNA_DATA_DIR", help="Folder with the embedded servers' and the service's data."),
]

Numbers = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A number of the recipe, NUMBER=VALUE, such as mixup=0.2; dna recipes shows them. As often as needed.",
        metavar="NUMBER=VALUE",
    ),
]
RecipeName = Annotated[
    str | None,
    typer.Option(
        help="quick, small, modern, or paper, the published one (dna recipes shows them); or tuning:TUNING, what a tuning has found."
    ),
]
Patience = Annotated[
    int | None,
    typer.Option(
        help="End after so many epochs without a better answer to images that are held out, and keep the best weights.",
        min=1,
        metavar="EPOCHS",
    ),
]
Label = Annotated[list[str] | None, typer.Option(help="key=value; as often as needed.")]
ChangedLabel = Annotated[
    list[str] | None,
    typer.Option(
        "--label", help="key=value sets a label, key- takes one away; as often as needed.", metavar="KEY=VALUE|KEY-"
    ),
]

_SUFFIXES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}


def connect(url: str, key: str | None, *, exact: bool = False, pauses: tuple[float, ...] = IMPATIENT) -> Client:
    """A client whose answers are to be shown; ``exact`` for those that programs will read."""
    return Client(url, key, pauses=pauses, printable=not exact)


def whole(text: str) -> int:
    """A whole number as people write costs: ``4000000``, ``4_000_000``, ``350e6``, ``5.3M``, ``1.2G``.

    Raises:
        typer.BadParameter: it is none, or not above 0.
    """
    match = re.fullmatch(r"(-?\d[\d_]*(?:\.\d+)?(?:e\+?\d{1,2})?)\s*([kmgb]?)", text.strip(), re.IGNORECASE | re.ASCII)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a number; write it as 4000000, 4e6 or 4M.")
    value = Fraction(match[1].replace("_", "")) * _SUFFIXES[match[2].lower()]  # Floats would round.
    if value < 1:
        raise typer.BadParameter(f"{text} is below 1, and no network is as small as that.")
    if value.denominator != 1:
        raise typer.BadParameter(f"{text} is not a whole number.")
    return int(value)


def positive(text: str) -> float:
    """A number above 0.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"{text!r} is not a number above 0.")
    return value


TeacherWeight = Annotated[
    float | None,
    typer.Option(
        help="Learn from the answers of the search's teacher too: their share of the loss; the labels have the rest.",
        min=0,
        max=1,
        metavar="SHARE",
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(help="What the teacher's answers are softened by.", parser=positive, metavar="T"),
]
Flops = Annotated[
    int | None,
    typer.Option("--flops", parser=whole, metavar="N", help="At most so many multiply-adds, such as 4e6 or 350M."),
]
Params = Annotated[
    int | None, typer.Option("--params", parser=whole, metavar="N", help="At most so many parameters, such as 5.3M.")
]
LatencyMs = Annotated[
    float | None,
    typer.Option(
        "--latency-ms", parser=positive, metavar="MS", help="At most so many milliseconds, on the worker's device."
    ),
]


def numbers(texts: Sequence[str]) -> dict[str, Any]:
    """``NUMBER=VALUE`` of each text; a value as JSON has it, or a word.

    Raises:
        LocalError: one is not written so.
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise LocalError(f"Write a number of the recipe as NUMBER=VALUE, such as mixup=0.2, not {text!r}.")
        try:
            found[name.strip().replace("-", "_")] = json.loads(value)
        except ValueError:
            found[name.strip().replace("-", "_")] = value
    return found


#: A label: the key ends at the first = or :, but for one with a backslash before it.
_LABEL = re.compile(r"(?P<key>(?:\\.|[^\\:=])+)[:=](?P<value>.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def labels(texts: Sequence[str]) -> dict[str, str]:
    """``key=value`` (or ``key:value``) of each text; a sign that is part of the key has a backslash before it.

    Raises:
        LocalError: one is neither.
    """
    found = {}
    for text in texts:
        read = _LABEL.fullmatch(text)
        if read is None:
            raise LocalError(f"Write a label as key=value, not {text!r}.")
        found[_ESCAPED.sub(r"\1", read["key"])] = read["value"]
    return found


def wanted_labels(texts: Sequence[str]) -> dict[str, str | None]:
    """As :func:`labels`; and None for a key alone, whatever its value."""
    alone = [text for text in texts if text and _LABEL.fullmatch(text) is None]
    return {
        **labels([text for text in texts if text not in alone]),
        **{_ESCAPED.sub(r"\1", key): None for key in alone},
    }


def changed_labels(texts: Sequence[str]) -> dict[str, str | None]:
    """As :func:`labels`; and None for ``key-``, which takes a label away.

    Raises:
        LocalError: one is neither.
    """
    gone = [text for text in texts if text.endswith("-") and _LABEL.fullmatch(text) is None and len(text) > 1]
    return {
        **labels([text for text in texts if text not in gone]),
        **{_ESCAPED.sub(r"\1", text[:-1]): None for text in gone},
    }


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; of standard input when the file is ``-``.

    Raises:
        LocalError: there is no such file, or it holds something else.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        found = json.loads(text)
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise LocalError(f"{path} is not a text file.") from error
    except json.JSONDecodeError as error:
        raise LocalError(f"{path} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error
    if not isinstance(found, dict):
        raise LocalError(f"{path} must hold a JSON object, not {type(found).__name__}.")
    return found


def make_folder(path: Path) -> None:
    """The folder is there afterwards, with those on the way to it.

    Raises:
        LocalError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise LocalError(
            f"{path} is a file, not a folder. Name another with --output, or ask for one format."
        ) from error
    except OSError as error:
        raise LocalError(f"The folder {path} cannot be made: {error.strerror}.") from error
