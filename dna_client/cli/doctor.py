"""``dna doctor``: looks at a service and the machine, says what is wrong and what to do, and removes what is left over."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from dna_client import doctor, servers
from dna_client.cli.options import LOCAL, AsJson, DataDir, Key
from dna_client.cli.output import ERR, OUT, many, print_json
from dna_client.cli.service import HERE, servers_for_now
from dna_client.doctor import Examined, Finding
from dna_client.errors import LocalError
from dna_client.up import is_there, running_in

_STYLES: Mapping[str, str] = {"ok": "green", "warning": "yellow", "wrong": "bold red", "done": "cyan"}

#: The parts of this installation that look behind the address, and what they are called with.
_PARTS = (("store", "doctor"), ("worker.doctor",))


def examine(
    data_dir: DataDir = HERE,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar="DNA_URL",
            help=f"Address of the service to ask. [default: that of the dna up in the folder; where there is no service, {LOCAL}]",
        ),
    ] = None,
    key: Key = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Remove what is left over and take up what hangs; asks first.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at the service and this machine, and say what is wrong and what to do. Exits with 1 where something is wrong.

    On the machine of a service it looks at PostgreSQL, Redis, the schema, disks, devices, versions, clocks, workers, leases, queues, webhooks,
    and files without rows; from elsewhere at what the address tells.
    """
    here = is_there(data_dir)
    running = None if servers.names_database() else running_in(data_dir)
    address = url or (running.url if running else None if here else LOCAL)
    if fix:
        _must_be_possible(here=here, asks=not yes, can_ask=sys.stdin.isatty() and not as_json)
    with _environment(data_dir, here) as environment:
        parts = _look(environment, fix=fix and yes)
        if fix and not yes and _agreed(parts):
            parts = _look(environment, fix=True)
    fixed = [sentence for part in parts for sentence in part.fixed]
    found = _with_service([finding for part in parts for finding in part.findings], address, key)
    sound = not any(finding.level == "wrong" for finding in found)
    if as_json:
        print_json({"ok": sound, "findings": [asdict(finding) for finding in found], "fixed": fixed})
    else:
        _show(found, fixed)
    if not sound:
        raise typer.Exit(1)


def _must_be_possible(*, here: bool, asks: bool, can_ask: bool) -> None:
    """Raises LocalError: nothing can be mended from here, or nobody is there to be asked whether to."""
    if not here:
        raise LocalError(
            "Only on the machine of a service can something be mended: name its folder with --data-dir, or set DNA_DATABASE_URL."
        )
    if asks and not can_ask:
        raise LocalError(
            "Say --yes as well: nobody is there to be asked. Without --fix it is shown what would be done."
        )


@contextmanager
def _environment(data_dir: Path, here: bool) -> Iterator[dict[str, str] | None]:
    """For the parts that look at the servers; None where there are none."""
    if not here:
        yield None
        return
    with servers_for_now(data_dir) as environment:
        folder = environment.get("DNA_DATA_DIR") or str(data_dir.expanduser().resolve())
        yield {**environment, "DNA_DATA_DIR": folder}


def _look(environment: Mapping[str, str] | None, *, fix: bool = False) -> list[Examined]:
    """What each part finds, after it has mended what it can where ``fix`` says so."""
    if environment is None:
        return []
    return [doctor.behind(module, environment, *arguments, fix=fix) for module, *arguments in _PARTS]


def _with_service(found: list[Finding], url: str | None, key: str | None) -> list[Finding]:
    """With what its address tells and they do not."""
    told = {finding.said for finding in found}
    return found + [finding for finding in (doctor.of_service(url, key) if url else []) if finding.said not in told]


def _agreed(parts: Sequence[Examined]) -> bool:
    """Whether there is something to be done, and a person wants it to be."""
    mendable = [finding for part in parts for finding in part.findings if finding.fix]
    for finding in mendable:
        ERR.print(f"{finding.check}: {finding.said} To be done: {finding.fix}.", markup=False)
    return bool(mendable) and typer.confirm("Do it?", err=True)


def _show(found: Sequence[Finding], fixed: Sequence[str]) -> None:
    for sentence in fixed:
        OUT.print(Text.assemble(("done     ", _STYLES["done"]), sentence))
    for finding in found:
        OUT.print(
            Text.assemble((f"{finding.level:8} ", _STYLES[finding.level]), (f"{finding.check}: ", "bold"), finding.said)
        )
        for line in (finding.advice, finding.fix and f"dna doctor --fix would {finding.fix}."):
            if line:
                OUT.print(Text(f"         {line}"))
    ERR.print(_summary(found), markup=False)


def _summary(found: Sequence[Finding]) -> str:
    wrong, warnings = (sum(finding.level == level for finding in found) for level in ("wrong", "warning"))
    first = f"{many(wrong, 'thing')} wrong" if wrong else "Nothing is wrong"
    return f"{first}, {warnings} to be looked at." if warnings else f"{first}."
