"""The ``dna`` command. Exit codes stand in ``dna_client.errors``; 130 is Ctrl-C. No traceback for what a user can cause."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from dna_client.cli import (
    architectures,
    catalogue,
    datasets,
    keys,
    results,
    searches,
    service,
    trainings,
    tunings,
    webhooks,
)
from dna_client.cli.demo import demo
from dna_client.cli.doctor import examine
from dna_client.cli.open import open_page
from dna_client.cli.output import OUT, print_error
from dna_client.cli.usage import usage_error
from dna_client.errors import ClientError, LocalError

app = typer.Typer(
    name="dna",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(service.service)
app.add_typer(keys.key, name="key")
app.add_typer(searches.search, name="search")
app.add_typer(trainings.training, name="training")
app.add_typer(tunings.tuning, name="tuning")
app.add_typer(results.results)
app.add_typer(architectures.architecture, name="architecture")
app.add_typer(datasets.dataset, name="dataset")
app.add_typer(catalogue.space, name="space")
app.add_typer(catalogue.teacher, name="teacher")
app.add_typer(catalogue.workers, name="workers")
app.add_typer(webhooks.webhook, name="webhook")
app.command()(catalogue.recipes)
app.command("open")(open_page)
app.command()(demo)
app.command("doctor")(examine)


def _print_version(asked: bool) -> None:
    if asked:
        OUT.print(f"dna {version('dna-automl')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """DNA AutoML: neural architecture search by blockwise knowledge distillation."""


def main() -> None:
    sys.exit(_exit_code())


def _exit_code() -> int:
    """Runs the command; what goes wrong is said in words."""
    try:
        code = app(standalone_mode=False, prog_name="dna")
        if sys.stdout:  # None where it was closed from the start.
            sys.stdout.flush()  # While it can still be said that it did not arrive.
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        # A group without a command has shown its help, and has nothing to add.
        return _fail(usage_error(error)) if error.format_message() else error.exit_code
    except ClientError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # Nobody reads the rest, as in: dna search list | head -1
        _discard_output()
        return 1
    except OSError as error:
        _discard_output()
        return _fail(LocalError(f"{error.filename or 'The output cannot be written'}: {error.strerror or error}."))


def _fail(error: ClientError) -> int:
    with suppress(OSError):
        print_error(error)
    return error.exit_code


def _discard_output() -> None:
    """What is still waiting to be written would fail again when the interpreter ends."""
    with suppress(OSError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main()
