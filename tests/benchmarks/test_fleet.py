"""What many workers cost and how long searches wait among them: the sums of the simulation, and a node that asks what a node asks."""

from __future__ import annotations

import pytest

from benchmarks import api_lists, nodes, queue, scaling
from tests.benchmarks.test_benchmarks import cells

Output = pytest.CaptureFixture[str]


def test_a_day_of_searches_by_each_order(capsys: Output) -> None:
    """Of a fleet that is not full: splitting over idle GPUs alone does not repeat the teacher where others wait."""
    scaling.main(["--gpus", "4", "--searches", "300"])
    text = capsys.readouterr().out
    assert "300 searches in a day on 4 GPUs" in text
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "| small " in line]
    longest = {(row[0], row[1]): float(row[6]) for row in rows}
    assert len(longest) == 6
    assert longest["yield", "idle"] <= longest["age", "live"]


def test_all_work_is_done_once_and_yielding_loses_none() -> None:
    for policy in ("age", "turns", "yield"):
        fleet, day = scaling.Fleet(3, policy, "idle"), list(scaling.asked(120, seed=1))
        fleet.run(day)
        assert all(search.ended is not None and search.open == 0 for search in day)
        assert sorted(fleet.idle) == [0, 1, 2]
        least = sum(search.size.seconds for search in day)
        assert least < fleet.worked


def test_nodes_that_work_are_counted(capsys: Output) -> None:
    nodes.main(["--nodes", "1", "--seconds", "3"])
    connections, transactions, *_ = cells(capsys.readouterr().out, "1 ")
    assert int(connections.split()[0]) >= 2
    assert float(transactions) > 1


def test_a_long_queue_is_asked_for_all_that_is_asked_of_it(capsys: Output) -> None:
    queue.main(["--jobs", "60", "--keys", "20", "--workers", "1", "--claims", "2", "--rounds", "1"])
    text = capsys.readouterr().out
    assert "60 queued jobs of 20 keys" in text
    assert {"claims, one worker", "GET /searches/{id}"} <= {
        line.strip("|").split("|")[0].strip() for line in text.splitlines()
    }


def test_lists_are_asked_in_every_order_and_under_every_filter(capsys: Output) -> None:
    api_lists.main(["--searches", "30", "--limit", "5", "--rounds", "1"])
    text = capsys.readouterr().out
    assert "30 searches, pages of 5" in text
    assert len(cells(text, "trainings, sort=-finished_at")) == 3
