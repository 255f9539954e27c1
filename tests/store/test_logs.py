"""Lines of the log: whole, with what is known of the work under way, and forged by nobody."""

from __future__ import annotations

import json
import logging
import sys
from threading import Thread
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from store.logs import LogFormat, formatter, of_here

#: A name that would begin a line of its own, paint it red, and turn the writing around.
HOSTILE = "birds\n2026-01-01T00:00:00Z ERROR dna.api: forged\r\x1b[31m\u202e\u2028"


def record(said: str, *arguments: Any, extra: dict[str, Any] | None = None, error: bool = False) -> logging.LogRecord:
    raised = sys.exc_info() if error else None
    return logging.getLogger("dna.test").makeRecord(
        "dna.test", logging.WARNING, __file__, 1, said, arguments, raised, None, extra
    )


def test_a_line_of_json() -> None:
    with bound_contextvars(request_id="mine", job_id="theirs"):
        line = formatter("json", process="gpu0").format(record("It took %d s", 3, extra={"status": 200}))
    said = json.loads(line)
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "process": "gpu0",
        "event": "It took 3 s",
        "level": "warning",
        "logger": "dna.test",
        "request_id": "mine",
        "job_id": "theirs",
        "status": 200,
    }


def test_a_line_for_people() -> None:
    with bound_contextvars(request_id="mine"):
        line = formatter("console", process="gpu0").format(record("It took %d s", 3, extra={"status": 200}))
    assert line.partition(" ")[2] == "gpu0 WARNING dna.test: It took 3 s request_id=mine status=200"


def test_a_thread_can_say_what_is_known_here() -> None:
    said = []

    def say(word: str) -> None:
        said.append(formatter("json").format(record(word)))

    with bound_contextvars(job_id="theirs"):
        threads = [Thread(target=of_here(say), args=("told",)), Thread(target=say, args=("alone",))]
    for thread in threads:
        thread.start()
        thread.join()
    assert [json.loads(line).get("job_id") for line in said] == ["theirs", None]


@pytest.mark.parametrize("form", ["json", "console"])
def test_nobody_forges_a_line(form: LogFormat) -> None:
    with bound_contextvars(request_id=HOSTILE):
        line = formatter(form).format(record("%s fails", HOSTILE, extra={"route": HOSTILE}))
    assert line.isprintable()


def test_nor_by_what_an_error_says() -> None:
    """Its lines are set in, behind the one they belong to."""
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        first, *others = formatter("console").format(record("It failed", error=True)).split("\n")
    assert first.endswith("WARNING dna.test: It failed")
    assert all(line.startswith("    ") and line.isprintable() for line in others)
    assert "forged" in "".join(others)


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_nobody_has_looked_through_is_left_out(form: LogFormat) -> None:
    assert "dna_secret" not in formatter(form).format(record("Said", extra={"headers": "dna_secret"}))
