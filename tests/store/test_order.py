"""Lists in any order that is offered: every row once, what is not known last, and few rows read of many."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from store import architecture_lists, searches, timings, trainings, tunings
from store.actors import OPERATOR, Actor, acting
from store.filters import Filter, Period
from store.order import At, Order, Place
from store.owned import DEFAULT_PROJECT
from store.states import JobState
from store.tables import Architecture, Job, Search
from tests.store.builders import new_architecture, new_search, new_training, new_tuning

#: Rows of a table that a page of 20 may cost: with what a join and the row after the page add.
FEW = 200


@pytest.fixture
def found(session: Session) -> list[Search]:
    """Five searches: two have found something as good, one something better."""
    made = [new_search(session, name=name) for name in ("b", "a", "b", "c", "a")]
    for search, accuracy, flops in ((made[0], 0.5, 10), (made[2], 0.5, 2**40), (made[3], 0.75, 5)):
        search.best = {"test_accuracy": accuracy, "flops": flops, "params": 1}
    for search, day in ((made[1], 1), (made[4], 2)):
        search.finished_at = datetime(2026, 1, day, tzinfo=UTC)
    made[4].progress = 1.0
    session.flush()
    return made


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("created_at", "01234"),
        ("-created_at", "43210"),
        ("name", "14023"),
        ("-name", "32041"),
        ("accuracy", "02341"),
        ("-accuracy", "32041"),
        ("flops", "30241"),
        ("-finished_at", "41320"),
        ("finished_at", "14320"),
        ("-progress", "43210"),
        ("state", "01234"),
    ],
)
def test_pages_follow_each_other_in_order(
    session: Session, found: list[Search], sort: str, order: str, limit: int
) -> None:
    ids = [search.id for search in found]
    seen, at = [], At(sort, None, limit)
    while True:
        read = searches.listing(session, Filter(), at)
        assert len(read.items) <= limit
        seen += [ids.index(search.id) for search in read.items]
        if read.next is None:
            break
        at = At(sort, read.next, limit)
    assert "".join(map(str, seen)) == order


def test_a_page_stays_right_while_rows_come_and_go(session: Session, found: list[Search]) -> None:
    first = searches.listing(session, Filter(), At("name", None, 2))
    assert [search.id for search in first.items] == [found[1].id, found[4].id]
    session.delete(found[4])
    later = new_search(session, name="a")
    rest = searches.listing(session, Filter(), At("name", first.next, 10))
    assert [search.id for search in rest.items] == [one.id for one in (later, found[0], found[2], found[3])]


@pytest.mark.parametrize(
    "order", [searches.ORDER, trainings.ORDER, tunings.ORDER, architecture_lists.ORDER], ids=lambda order: order.ids.key
)
def test_every_order_that_is_offered_can_be_had(session: Session, order: Order) -> None:
    which: dict[Any, Callable[[At], Any]] = {
        searches.ORDER.ids: lambda at: searches.listing(session, Filter(), at),
        trainings.ORDER.ids: lambda at: trainings.listing(session, trainings.Which(), at),
        architecture_lists.ORDER.ids: lambda at: architecture_lists.listing(session, architecture_lists.Which(), at),
    }
    network = new_architecture(session)
    for _ in range(2):
        new_training(session)
        new_tuning(session, network=network)
    listing = (lambda at: tunings.listing(session, Filter(), at)) if order is tunings.ORDER else which[order.ids]
    for sort in order.offered:
        first = listing(At(sort, None, 1))
        assert first.next is not None
        assert listing(At(sort, first.next, 1)).items != first.items != [], sort


@pytest.fixture
def many(session: Session) -> Architecture:
    """10,000 searches, few of which have failed, and as many timings, of each network a few, made by turns."""
    model = new_search(session)
    session.flush()
    ids = "('00000000-0000-7000-8000-' || lpad(to_hex(2 * n + {odd}), 12, '0'))::uuid"
    columns = ", ".join(column.key for column in Job.__table__.columns if column.key not in _MADE)
    for kind, odd in (("search", 0), ("timing", 1)):
        session.execute(
            text(
                f"""
                INSERT INTO jobs (id, kind, name, state, labels, dataset, resolved, created_at, finished_at, {columns})
                SELECT {ids.format(odd=odd)}, '{kind}', 'search ' || n, CASE n % 500 WHEN 0 THEN 'failed' ELSE 'succeeded' END,
                    jsonb_build_object('run', n % 300), 'set ' || n % 300, jsonb_build_object('architecture_id', n % 1000),
                    timestamptz '2026-01-01' + n * interval '1 minute', timestamptz '2026-01-02' + n * interval '1 minute', {columns}
                FROM jobs, generate_series(1, 10000) AS n WHERE id = :model
                """
            ),
            {"model": model.id},
        )
    session.execute(
        text(
            """
            INSERT INTO searches (id, best) SELECT id, jsonb_build_object('about', repeat(md5(id::text), 20)) FROM jobs
            WHERE kind = 'search' AND id != :model
            """
        ),
        {"model": model.id},
    )
    session.execute(
        text(
            """
            INSERT INTO architectures (id, search_id, role, architecture, flops, params, test_accuracy, project_id)
            SELECT id, id, 'winner', '{}', event_seq, event_seq, progress, project_id FROM jobs WHERE kind = 'search' AND id != :model
            """
        ),
        {"model": model.id},
    )
    session.execute(text("ANALYZE jobs, searches, architectures"))
    return session.scalars(select(Architecture).limit(1)).one()


_MADE = ("id", "kind", "name", "state", "labels", "dataset", "resolved", "created_at", "finished_at")


def test_a_page_reads_few_rows_of_many(session: Session, many: Architecture) -> None:
    middle = UUID("00000000-0000-7000-8000-000000002710")
    day, other_day = datetime(2026, 1, 3, 12, tzinfo=UTC), datetime(2026, 1, 3, 13, tzinfo=UTC)

    def of(where: Filter, sort: str = "-created_at", after: Place | None = None) -> Callable[[], Any]:
        return lambda: searches.listing(session, where, At(sort, after))

    asked: dict[str, Callable[[], Any]] = {
        "all": of(Filter()),
        "state": of(Filter(states=[JobState.FAILED])),
        "states": of(Filter(states=[JobState.FAILED, JobState.QUEUED])),
        "label": of(Filter(labels={"run": "7"})),
        "dataset": of(Filter(dataset="set 7")),
        "created": of(Filter(created=Period(day, other_day))),
        "finished": of(Filter(finished=Period(day, other_day))),
        "by name": of(Filter(), "name"),
        "against name": of(Filter(), "-name"),
        "last finished": of(Filter(), "-finished_at"),
        "first finished": of(Filter(), "finished_at"),
        "whole id": of(Filter(ref=str(middle), states=[JobState.FAILED])),
        **{
            f"deep by {sort}": of(Filter(), sort, _behind(session, sort, middle))
            for sort in ("-created_at", "name", "-finished_at")
        },
        "networks by flops": lambda: architecture_lists.listing(session, architecture_lists.Which(), At("-flops")),
        "best networks": lambda: architecture_lists.listing(session, architecture_lists.Which(), At("-accuracy")),
        "timings": lambda: timings.listing(session, UUID(int=7)),
    }
    for actor in (OPERATOR, Actor(DEFAULT_PROJECT)):  # Who sees all, and who sees a project.
        session.info.update(acting(actor))
        assert {name: read for name, ask in asked.items() if (read := _rows_read(session, ask)) > FEW} == {}


def _behind(session: Session, sort: str, row_id: UUID) -> Place:
    """Behind that search."""
    name = sort.removeprefix("-")
    return Place(row_id if name == "created_at" else getattr(session.get_one(Job, row_id), name), row_id)


def _rows_read(session: Session, ask: Callable[[], Any]) -> int:
    """Rows that the scans of its statements have read, those they threw away among them."""
    asked: list[tuple[str, Any]] = []

    def remember(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: Any) -> None:
        asked.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", remember)
    ask()
    event.remove(connection, "before_cursor_execute", remember)
    assert asked
    plans = [
        connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", given).scalar_one() for sql, given in asked
    ]
    return sum(_scanned(plan[0]["Plan"]) for plan in plans)


def _scanned(node: dict[str, Any]) -> int:
    thrown = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    own = (node["Actual Rows"] + thrown) * node["Actual Loops"] if "Scan" in node["Node Type"] else 0
    return round(own) + sum(map(_scanned, node.get("Plans", ())))
