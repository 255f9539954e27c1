"""What a look at a piece of the service has found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a finding is to be taken.

    WARNING: the service works, and something hinders it or soon will.
    WRONG: something does not work, or is about to be lost.
    """

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """``check`` names the piece. ``advice`` says what to do, ``fix`` what ``--fix`` would do about it; empty where there is nothing."""

    check: str
    level: Level
    said: str
    advice: str = ""
    fix: str = ""


def ok(check: str, said: str) -> Finding:
    return Finding(check, Level.OK, said)


def warning(check: str, said: str, advice: str = "", *, fix: str = "") -> Finding:
    return Finding(check, Level.WARNING, said, advice, fix)


def wrong(check: str, said: str, advice: str = "", *, fix: str = "") -> Finding:
    return Finding(check, Level.WRONG, said, advice, fix)


def as_json(findings: Iterable[Finding], fixed: Sequence[str] = ()) -> str:
    """For programs, ``dna doctor`` among them."""
    return json.dumps({"findings": [asdict(finding) for finding in findings], "fixed": list(fixed)}, indent=2)


def as_text(findings: Iterable[Finding], fixed: Sequence[str] = ()) -> str:
    """For people: a line for each, and one for what to do."""
    lines = [f"done     {sentence}" for sentence in fixed]
    for finding in findings:
        lines.append(f"{finding.level:8} {finding.check}: {finding.said}")
        lines += [f"         {line}" for line in (finding.advice, finding.fix and f"--fix: {finding.fix}") if line]
    return "\n".join(map(_visible, lines))


def _visible(line: str) -> str:
    """What others wrote (a name, a reason) cannot end the line or steer the terminal."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in line)


def exit_code(findings: Iterable[Finding]) -> int:
    """1 where something is wrong."""
    return int(any(finding.level is Level.WRONG for finding in findings))


def several(count: int, what: str, more: str | None = None) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count} {what}" if count == 1 else f"{count} {more or what + 's'}"


def first(names: Sequence[object], most: int = 5) -> str:
    """Some of many, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more
