"""What a training is called that nobody has named: after its network, its images and how long it is, and otherwise than those that there are."""

from __future__ import annotations

from itertools import count, islice

from sqlalchemy.orm import Session

from api import file_names
from store import jobs
from store.states import JobKind
from store.tables import Architecture

#: Characters of a name, at most.
_LONGEST = 200


def name_of(session: Session, network: Architecture | None, plain: str) -> str:
    """Such as ``Winner of digits on a phone: digits, 25 epochs``; a number behind where one is called so already.

    Args:
        network: None where it was deleted since, and a training to start from has it.
        plain: what the engine calls it, which does not know what the network is called.
    """
    title = "" if network is None else _title(network)
    names = (_numbered(title, plain, number) for number in count(1))
    size = 1
    while True:
        some = list(islice(names, size))
        taken = jobs.called(session, JobKind.TRAINING, some)
        if free := next((name for name in some if name not in taken), None):
            return free
        size *= 10  # Of a network that was trained a thousand times not a thousand questions.


def _numbered(title: str, plain: str, number: int) -> str:
    end = plain if number == 1 else f"{plain} ({number})"
    return f"{_cut(title, _LONGEST - len(end) - 2)}: {end}" if title else end


def _title(network: Architecture) -> str:
    """A sentence begins with it, but for names that people have given."""
    title = file_names.title(network)
    return title if network.name else title[:1].upper() + title[1:]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
