"""Logs of the service's processes: a line for each thing said, for people or as JSON, with what is known of the work under way.

Everybody logs by ``logging``; what belongs to all lines of a request or a step is bound by ``structlog.contextvars`` and stands in those of
libraries too. What others chose (a name, a path) is written so that it cannot end a line and begin another.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, MutableMapping
from contextvars import copy_context
from typing import Any, Literal, ParamSpec

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["console", "json"]

#: What may be said with a line beside its words (``extra``). Libraries hang objects of theirs on their lines, which nobody has looked through.
FIELDS = (
    "method",
    "route",
    "path",
    "status",
    "problem",
    "seconds",
    "key",
    "project",
    "request_id",
    "job_id",
    "step_id",
    "kind",
)

_NUMBERED = (int, float)

Arguments = ParamSpec("Arguments")


def configure(form: LogFormat | None, *, process: str | None = None, level: int = logging.INFO) -> None:
    """Sends the lines of this process, those of libraries too, to standard error.

    Args:
        form: None: for people where they read at a terminal, JSON elsewhere.
        process: its name, to stand in every line.
    """
    chosen = form or ("console" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(chosen, process=process))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def formatter(form: LogFormat, *, process: str | None = None) -> logging.Formatter:
    """Makes a line of JSON of a record, or one that people read."""

    def name_process(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {"process": process, **event} if process else event

    known: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(FIELDS),
        structlog.processors.TimeStamper(fmt="iso"),
        name_process,
    ]
    render: Processor = structlog.processors.JSONRenderer() if form == "json" else _render_line
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=known,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            render,
        ],
    )


def bound(name: str) -> str | None:
    """What stands under that name in every line that is said here now; None where nothing does."""
    found = structlog.contextvars.get_contextvars().get(name)
    return found if isinstance(found, str) else None


def of_here(work: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """The same for a thread of its own, whose lines have what those of this one have by now: a new thread knows nothing of it."""
    here = copy_context()

    def carried(*arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        here.copy().run(work, *arguments, **named)

    return carried


def visible(text: str) -> str:
    """The text in one line: control characters and those that change the direction of writing as escapes, such as ``\\x1b``."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _render_line(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    """``2026-11-02T09:30:00Z INFO dna.api: What is said name=value``; a traceback follows, indented."""
    head = [str(event.pop(name)) for name in ("timestamp", "process", "level", "logger") if name in event]
    head[-2] = head[-2].upper()
    said, trace = str(event.pop("event")), event.pop("exception", "")
    fields = (
        f"{name}={value if isinstance(value, _NUMBERED) else visible(str(value))}" for name, value in event.items()
    )
    line = " ".join([f"{' '.join(head)}: {visible(said)}", *fields])
    return "\n    ".join([line, *map(visible, trace.splitlines())])
