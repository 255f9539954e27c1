"""What the client's page promises exists, and what exists is on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from dna_client import errors
from dna_client.__main__ import app

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text()


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command in full, such as ``search list``, with its long options."""
    groups = [("", typer.main.get_command(app))]
    while groups:
        path, command = groups.pop()
        if inside := getattr(command, "commands", None):
            groups += [(f"{path} {name}".strip(), sub) for name, sub in inside.items()]
        else:
            yield path, [option for parameter in command.params for option in parameter.opts if option.startswith("--")]


@pytest.mark.parametrize(
    ("command", "options"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_commands_and_their_options_are_on_the_page(command: str, options: list[str]) -> None:
    assert command.split()[-1] in PAGE
    assert [option for option in options if option not in PAGE] == []


def test_every_exit_code_is_on_the_page() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    raised = {
        error.exit_code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "exit_code")
    }
    assert listed == raised | {0, 130}
