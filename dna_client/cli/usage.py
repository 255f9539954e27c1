"""What is wrong with a command line, in the one line that every other error takes, and where its help is."""

from __future__ import annotations

import difflib
from typing import Any

import typer

from dna_client.cli.search_spec import SearchOptions
from dna_client.cli.spec import near
from dna_client.cli.training_spec import TrainingOptions
from dna_client.errors import LocalError


def usage_error(error: typer.TyperException) -> LocalError:
    """Typer's error in the client's words; a misspelled option names those that may be meant."""
    context: Any = getattr(error, "ctx", None)
    option = getattr(error, "option_name", None)
    if option is None or context is None:
        # Of a value out of its range typer tells in its validator's words, which know no options.
        message = error.format_message().replace(": Input should", ": it should")
    else:
        message = f"There is no option {option}.{_meant(option, error, context)}"
    help_is = f"\n{context.command_path} --help lists what there is." if context is not None else ""
    return LocalError(f"{message}{help_is}")


def _meant(option: str, error: typer.TyperException, context: Any) -> str:
    """Options of this command with a name like it, or that set what it names: ``--budget`` is ``--flops`` and others."""
    there = [name for parameter in context.command.params for name in parameter.opts]
    fields = [name for options in (SearchOptions, TrainingOptions) for name in near(option.lstrip("-"), options)]
    # Two dashes are no likeness.
    alike = difflib.get_close_matches(
        option.lstrip("-"), [name.lstrip("-") for name in getattr(error, "possibilities", None) or ()]
    )
    found = [f"--{name}" for name in alike] or [name for name in dict.fromkeys(fields) if name in there]
    if not found:
        return ""
    *others, last = found
    return f" Did you mean {' or '.join(filter(None, (', '.join(others), last)))}?"
