"""What others wrote, shown and never obeyed: a name may hold escape sequences, line breaks, and characters that turn the writing around."""

from __future__ import annotations

import re
from typing import Any

#: Controls (C0, C1), marks and overrides of direction, invisible marks, line and paragraph separators, halves of letters. The joiners of
#: Persian and of emoji are writing.
_CONTROLS = "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff"
_ANY = re.compile(f"[{_CONTROLS}]")
#: The same, but for those that lay text out.
_BUT_LAYOUT = re.compile(rf"(?![\n\t])[{_CONTROLS}]")


def visible(text: str) -> str:
    """The text in one line, with controls as escapes, such as ``\\x1b``."""
    return _ANY.sub(_escaped, text)


def visible_lines(text: str) -> str:
    """The same with its lines and tabs as they are."""
    return _BUT_LAYOUT.sub(_escaped, text)


def visible_json(text: str) -> str:
    """A document in JSON, which says the same and steers no terminal."""
    return _BUT_LAYOUT.sub(lambda found: "".join(f"\\u{unit:04x}" for unit in _units(found[0])), text)


def all_visible(value: Any) -> Any:
    """A value of JSON with every text in it, names of members too, as :func:`visible` shows it."""
    match value:
        case str():
            return visible(value)
        case list():
            return [all_visible(item) for item in value]
        case dict():
            return {visible(name): all_visible(item) for name, item in value.items()}
    return value


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _units(character: str) -> memoryview:
    """As UTF-16 has it, in which JSON counts."""
    return memoryview(character.encode("utf-16", "surrogatepass")[2:]).cast("H")
