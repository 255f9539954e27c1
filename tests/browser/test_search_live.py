"""The page of a search while it runs: everything comes by its stream, without a reload, without a gap and without anything told twice."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert, text

from dna_engine.events import Log, Metric, Progress
from dna_engine.plans import Phase, plan_of
from dna_engine.spec import parse_job
from store import flow, runs
from store.claims import Claim
from store.session import transaction
from store.tables import Job, MetricRun
from tests.api.builders import finish, finish_phase
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.service import Service
from tests.store.builders import new_worker, queued, take

#: Six, five and five cells: sixteen.
SPACE: dict[str, Any] = {
    "name": "wide",
    "ops": ["mb3_3x3", "mb6_3x3"],
    "blocks": [
        {"stride": 2, "cells": [{"depth": 1, "width": 8 * width}] * cells} for width, cells in ((1, 6), (2, 5), (3, 5))
    ],
    "stem_width": 16,
    "first_width": 16,
    "head_width": 64,
}
POINTS = 500_000
CELLS = 16

_POINTS = text(
    "INSERT INTO metrics (job_id, series, x, y) SELECT :job, :series, x, CASE WHEN x = 20000 THEN 77 ELSE 1 / x::float8 END "
    "FROM generate_series(1, :points) AS x"
)


@pytest.fixture(scope="module")
def running(mortal: Service) -> Service:
    return mortal


def new(service: Service, **fields: Any) -> str:
    return str(service.post("/searches", dataset="digits", **fields)["id"])


def claimed(service: Service, search: str) -> Claim:
    """The first step that can be, taken by a worker."""
    with transaction(service.sessions) as session:
        step, *_ = queued(session, session.get_one(Job, UUID(search)))
        return take(session, step, new_worker(session, hostname="gpu-1"))


def report(service: Service, claim: Claim, *said: Log | Metric | Progress) -> None:
    with transaction(service.sessions) as session:
        flow.report(session, claim, said, engine_seconds=1)


def lines(page: Page, containing: str) -> Locator:
    return page.locator(".log-message", has_text=containing)


def test_it_is_watched_from_asked_for_to_its_end(dashboard: Dashboard) -> None:
    service = dashboard.service
    search = new(service, name="watched", select={"finalists": 0})
    page = dashboard.open(f"#/searches/{search}")
    page.evaluate("window.__same = true")
    state, phases = page.locator(".job-facts .state"), page.get_by_role("list", name="Phases")
    expect(state).to_have_text("queued")
    claim = claimed(service, search)
    expect(state).to_have_text("running", timeout=PATIENCE)
    report(service, claim, Progress(done=30, total=40, eta_seconds=100))
    expect(phases.get_by_role("listitem").first).to_contain_text("75%")
    expect(page.locator(".job-going")).to_contain_text("Teacher")
    with transaction(service.sessions) as session:
        flow.stop(session, claim, engine_seconds=1)
        worker = new_worker(session)
        resolved = parse_job(session.get_one(Job, UUID(search)).resolved)
    beside = page.get_by_role("region", name="The winner beside the others")
    for phase in plan_of(resolved).phases:
        finish_phase(service.sessions, service.blobs, UUID(search), phase, worker)
        if phase == Phase.SELECT:
            expect(beside.get_by_role("link", name="Winner")).to_be_visible(timeout=PATIENCE)
            expect(beside).to_contain_text("not trained yet")
    expect(state).to_have_text("succeeded", timeout=PATIENCE)
    expect(beside).to_contain_text("99.0%", timeout=PATIENCE)
    expect(
        page.get_by_role("region", name="What next").get_by_role("button", name=re.compile(r"^ONNX \("))
    ).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_title("watched · DNA AutoML")
    assert page.evaluate("window.__same")


def test_points_come_as_they_are_reported_and_what_is_hidden_stays_hidden(dashboard: Dashboard) -> None:
    service = dashboard.service
    search = new(service)
    finish(service.sessions, service.blobs, UUID(search), until=Phase.TEACHER)
    page = dashboard.open(f"#/searches/{search}?tab=losses")
    panel = page.get_by_role("region", name="Loss of the cells")
    expect(panel).to_contain_text("Losses appear when distillation begins")
    claim = claimed(service, search)
    cell = claim.step.cells[0]
    report(service, claim, *(Metric(series=f"distill/{cell}/loss", x=x, y=1 / x) for x in range(1, 6)))
    panel.get_by_text("As a table").click(timeout=PATIENCE)
    row = panel.locator("tbody tr", has_text=cell)
    expect(row).to_contain_text("step 5")
    panel.get_by_role("button", name=cell, exact=True).click()
    expect(page).to_have_url(re.compile(f"hide={cell}"))
    # The last point again, as after a checkpoint, and one more.
    report(service, claim, *(Metric(series=f"distill/{cell}/loss", x=x, y=1 / x) for x in (5, 6)))
    expect(row).to_contain_text("step 6", timeout=PATIENCE)
    expect(row.locator("td").nth(1)).to_have_text("6")
    expect(panel.get_by_role("button", name=cell, exact=True)).to_have_attribute("aria-pressed", "false")


def test_nothing_is_missed_or_told_twice_over_a_restart(dashboard: Dashboard) -> None:
    service = dashboard.service
    search = new(service)
    claim = claimed(service, search)
    report(service, claim, *(Log(message=f"line {number} of the log") for number in range(3)))
    page = dashboard.open(f"#/searches/{search}?tab=log")
    expect(lines(page, "of the log")).to_have_count(3, timeout=PATIENCE)
    report(service, claim, Log(message="line 3 of the log"))
    expect(lines(page, "of the log")).to_have_count(4)
    dashboard.expect("(failed|ERR_).*")
    service.process.kill()
    report(
        service,
        claim,
        *(Log(message=f"line {number} of the log") for number in range(4, 700)),
        Progress(done=1, total=2),
    )
    expect(page.locator(".live-lost")).to_be_visible(timeout=PATIENCE)
    service.process.__enter__()
    expect(lines(page, "of the log").last).to_have_text("line 699 of the log", timeout=PATIENCE)
    expect(page.locator(".live-live")).to_be_visible()
    report(service, claim, Log(message="line 700 of the log"))
    expect(lines(page, "of the log").last).to_have_text("line 700 of the log")
    assert lines(page, "of the log").all_text_contents() == [f"line {number} of the log" for number in range(701)]


def test_a_long_log_opens_at_its_end_and_follows_it_unless_one_reads_above(dashboard: Dashboard) -> None:
    service = dashboard.service
    search = new(service)
    claim = claimed(service, search)
    report(service, claim, *(Log(message=f"line {number} of the log") for number in range(1000)))
    page = dashboard.open(f"#/searches/{search}?tab=log")
    log = page.get_by_role("log")
    expect(lines(page, "line 999 of the log")).to_be_in_viewport(timeout=PATIENCE)
    assert lines(page, "of the log").count() <= 200
    report(service, claim, Log(message="line 1000 of the log"))
    expect(lines(page, "line 1000 of the log")).to_be_in_viewport()
    log.evaluate("element => { element.scrollTop = 0; }")
    page.get_by_role("button", name="Show earlier lines").click()
    expect(lines(page, "line 700 of the log")).to_have_count(1)
    report(service, claim, Log(message="line 1001 of the log"))
    expect(lines(page, "line 1001 of the log")).to_have_count(1)
    expect(lines(page, "line 1001 of the log")).not_to_be_in_viewport()
    page.get_by_label("Step").select_option("teacher")
    expect(lines(page, "line 1001 of the log")).to_be_in_viewport(timeout=PATIENCE)


def test_sixteen_cells_with_half_a_million_points_are_thinned_and_whole_where_one_looks(dashboard: Dashboard) -> None:
    service = dashboard.service
    search = new(service, space=SPACE)
    points = [(float(x), 77.0 if x == 20_000 else 1 / x) for x in range(1, POINTS // CELLS + 1)]
    names = [
        f"distill/b{block}c{cell}/loss" for block, cells in ((1, 6), (2, 5), (3, 5)) for cell in range(1, cells + 1)
    ]
    with transaction(service.sessions) as session:
        for name in names:
            session.execute(_POINTS, {"job": search, "series": name, "points": len(points)})
            session.execute(
                insert(MetricRun), [{"job_id": UUID(search), "series": name} | run for run in runs.cut(points)]
            )
    page = dashboard.open(f"#/searches/{search}?tab=losses")
    panel = page.get_by_role("region", name="Loss of the cells")
    panel.get_by_text("As a table").click(timeout=PATIENCE)
    rows = panel.locator("tbody tr")
    expect(rows).to_have_count(CELLS)
    expect(rows.last).to_contain_text("77 step 20,000")
    assert int(rows.last.locator("td").nth(1).inner_text().replace(",", "")) <= 1000
    panel.get_by_role("button", name="Block 1").click()
    panel.get_by_role("button", name="b2c1", exact=True).click()
    hidden = panel.locator(".legend-line[aria-pressed=false]")
    expect(hidden).to_have_count(8)
    expect(hidden.first).not_to_have_css("text-decoration-line", "line-through")
    dashboard.open(f"#/searches/{search}?tab=losses&from=19990&to=20010")
    panel.get_by_text("As a table").click(timeout=PATIENCE)
    expect(rows.last.locator("td").nth(1)).to_have_text("21")
    chart = panel.get_by_role("group", name=re.compile("^Loss of each cell by training step"))
    chart.press("+")
    expect(rows.last.locator("td").nth(1)).not_to_have_text("21")
    panel.get_by_role("button", name="Show all").click()
    expect(rows.last).to_contain_text("step 31,250")
    expect(page).not_to_have_url(re.compile("from="))
