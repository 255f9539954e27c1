"""Bodies that are kept until they are made of something else."""

from __future__ import annotations

from collections.abc import Callable

from api.kept import Kept


def giving(body: bytes) -> Callable[[], bytes]:
    return lambda: body


def never() -> bytes:
    raise AssertionError("it is kept")


def test_a_body_is_kept_until_it_is_made_of_something_else() -> None:
    kept = Kept(2000)
    assert kept.body("name", 1, giving(b"one")) == b"one"
    assert kept.body("name", 1, never) == b"one"
    assert kept.body("name", 2, giving(b"two")) == b"two"
    assert kept.body("name", 1, giving(b"one again")) == b"one again"


def test_those_asked_for_last_stay_up_to_so_many_bytes() -> None:
    kept = Kept(2010)
    kept.body("first", 1, giving(b"12345"))
    kept.body("second", 1, giving(b"12345"))
    kept.body("first", 1, never)
    kept.body("third", 1, giving(b"123"))
    kept.body("first", 1, never)
    assert kept.body("second", 1, giving(b"again")) == b"again"


def test_what_is_replaced_takes_no_room() -> None:
    kept = Kept(2010)
    for number in range(5):
        kept.body("one", number, giving(b"12345"))
    kept.body("other", 1, giving(b"12345"))
    kept.body("one", 4, never)


def test_nothing_is_kept_where_there_is_no_room() -> None:
    kept = Kept(0)
    assert kept.body("name", None, giving(b"one")) == b"one"
    assert kept.body("name", None, giving(b"two")) == b"two"
