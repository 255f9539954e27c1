"""Names that a request gives and its route does not know."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

#: Of a name that nobody knows, in an answer.
SHOWN = 100
#: Of so many names that nobody knows, the first ones, it is said what was meant.
ADVISED = 20


def unknown(name: str, taken: Iterable[str], what: str) -> str:
    """The refusal of a name, with the one that was meant or all that there are; ``what`` is what it should name."""
    known = sorted(taken)
    near = difflib.get_close_matches(name[:SHOWN], known, n=1)
    if near:
        return f"There is no such {what}. Did you mean {near[0]}?"
    return f"There is no such {what}; " + (
        f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if known else "there is none here"
    )


def sentence(name: str, detail: str) -> str:
    """The refusal as a sentence of its own."""
    return f"{name}: {detail}{'' if detail.endswith('?') else '.'}"
