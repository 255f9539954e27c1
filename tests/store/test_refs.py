"""A person's short way to name a row: its name, or an end of its id."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import keys
from store.errors import Ambiguous, NotFound
from store.refs import meant
from store.tables import ApiKey


def found(session: Session, ref: str) -> list[str]:
    return sorted(session.scalars(select(ApiKey.name).where(meant(ref, ApiKey.id, ApiKey.name))))


def test_a_name_or_an_end_of_an_id_finds_the_row(session: Session) -> None:
    row, _ = keys.create(session, "laptop")
    keys.create(session, "server")
    text = str(row.id)
    for ref in (text, text.upper(), text.replace("-", ""), text[-4:], text[-14:], "laptop"):
        assert found(session, ref) == ["laptop"], ref
    # Both were made within the same minute: they begin alike.
    assert found(session, text[:8]) == found(session, text[:10]) == ["laptop", "server"]
    for ref in ("lap", text[-3:], text[9:13] + "zz", "%", "", text + "0"):
        assert found(session, ref) == [], ref


def test_a_key_is_found_by_what_a_person_has_of_it(session: Session) -> None:
    laptop, secret = keys.create(session, "laptop")
    keys.create(session, "server")
    for ref in ("laptop", str(laptop.id)[-8:], secret, secret[:12], f"{secret[:12]}_..."):
        assert keys.find(session, ref) is laptop
    with pytest.raises(NotFound, match="There is no key laptopp"):
        keys.find(session, "laptopp")
    with pytest.raises(Ambiguous, match=r"laptop.*server"):
        keys.find(session, str(laptop.id)[:8])
    again, _ = keys.create(session, "laptop")
    with pytest.raises(Ambiguous):
        keys.find(session, "laptop")
    keys.revoke(session, laptop.id)
    assert keys.find(session, "laptop") is again
