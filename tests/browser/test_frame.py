"""What stands around every page: the ways to the others, and whether the service answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opened
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.service import Service

#: What the browser says while there is no service; of what was asked as it died, that too.
AWAY = "failed with net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)"


@pytest.fixture(scope="module")
def running(mortal: Service) -> Service:
    return mortal


def test_each_way_leads_to_its_page_and_says_where_one_is(dashboard: Dashboard) -> None:
    page = dashboard.open("#/projects")
    expect(page.locator(".begins")).to_have_count(0)  # It says that nothing has come.
    ways = page.get_by_role("navigation", name="Main").get_by_role("link")
    for name in ways.all_inner_texts():
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=PATIENCE)
        expect(page.locator("nav[aria-label=Main] [aria-current=page]")).to_have_text(name)
        expect(page.locator("#main")).to_be_focused()


def test_an_address_of_no_page_leads_back(dashboard: Dashboard) -> None:
    dashboard.page.goto(f"{dashboard.service.url}/#/nowhere/at/all")
    dashboard.page.get_by_role("link", name="See the searches.").click()
    expect(dashboard.page.get_by_role("heading", name="Searches")).to_be_visible()


@pytest.mark.parametrize("route", ["#/searches", "#/projects"], ids=["with a stream", "without one"])
def test_a_service_that_is_away_is_waited_for(dashboard: Dashboard, route: str) -> None:
    page, service = dashboard.open(route), dashboard.service
    expect(page.locator("tbody tr").first).to_be_visible()
    dashboard.expect(AWAY)
    if route == "#/searches":
        expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible()
        dashboard.expect("ERR_INCOMPLETE_CHUNKED_ENCODING: GET /changes")
    service.process.kill()
    try:
        if route == "#/projects":
            page.get_by_role("link", name="Keys").click()  # Something is asked for, and does not come.
        expect(page.get_by_text("Connection lost: trying again")).to_be_visible(timeout=PATIENCE)
    finally:
        service.process.__enter__()
    expect(page.get_by_text("Connection lost: trying again")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("tbody tr").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_on_a_phone_the_ways_fold_into_a_menu(running: Service, opened: Opened) -> None:
    with opened(running, viewport={"width": 360, "height": 740}) as phone:
        page = phone.open("#/searches")
        ways = page.get_by_role("navigation", name="Main")
        expect(ways).to_be_hidden()
        menu = page.get_by_role("button", name="Menu")
        menu.click()
        expect(menu).to_have_attribute("aria-expanded", "true")
        ways.get_by_role("link", name="Workers").click()
        expect(page.get_by_role("heading", name="Workers")).to_be_visible()
        expect(ways).to_be_hidden()
        menu.click()
        page.keyboard.press("Escape")
        expect(ways).to_be_hidden()


@pytest.mark.parametrize("width", [360, 3840])
def test_no_page_is_wider_than_its_screen(running: Service, opened: Opened, width: int) -> None:
    ids = running.ids
    compare = f"compare?searches={ids.search}&searches={ids.other}&all=1"
    with opened(running, viewport={"width": width, "height": 900}, color_scheme="dark") as screen:
        for route in (compare, "settings", "keys", f"webhooks/{ids.webhook}", "projects"):
            page = screen.open(f"#/{route}")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, route
