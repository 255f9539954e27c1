"""The page of one search: what it says of one that has succeeded, failed, waits or was cancelled, and what can be done to it."""

from __future__ import annotations

import ast
import json
import re
import shlex
import time
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Route, expect

from dna_engine.events import Log
from store import claims, flow, keys
from store.limits import Scope
from store.session import transaction
from store.tables import Job
from tests.browser import hostile
from tests.browser.access import too_wide, violations
from tests.browser.conftest import Opened
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.filled import ERROR
from tests.browser.service import Service
from tests.store.builders import new_worker, queued, take

TABS = ["losses", "ratings", "frontier", "pictures", "timeline", "log", "spec"]


def route(search: str, tab: str = "", **query: str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in {**({"tab": tab} if tab else {}), **query}.items())
    return f"#/searches/{search}" + (f"?{asked}" if asked else "")


def new(service: Service, **fields: object) -> str:
    return str(service.post("/searches", dataset="digits", **fields)["id"])


def test_what_was_found_stands_beside_what_it_is_worth(dashboard: Dashboard) -> None:
    service = dashboard.service
    page = dashboard.open(route(service.ids.other))
    beside = page.get_by_role("region", name="The winner beside the others")
    for network in ("Winner", "Control", "lcnet_100"):
        row = beside.locator("tbody tr").filter(has=page.get_by_role("link", name=network, exact=True))
        expect(row).to_contain_text(re.compile(r"99\.0%\s*94\.6–99\.8%"))
        expect(row.get_by_role("img", name=re.compile(rf"{network}: 99\.0%, 95% interval"))).to_be_visible()
    for said in [
        service.get(f"/searches/{service.ids.other}")["comparison"]["says"],
        *(each["says"] for each in service.get(f"/searches/{service.ids.other}")["beside"]),
    ]:
        expect(beside).to_contain_text(said)
    costs = page.get_by_role("region", name="What it costs")
    expect(costs.get_by_role("listitem").first).to_contain_text(re.compile(r"of at most 600 k \(\d+%\)"))
    expect(page.get_by_role("region", name="What it learned from")).to_contain_text("resnet10t")
    expect(page.get_by_role("region", name="By class")).to_contain_text("98.0%")
    expect(page.get_by_role("list", name="Phases").get_by_role("listitem")).to_have_text(
        [
            re.compile(f"{phase}: done")
            for phase in ("Teacher", "Distil", "Rate", "Finalists", "Select", "Train", "Export")
        ]
    )


def test_the_winner_is_downloaded_and_leads_on(dashboard: Dashboard) -> None:
    page = dashboard.open(route(dashboard.service.ids.search))
    following = page.get_by_role("region", name="What next")
    with page.expect_download() as download:
        following.get_by_role("button", name=re.compile(r"^ONNX \(")).click()
    assert download.value.suggested_filename.endswith(".onnx")
    expect(following).to_contain_text(f"dna serve {dashboard.service.ids.network}")
    following.get_by_role("link", name="Open the frontier").click()
    expect(page).to_have_url(re.compile("tab=frontier"))


@pytest.mark.parametrize("tab", TABS)
def test_every_part_is_reached_by_all_and_on_a_narrow_screen(opened: Opened, running: Service, tab: str) -> None:
    with opened(running, viewport={"width": 360, "height": 800}) as dashboard:
        page = dashboard.open(route(running.ids.search, tab))
        expect(page.get_by_role("navigation", name="Parts of the search").locator("[aria-current]")).to_have_count(1)
        expect(page.locator("main .empty", has_text=re.compile("^Reading"))).to_have_count(0, timeout=PATIENCE)
        assert violations(page) == []
        assert too_wide(page) == []


def test_a_failed_one_says_why_and_what_to_do(dashboard: Dashboard) -> None:
    page = dashboard.open(route(dashboard.service.ids.failed))
    failure = page.get_by_role("alert")
    expect(failure).to_contain_text(ERROR)
    expect(failure).to_contain_text("resume it")
    failure.get_by_text("The last lines of its log").click()
    expect(failure.locator(".log-line")).to_contain_text(["error: " + ERROR])
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    failure.get_by_role("link", name="teacher").click()
    expect(page.get_by_label("Step")).to_have_value("teacher")
    expect(page.get_by_role("log")).to_contain_text(f"failed: {ERROR}")


def test_one_that_would_fail_again_is_not_resumed(dashboard: Dashboard) -> None:
    service, at_fault = dashboard.service, {"code": "infeasible_budget", "param": "budget.flops"}
    with transaction(service.sessions) as session:
        job = session.get_one(Job, UUID(service.ids.failed))
        before = job.error
        job.error = {**(before or {}), **at_fault}
    try:
        page = dashboard.open(route(service.ids.failed))
        expect(page.get_by_role("alert")).to_contain_text("clone it with another value of budget.flops")
        expect(page.get_by_role("button", name="Delete")).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_have_count(0)
    finally:
        with transaction(service.sessions) as session:
            session.get_one(Job, UUID(service.ids.failed)).error = before


def test_one_that_waits_says_for_what_and_every_part_what_would_bring_it(dashboard: Dashboard) -> None:
    waiting = dashboard.service.ids.queued
    page = dashboard.open(route(waiting))
    expect(page.get_by_role("status").filter(has_text="of those that wait")).to_contain_text(
        re.compile(r"It begins by itself, as (the next|number \d+) of those that wait")
    )
    for tab, says in {
        "losses": "Losses appear when distillation begins; the teacher comes first. The search has not begun yet.",
        "ratings": "Ratings appear when every path of every cell is rated",
        "pictures": "The pictures are drawn at the end of the search",
        "timeline": "No worker has taken a step of it yet.",
    }.items():
        dashboard.open(route(waiting, tab))
        expect(page.locator("main")).to_contain_text(says)


def test_one_that_is_not_there_says_so(dashboard: Dashboard) -> None:
    dashboard.expect("answered 404: GET /searches/00000000")
    page = dashboard.open(route("00000000-0000-7000-8000-000000000000"))
    expect(page.locator("main")).to_contain_text("There is no search of this id")


def test_it_is_cancelled_resumed_and_deleted(dashboard: Dashboard) -> None:
    search = new(dashboard.service, name="to be steered")
    page = dashboard.open(route(search))
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the search").click()
    expect(page.locator(".job-facts .state")).to_have_text("cancelled")
    expect(page.get_by_role("button", name="Priority")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".job-facts .state")).to_have_text("queued")
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the search").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("With it go its ratings, its networks with their files")
    page.route(f"**/searches/{search}", answered_late)
    dialog.get_by_role("button", name="Delete the search").click()
    expect(page.get_by_role("heading", name="Searches", level=1)).to_be_visible(timeout=PATIENCE)
    assert httpx.get(f"{dashboard.service.url}/searches/{search}").status_code == 404


def answered_late(of: Route) -> None:
    """So that a page that goes on asking for what it has deleted is caught at it."""
    answer = of.fetch()
    time.sleep(1)
    of.fulfill(response=answer)


def test_it_is_renamed_and_labelled(dashboard: Dashboard) -> None:
    search = new(dashboard.service, name="before", labels={"team": "vision", "old": "1"})
    page = dashboard.open(route(search))
    page.get_by_role("button", name="Name and labels").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("after")
    dialog.get_by_role("button", name="Take away label 1").click()
    dialog.get_by_role("button", name="Add a label").click()
    dialog.get_by_label("Label 2, key").fill("for")
    dialog.get_by_label("Label 2, value").fill("phone")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="after", level=1)).to_be_visible()
    expect(page.locator(".job-facts")).not_to_contain_text("priority")
    page.get_by_role("button", name="Priority", exact=True).click()
    dialog = page.get_by_role("dialog", name="Priority")
    expect(dialog.get_by_label("normal")).to_be_checked()
    dialog.get_by_label("high").check()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".job-facts")).to_contain_text("high priority")
    found = dashboard.service.get(f"/searches/{search}")
    assert (found["name"], found["priority"]) == ("after", "high")
    assert found["labels"] == {"team": "vision", "for": "phone"} or found["labels"] == {"old": "1", "for": "phone"}
    page.get_by_role("link", name="Clone", exact=True).click()
    expect(page).to_have_url(re.compile(rf"#/searches/new\?from={search}"))


def test_a_key_that_may_only_read_is_offered_nothing_to_do(opened: Opened, closed: Service) -> None:
    with transaction(closed.sessions) as session:
        _, secret = keys.create(session, "a reader", project="default", scopes=[Scope.READ])
    with opened(closed) as dashboard:
        dashboard.page.goto(f"{closed.url}/healthz")
        dashboard.page.evaluate("key => sessionStorage.setItem('dna-key', key)", secret)
        page = dashboard.open(route(closed.ids.failed))
        expect(page.locator(".job-head")).to_contain_text("your key may only look")
        expect(page.get_by_role("button", name=re.compile("Resume|Delete|Cancel|Name"))).to_have_count(0)


def test_what_it_was_asked_for_is_there_as_commands_that_ask_for_the_same(dashboard: Dashboard) -> None:
    name = 'it\'s \\ "quoted" $HOME'
    search = new(dashboard.service, name=name, budget={"flops": 1_200_000}, augment=False, labels={"é": "true"})
    page = dashboard.open(route(search, "spec"))
    written = dashboard.service.get(f"/searches/{search}")["written"]

    def shown(label: str) -> str:
        return page.get_by_label(label, exact=True).inner_text()

    assert json.loads(shown("JSON")) == written
    [body] = re.findall(r"create_search\((\{.*\n    \})\)", shown("Python"), re.DOTALL)
    assert ast.literal_eval(body) == written
    *_, sent = shlex.split(shown("curl").replace("\\\n", ""))
    assert json.loads(sent) == written
    [sent] = re.findall(r"<<'END'\n(.*)\nEND$", shown("dna"), re.DOTALL)
    assert json.loads(sent) == written


# An attempt at a step ends in ways that the timeline tells apart.


def test_the_timeline_tells_who_did_what_and_how_it_ended(dashboard: Dashboard) -> None:
    service = dashboard.service
    search = new(service, name="tried again and again")
    with transaction(service.sessions) as session:
        [step] = queued(session, session.get_one(Job, UUID(search)))
        crash = {"code": "crashed", "message": "It crashed.", "param": None}
        flow.fail(
            session, take(session, step, new_worker(session, hostname="first")), crash, engine_seconds=1, retry=True
        )
        second = take(session, step, new_worker(session, hostname="second"))
        claims.ask_to_yield(session, step.id, second.fence, "a small job has waited for 7 min")
        flow.stop(session, second, engine_seconds=1)
        take(session, step, new_worker(session, hostname="third"))
    page = dashboard.open(route(search, "timeline"))
    bars = page.get_by_role("group", name=re.compile("Attempts at steps by worker"))
    expect(bars.locator(".bar")).to_have_count(3, timeout=PATIENCE)
    expect(bars.locator(".bars-name")).to_have_text(["first · cpu", "second · cpu", "third · cpu", ""])
    bars.locator(".bar-failed").focus()
    expect(bars.locator(".bars-says")).to_contain_text("teacher, attempt 1 on first · cpu: failed, after")
    page.keyboard.press("ArrowRight")
    expect(bars.locator(".bars-says")).to_contain_text(
        re.compile(
            r"attempt 2 on second · cpu: given back with a checkpoint, after .+: a small job has waited for 7 min$"
        )
    )
    page.keyboard.press("End")
    expect(bars.locator(".bars-says")).to_contain_text("attempt 2 on third · cpu: running")
    page.get_by_role("region", name="Who did what, when").get_by_text("As a table").click()
    rows = page.get_by_role("region", name="Attempts at steps").locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("failed")
    expect(rows.nth(1)).to_contain_text("given back with a checkpoint: a small job has waited for 7 min")


# Ratings.


def test_ratings_are_walked_by_keys_and_pointed_at(dashboard: Dashboard) -> None:
    service = dashboard.service
    page = dashboard.open(route(service.ids.search, "ratings"))
    cells = service.get(f"/searches/{service.ids.search}/ratings/strips")["cells"]
    strips = page.locator(".strip")
    expect(strips).to_have_count(len(cells), timeout=PATIENCE)
    first, best = strips.first, cells[0]["items"][0]
    expect(first).to_contain_text(f"{cells[0]['paths']} candidates")
    expect(first).to_contain_text("lower, to the left, is better")
    meaning = page.get_by_role("group").filter(has_text="What b1c2 and the names of the ops mean")
    meaning.locator("summary").press("Enter")
    expect(meaning.get_by_role("definition")).to_contain_text(["block 1, cell 2", "kernels of 3×3 pixels"])
    marks = first.get_by_role("slider")
    marks.press("Home")
    expect(first.locator(".strip-says")).to_contain_text(f"umber 1 of {cells[0]['paths']}")
    expect(first.locator(".strip-says")).to_contain_text(", ".join(best["ops"]))
    marks.press("End")
    expect(first.locator(".strip-says")).to_contain_text(f"umber {cells[0]['items'][-1]['rank']} of")
    marks.hover(position={"x": 6, "y": 20})
    expect(marks).to_have_attribute("aria-valuetext", re.compile("umber"))
    chosen = page.locator(".strip", has_text="the winner takes this cell")
    expect(chosen).to_have_count(len({cell["block"] for cell in cells}))
    page.get_by_label("Coloured by the op of").select_option("layer 2")
    expect(page.get_by_role("list", name="Colours of the ops").get_by_role("listitem").first).to_be_visible()


def test_hostile_names_are_text_in_every_part(dashboard: Dashboard) -> None:
    named = hostile.fill(dashboard.service)
    for search in (named.search, named.failed):
        for tab in ("", *TABS):
            dashboard.open(route(search, tab))
            dashboard.page.wait_for_timeout(100)
            hostile.check(dashboard.page)
    page = dashboard.open(route(named.search))
    page.get_by_role("button", name="Delete", exact=True).click()
    hostile.check(page)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Name and labels").click()
    hostile.check(page)


def test_escape_sequences_in_a_log_are_seen_and_not_obeyed(dashboard: Dashboard) -> None:
    search = new(dashboard.service, name="noisy")
    with transaction(dashboard.service.sessions) as session:
        [step] = queued(session, session.get_one(Job, UUID(search)))
        claim = take(session, step, new_worker(session))
        flow.report(session, claim, [Log(message="\x1b[31mred\x07\u202eback\nand below")], engine_seconds=1)
    page = dashboard.open(route(search, "log"))
    expect(page.locator(".log-message", has_text="red")).to_have_text("\\x1b[31mred\\x07\\u202eback\nand below")
