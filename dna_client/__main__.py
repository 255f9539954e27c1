"""The ``dna`` command. Exit codes stand in ``dna_client.errors``; 130 is Ctrl-C. No traceback for what a user can cause."""

from __future__ import annotations

import sys

import typer

from dna_client.cli import catalogue, results, searches, service
from dna_client.cli.demo import demo
from dna_client.cli.output import print_error
from dna_client.errors import ClientError

app = typer.Typer(
    name="dna",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="DNA AutoML: neural architecture search by blockwise knowledge distillation.",
)
app.add_typer(service.service)
app.add_typer(service.key, name="key")
app.add_typer(searches.search, name="search")
app.add_typer(results.results)
app.add_typer(catalogue.dataset, name="dataset")
app.add_typer(catalogue.teacher, name="teacher")
app.add_typer(catalogue.workers, name="workers")
app.command()(demo)


def main() -> None:
    try:
        app()
    except ClientError as error:
        print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
