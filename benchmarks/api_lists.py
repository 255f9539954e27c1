"""What the first page of a hundred costs in every order and under every filter that the lists offer, and counts by state, of ten thousand searches.

The rows are made in the tables: searches in every state, each with a winner, a control, their trainings and steps; the statements are those that the
routes send. Beside the time stand the seconds of CPU of PostgreSQL's process, which are its own whatever else the machine does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import psutil
import torch
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from benchmarks import report
from benchmarks.api_rows import WAITING, filled, populate
from store import architecture_lists, jobs, searches, trainings
from store.filters import Filter, Period, Span
from store.order import At, Order
from store.session import clock, transaction
from store.states import JobKind, JobState, Role

Ask = Callable[[Session], object]

#: Rows like those of the finished search, with figures of their own. Every tenth is in another state than succeeded.
_COPIES = """
    CREATE TEMPORARY TABLE copies AS SELECT n, uuidv7() AS id, uuidv7() AS winner, uuidv7() AS control,
        uuidv7() AS winners, uuidv7() AS controls,
        CASE WHEN n % 10 > 0 THEN 'succeeded' ELSE (ARRAY['failed', 'cancelled', 'running', 'queued'])[1 + n / 10 % 4] END AS state
    FROM generate_series(1, :count) n;
    INSERT INTO jobs SELECT (jsonb_populate_record(j, jsonb_build_object('id', c.id, 'name', 'search ' || (c.n * 7919 % 10007), 'state', c.state,
        'progress', CASE c.state WHEN 'succeeded' THEN 1 ELSE (c.n * 37 % 100) / 100.0 END,
        'labels', jsonb_build_object('team', 'team-' || c.n % 50), 'dataset', CASE WHEN c.n % 100 = 0 THEN 'birds' ELSE 'digits' END,
        'created_at', j.created_at - c.n * interval '1 minute',
        'finished_at', CASE WHEN c.state IN ('queued', 'running') THEN NULL ELSE j.created_at - c.n * interval '30 seconds' END))).*
    FROM copies c, jobs j WHERE j.id = :model;
    INSERT INTO searches SELECT c.id, CASE WHEN c.state = 'succeeded' THEN s.best || jsonb_build_object('test_accuracy', (c.n * 31 % 1000) / 1000.0,
        'flops', 4000000 + c.n * 97 % 5000, 'params', 300000 + c.n * 89 % 7000) END
    FROM copies c, searches s WHERE s.id = :model;
    INSERT INTO architectures SELECT (jsonb_populate_record(a, jsonb_build_object('id', CASE a.role WHEN 'winner' THEN c.winner ELSE c.control END,
        'search_id', c.id, 'flops', 4000000 + c.n * 97 % 5000, 'params', 300000 + c.n * 89 % 7000, 'loss', random(), 'test_accuracy', random(),
        'latency_ns', 1000 + c.n))).*
    FROM copies c, architectures a WHERE a.search_id = :model AND a.role IN ('winner', 'control');
    INSERT INTO trainings SELECT (jsonb_populate_record(t, jsonb_build_object('id', CASE t.network WHEN 'winner' THEN c.winners ELSE c.controls END,
        'job_id', c.id, 'architecture_id', CASE t.network WHEN 'winner' THEN c.winner ELSE c.control END, 'test_accuracy', random()))).*
    FROM copies c, trainings t WHERE t.job_id = :model;
    INSERT INTO steps SELECT (jsonb_populate_record(s, jsonb_build_object('id', uuidv7(), 'job_id', c.id,
        'training_id', CASE t.network WHEN 'winner' THEN c.winners ELSE c.controls END))).*
    FROM copies c, steps s JOIN trainings t ON t.id = s.training_id WHERE s.job_id = :model;
"""


def main(argv: list[str] | None = None) -> None:
    arguments = parse(argv)
    report.print_header("api_lists", torch.device("cpu"))
    with filled(lambda session: multiply(session, populate(session, WAITING + 1), arguments.searches)) as (
        _,
        _,
        sessions,
        _,
    ):
        rows = []
        with transaction(sessions) as session:
            for name, ask in asked(session, arguments.limit):
                rows.append([name, *measured(session, ask, arguments.rounds)])
                session.expunge_all()
    print(f"{arguments.searches:,} searches, pages of {arguments.limit}, {arguments.rounds} rounds\n")
    report.print_table(["asked", "least, ms", "median, ms", "CPU of PostgreSQL, ms"], rows)


def multiply(session: Session, model: UUID, count: int) -> None:
    """So many searches like the finished one."""
    for statement in _COPIES.split(";\n")[:-1]:
        session.execute(text(statement), _named(statement, count=count, model=model))


def _named(statement: str, **values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if f":{name}" in statement}


def measured(session: Session, ask: Ask, rounds: int) -> list[str]:
    """The least and the median of the times, and the mean of the CPU, which is counted in hundredths of a second."""
    backend = psutil.Process(session.scalars(select(func.pg_backend_pid())).one())
    ask(session)
    walls, before = [], sum(backend.cpu_times()[:2])
    for _ in range(rounds):
        began = time.perf_counter()
        ask(session)
        walls.append(1000 * (time.perf_counter() - began))
    computed = 1000 * (sum(backend.cpu_times()[:2]) - before) / rounds
    return [f"{figure:.0f}" for figure in (min(walls), statistics.median(walls), computed)]


def asked(session: Session, limit: int) -> Iterator[tuple[str, Ask]]:
    """Every order of each list, then every filter in the order of their making, then counts."""
    yield from _orders("searches", searches.ORDER, partial(searches.listing, where=Filter()), limit)
    yield from _orders("trainings", trainings.ORDER, partial(trainings.listing, which=trainings.Which()), limit)
    networks = partial(architecture_lists.listing, which=architecture_lists.Which())
    yield from _orders("architectures", architecture_lists.ORDER, networks, limit)
    at = At(limit=limit)
    for said, where in _filters(session).items():
        yield f"searches, {said}", partial(searches.listing, where=where, at=at)
        yield f"trainings, {said}", partial(trainings.listing, which=trainings.Which(where), at=at)
    for said, which in _of_networks().items():
        yield f"architectures, {said}", partial(architecture_lists.listing, which=which, at=at)
    for said, where in {"all": Filter(), **_filters(session)}.items():
        yield f"counts of searches, {said}", partial(jobs.counts, kind=JobKind.SEARCH, where=where)
    yield "counts of trainings", partial(trainings.counts, which=trainings.Which())


def _orders(name: str, order: Order, ask: Callable[..., object], limit: int) -> Iterator[tuple[str, Ask]]:
    for sort in order.offered:
        yield f"{name}, sort={sort}", partial(ask, at=At(sort, limit=limit))


def _filters(session: Session) -> dict[str, Filter]:
    now = clock(session)
    return {
        "state=running": Filter(states=[JobState.RUNNING]),
        "state=failed&state=cancelled": Filter(states=[JobState.FAILED, JobState.CANCELLED]),
        "dataset=birds": Filter(dataset="birds"),
        "dataset=birds@1": Filter(dataset="birds@1"),
        "label=team:team-7": Filter(labels={"team": "team-7"}),
        "label=team": Filter(keys=["team"]),
        "q=search 99": Filter(part="search 99"),
        "q of nothing": Filter(part="nothing is called so"),
        "ref=search 1": Filter(ref="search 1"),
        "created_after": Filter(created=Period(now, None)),
        "finished_before": Filter(finished=Period(None, now)),
        "project=default": Filter(project="default"),
    }


def _of_networks() -> dict[str, architecture_lists.Which]:
    return {
        "role=control": architecture_lists.Which(roles=[Role.CONTROL]),
        "dataset=birds": architecture_lists.Which(dataset="birds"),
        "flops_max": architecture_lists.Which(flops=Span(None, 4_000_100)),
        "accuracy_min": architecture_lists.Which(accuracy=Span(0.999, None)),
        "latency_ms_max": architecture_lists.Which(latency_ns=Span(None, 1_100)),
        "q of nothing": architecture_lists.Which(part="nothing is called so"),
    }


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=10_000)
    parser.add_argument("--limit", type=int, default=100, help="rows of a page")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
