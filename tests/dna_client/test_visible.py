"""What others wrote is shown and never obeyed: escape sequences, directions of writing and line breaks in names, labels, messages and logs."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from sqlalchemy import update

from dna_client.cli.output import SafeConsole, print_error, print_json, table
from dna_client.errors import ApiError
from dna_client.visible import all_visible, visible, visible_json, visible_lines
from store.session import transaction
from store.tables import Job
from tests.dna_client.conftest import Api, Dna

#: Clears the screen, turns the writing around, begins a line of its own, as an 8-bit terminal has it, and sets the title.
HOSTILE = "owls\x1b[2J\u202egnp\nerror: forged\r\x9b31m\x1b]0;title\x07"
SHOWN = r"owls\x1b[2J\u202egnp\nerror: forged\r\x9b31m\x1b]0;title\x07"


def test_controls_are_shown() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible_lines("a\n\tb\x1b") == "a\n\tb\\x1b"
    assert visible("\ud800") == r"\ud800"


@pytest.mark.parametrize("name", ["Käfer", "小鳥 の声", "می‌خواهم", "👩‍🔬", "a\u00a0b"])
def test_writing_stays_as_it_is(name: str) -> None:
    assert visible(name) == name


def test_a_value_is_shown_whole() -> None:
    assert all_visible({"\x1b": ["\n", 1, None, {"a": "\x07"}]}) == {r"\x1b": [r"\n", 1, None, {"a": r"\x07"}]}


@pytest.mark.parametrize("text", [HOSTILE, "\U000e0041\ud800", "plain"])
def test_json_is_exact_and_steers_nothing(text: str) -> None:
    document = visible_json(json.dumps({"name": text}, ensure_ascii=False, indent=2))
    assert json.loads(document) == {"name": text}
    assert document.replace("\n", "").isprintable()


def test_no_console_can_be_steered_whatever_is_printed() -> None:
    written = io.StringIO()
    console = SafeConsole(file=written, force_terminal=True, color_system=None, markup=False)
    console.print(HOSTILE, "[red]", table(("name",), [(HOSTILE,)]))
    said = written.getvalue().replace("\n", "")
    assert said.isprintable()
    assert "[red]" in said


def test_an_error_forges_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(ApiError(422, {"detail": HOSTILE, "errors": [{"pointer": f"#/{HOSTILE}", "detail": HOSTILE}]}))
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: {SHOWN}"


def test_json_is_printed_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": HOSTILE})
    assert json.loads(capsys.readouterr().out) == {"name": HOSTILE}


@pytest.fixture
def hostile(dna: Dna, api: Api) -> str:
    """A search whose name, label and error others chose."""
    made = dna("search", "create", "--dataset", "digits", "--json").json
    with transaction(api.sessions) as session:
        error: dict[str, Any] = {"code": "crashed", "message": HOSTILE, "param": None}
        state = {"state": "failed", "name": HOSTILE, "labels": {HOSTILE: HOSTILE}, "error": error}
        session.execute(update(Job).where(Job.id == made["id"]).values(state))
    return str(made["id"])


def test_every_command_shows_them(dna: Dna, hostile: str) -> None:
    for command in (("list",), ("show", hostile)):
        said = dna("search", *command)
        assert (said.out + said.err).replace("\n", "").isprintable()
        assert SHOWN in said.out
        assert not [line for line in (said.out + said.err).splitlines() if line.startswith("error: forged")]
    assert dna("search", "show", hostile, "--json").json["name"] == HOSTILE


def test_who_watches_is_shown_them(dna: Dna, hostile: str) -> None:
    said = dna("search", "watch", hostile)
    assert (said.out + said.err).replace("\n", "").isprintable()
