"""Pages find back: from answers that come late or not at all, from what is gone, from files that are not there."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from store import keys
from store.limits import Scope
from store.session import transaction
from tests.browser.conftest import Opened
from tests.browser.dashboard import Dashboard
from tests.browser.service import Service


def test_a_late_answer_to_what_nobody_asks_any_more_changes_nothing(dashboard: Dashboard) -> None:
    page, held = dashboard.page, []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/trainings?*q=zzz*", hold)
    page.goto(f"{dashboard.service.url}/#/trainings?q=zzz")
    page.wait_for_function("() => document.querySelector('main h1')")
    expect(page.locator("main [aria-busy=true]")).to_have_count(1)
    page.goto(f"{dashboard.service.url}/#/trainings?q=winner")
    rows = page.get_by_role("row").filter(has_text="the winner again")
    expect(rows).to_have_count(1)
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)
    expect(rows).to_have_count(1)


def test_a_log_that_could_not_be_read_is_read_when_it_can_be(dashboard: Dashboard) -> None:
    page, failing = dashboard.page, [True]

    def fail(route: Route) -> None:
        if failing[0]:
            route.fulfill(
                status=503, content_type="application/problem+json", body='{"detail": "The database does not answer."}'
            )
        else:
            route.continue_()

    page.route("**/events/list*", fail)
    dashboard.expect("^answered 503: GET /searches/.*/events/list")
    dashboard.open(f"#/searches/{dashboard.service.ids.running}?tab=log")
    expect(page.get_by_text("The database does not answer.").first).to_be_visible()
    failing[0] = False
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_role("log")).to_contain_text("Distilling half of the cells.")


def test_what_was_deleted_elsewhere_goes_from_its_page(dashboard: Dashboard) -> None:
    service = dashboard.service
    page = dashboard.open(f"#/searches/{service.ids.cancelled}")
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    httpx.delete(f"{service.url}/searches/{service.ids.cancelled}").raise_for_status()
    dashboard.expect("^answered 404: GET /searches/")
    dashboard.page.reload()
    expect(page.locator("main")).to_contain_text("it was deleted, or it belongs to another project")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)


@pytest.mark.parametrize(
    ("file", "route"),
    [("pages/workers.js", "#/workers"), ("pages/search/ratings.js", "#/searches/{search}?tab=ratings")],
    ids=["a page", "a part of a page"],
)
def test_a_file_that_is_not_there_is_said_and_not_asked_for_again_and_again(
    dashboard: Dashboard, file: str, route: str
) -> None:
    page = dashboard.page
    page.route(f"**/{file}", lambda route: route.fulfill(status=404))
    dashboard.expect(f"^answered 404: GET /static/[0-9a-f]+/dashboard/{file}")
    page.goto(f"{dashboard.service.url}/{route.format(search=dashboard.service.ids.search)}")
    expect(page.get_by_role("alert")).to_contain_text("A file of this page cannot be read")
    asked = [request for request in dashboard.watch.requests if request.endswith(f"/{file}")]
    page.wait_for_timeout(2000)
    assert [request for request in dashboard.watch.requests if request.endswith(f"/{file}")] == asked
    assert len(asked) <= 4
    page.unroute(f"**/{file}")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("main h1").first).to_be_visible()


def test_a_proxy_that_loses_every_second_answer_is_not_asked_without_end(dashboard: Dashboard) -> None:
    page, asked = dashboard.page, []

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) % 2:
            route.fulfill(status=502)
        else:
            route.continue_()

    page.goto(f"{dashboard.service.url}/healthz")
    page.route(re.compile(r"/(workers|keys|settings|system|searches|projects)\b[^#]*$"), lose)
    dashboard.expect("^answered 502: GET /")
    page.goto(f"{dashboard.service.url}/#/workers")
    expect(page.get_by_text("Connection lost: trying again")).to_be_visible()
    page.wait_for_timeout(2500)
    assert len(asked) <= 15, asked
    page.unroute_all()
    expect(page.get_by_text("Connection lost: trying again")).to_have_count(0)


def test_odd_addresses_lead_somewhere(dashboard: Dashboard) -> None:
    for route in ("#/", "#?", "#/searches/..", "#//searches", "#/./searches"):
        page = dashboard.open(route)
        expect(page.get_by_role("heading", name="Searches", exact=True)).to_be_visible()


def test_who_may_only_read_is_offered_nothing_else_on_datasets(closed: Service, opened: Opened) -> None:
    key = _key(closed, "read")
    with opened(closed) as dashboard:
        dashboard.page.goto(f"{closed.url}/healthz")
        dashboard.page.evaluate("key => sessionStorage.setItem('dna-key', key)", key)
        page = dashboard.open("#/datasets")
        expect(page.get_by_role("row").filter(has_text="birds")).to_be_visible()
        expect(page.get_by_role("button", name="Choose a folder")).to_have_count(0)
        page = dashboard.open("#/datasets/birds")
        expect(page.get_by_role("heading", name="Check")).to_be_visible()
        expect(page.get_by_role("button", name="Delete")).to_have_count(0)
        expect(page.get_by_role("link", name="Search on it")).to_have_count(0)


def test_lines_of_one_name_are_switched_one_by_one(dashboard: Dashboard) -> None:
    """Also where they are called as what every object has."""
    service = dashboard.service
    searches = [service.ids.search, service.ids.other]
    for search in searches:
        httpx.patch(
            f"{service.url}/searches/{search}",
            json={"name": "constructor"},
            headers={"content-type": "application/merge-patch+json"},
        ).raise_for_status()
    page = dashboard.open(f"#/compare?searches={searches[0]}&searches={searches[1]}")
    lines: Any = _lines(page)
    expect(lines).to_have_count(2)
    for place, shown in ((0, "true"), (1, "true")):
        expect(lines.nth(place)).to_have_attribute("aria-pressed", shown)
    lines.nth(0).click()
    expect(lines.nth(0)).to_have_attribute("aria-pressed", "false")
    expect(lines.nth(1)).to_have_attribute("aria-pressed", "true")


def _lines(page: Page) -> Any:
    return page.locator(".legend").first.get_by_role("button", name="constructor")


def _key(service: Service, *scopes: str) -> str:
    with transaction(service.sessions) as session:
        return keys.create(session, "reader", project="default", scopes=tuple(map(Scope, scopes)))[1]
