from __future__ import annotations

import pytest

from dna_client.sse import ServerEvent, parse_events


@pytest.mark.parametrize(
    ("lines", "events"),
    [
        (["id: 4", "event: log", "data: {}", ""], [ServerEvent("4", "log", "{}")]),
        (
            ["data:a", "data: b", "", "data: c", ""],
            [ServerEvent("", "message", "a\nb"), ServerEvent("", "message", "c")],
        ),
        (
            [": keep-alive", "", "event: log", "", "data: x", ""],
            [ServerEvent("", "comment", "keep-alive"), ServerEvent("", "message", "x")],
        ),
        (["id: 5", "data: whole", "", "id: 6", "data: cut off"], [ServerEvent("5", "message", "whole")]),
        (["data: a: b", ""], [ServerEvent("", "message", "a: b")]),
        (["retry: 10", "unknown", "data", ""], [ServerEvent("", "message", "")]),
    ],
)
def test_parses(lines: list[str], events: list[ServerEvent]) -> None:
    assert list(parse_events(lines)) == events
