"""The front page: the list of searches, its filters in the address, and what is done with several searches at once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from store.session import transaction
from store.tables import Search
from tests.browser import hostile
from tests.browser.conftest import Opened
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.filled import ERROR
from tests.browser.hostile import NAMES
from tests.browser.service import Service


def row(page: Page, name: str) -> Locator:
    return page.locator("tbody tr").filter(has=page.get_by_role("link", name=name, exact=True))


def names(page: Page) -> list[str]:
    return page.locator("tbody .named a").all_inner_texts()


def chip(page: Page, state: str) -> Locator:
    return page.get_by_role("group", name="States").get_by_role("button", name=state)


def cancelled(service: Service, name: str, **fields: str) -> str:
    search = str(service.post("/searches", dataset="digits", name=name, **fields)["id"])
    service.post(f"/searches/{search}/cancel")
    return search


def test_it_says_of_each_what_it_is_about_and_how_it_stands(dashboard: Dashboard) -> None:
    page = dashboard.open("#/searches")
    found = row(page, "digits on a phone")
    expect(found).to_contain_text("succeeded")
    expect(found).to_contain_text("resnet10t")
    expect(found).to_contain_text("1.05 M FLOPs")
    expect(found).to_contain_text(re.compile(r"99\.0%\s*94\.6–99\.8%\s*control 99\.0%\s*equal to its control"))
    expect(found.get_by_role("link", name="digits on a phone")).to_have_attribute(
        "href", f"#/searches/{dashboard.service.ids.search}"
    )
    expect(row(page, "digits, later")).to_contain_text(re.compile(r"number \d in the queue"))
    expect(row(page, "digits, slowly")).to_contain_text("distill")
    expect(row(page, "digits, slowly").get_by_label("Progress of digits, slowly")).to_be_visible()


@pytest.mark.parametrize(
    ("control", "said", "doubt"),
    [(0.5, "above its control", 0), (1.0, "below its control", 1), (0.98, "above its control", 1)],
)
def test_a_winner_below_its_control_is_told_as_such(
    dashboard: Dashboard, control: float, said: str, doubt: int
) -> None:
    """In words: neither a colour nor the winner's own figure says it."""
    with transaction(dashboard.service.sessions) as session:
        session.get_one(Search, UUID(dashboard.service.ids.other)).control_accuracy = control
    found = row(dashboard.open("#/searches?q=watch"), "digits on a watch")
    expect(found).to_contain_text(re.compile(rf"99\.0%.*control {100 * control:.1f}%\s*{said}", re.DOTALL))
    expect(found.get_by_text(f"{said}, perhaps by chance")).to_have_count(doubt)
    expect(found.locator(".verdict-above, .verdict-below")).to_have_count(1 - doubt)


def test_a_failed_one_says_why_and_leads_to_all_that_is_known(dashboard: Dashboard) -> None:
    page = dashboard.open("#/searches")
    why = row(page, "digits, too fast").get_by_role("link", name=ERROR)
    expect(why).to_have_attribute("href", f"#/searches/{dashboard.service.ids.failed}")


def test_the_title_says_how_far_the_one_that_runs_is(dashboard: Dashboard) -> None:
    expect(dashboard.open("#/searches")).to_have_title(re.compile(r"^\d+% Searches"), timeout=PATIENCE)


def test_filters_stand_in_the_address(dashboard: Dashboard) -> None:
    page = dashboard.open("#/searches")
    chip(page, "failed").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert names(page) == ["digits, too fast"]
    expect(page).to_have_url(re.compile(r"state=failed"))
    page.reload()
    expect(chip(page, "failed")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("tbody tr")).to_have_count(1)
    chip(page, "cancelled").click()
    expect(row(page, "never begun")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(row(page, "digits on a phone")).to_be_visible()


def test_it_is_narrowed_by_name_dataset_and_day(dashboard: Dashboard) -> None:
    page = dashboard.open("#/searches")
    page.get_by_label("Name has").fill("on a w")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert names(page) == ["digits on a watch"]
    page.get_by_label("Dataset").fill("birds")
    page.get_by_label("Dataset").press("Enter")
    expect(page.get_by_text("None fits these filters.")).to_be_visible()
    page.get_by_role("button", name="Clear filters").first.click()
    page.get_by_label("Asked for since").fill("2999-01-01")
    expect(page.get_by_text("None fits these filters.")).to_be_visible()
    page.get_by_label("Asked for since").fill("2020-01-01")
    page.get_by_label("until").fill("2999-01-01")
    expect(row(page, "digits on a watch")).to_be_visible()


def test_a_label_is_a_filter_and_several_hold_together(dashboard: Dashboard) -> None:
    """So is a priority that is not the usual one."""
    cancelled(dashboard.service, "before others", priority="high")
    page = dashboard.open("#/searches")
    row(page, "before others").get_by_role("button", name="high priority").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("priority=high"))
    expect(page.get_by_label("Priority")).to_have_value("high")
    page.get_by_label("Priority").select_option("normal")
    expect(row(page, "digits on a phone")).to_be_visible()
    expect(row(page, "before others")).to_have_count(0)
    page.get_by_role("button", name="Clear filters").click()
    expect(row(page, "before others")).to_be_visible()
    row(page, "digits on a phone").get_by_role("button", name="team: vision").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Label").fill("for:watch")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("None fits these filters.")).to_be_visible()
    page.get_by_role("button", name="Without for:watch").click()
    expect(row(page, "digits on a phone")).to_be_visible()


def test_it_is_sorted_by_the_head_that_is_pressed(dashboard: Dashboard) -> None:
    page = dashboard.open("#/searches")
    page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("tbody .named a").first).to_have_text("never begun")
    page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    expect(page.locator("tbody .named a").last).to_have_text("never begun")


def test_selected_ones_lead_to_their_comparison(dashboard: Dashboard) -> None:
    page, ids = dashboard.open("#/searches"), dashboard.service.ids
    compare = page.get_by_role("button", name="Compare", exact=True)
    expect(compare).to_be_disabled()
    expect(page.get_by_text("Tick two or more searches to compare them.")).to_be_visible()
    page.get_by_label("Select digits on a phone").check()
    expect(compare).to_be_disabled()
    expect(page.get_by_text("Tick another to compare them.")).to_be_visible()
    page.get_by_label("Select digits on a watch").check()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare searches")).to_be_visible()
    for one in (ids.search, ids.other):
        assert f"searches={one}" in page.url
    page.get_by_role("link", name="Choose others").click()
    for name in ("digits on a phone", "digits on a watch"):
        expect(page.get_by_label(f"Select {name}")).to_be_checked()
    expect(page.get_by_role("link", name="Compare", exact=True)).to_be_visible()


def test_several_are_cancelled_then_deleted_after_a_question(dashboard: Dashboard) -> None:
    service = dashboard.service
    made = [service.post("/searches", dataset="digits", name=f"in vain {n}")["id"] for n in (1, 2)]
    page = dashboard.open("#/searches?q=in%20vain")
    page.get_by_label("Select all that show").check()
    page.get_by_role("button", name="Cancel 2").click()
    dialog = page.get_by_role("dialog", name="Cancel 2 searches?")
    expect(dialog.get_by_role("listitem")).to_have_text(["in vain 2", "in vain 1"])
    dialog.get_by_role("button", name="Close").last.click()
    assert service.get(f"/searches/{made[0]}")["state"] == "queued"
    page.get_by_role("button", name="Cancel 2").click()
    dialog.get_by_role("button", name="Cancel 2 searches").click()
    expect(page.get_by_text("Cancel: done with 2 searches.")).to_be_visible()
    assert [service.get(f"/searches/{one}")["state"] for one in made] == ["cancelled"] * 2
    page.get_by_label("Select all that show").check()
    page.get_by_role("button", name="Delete 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete 2 searches").click()
    expect(page.get_by_text("None fits these filters.")).to_be_visible()


def test_of_what_could_not_be_deleted_it_says_which_and_why(dashboard: Dashboard) -> None:
    service = dashboard.service
    gone, stays = cancelled(service, "in haste 1"), cancelled(service, "in haste 2")
    page = dashboard.open("#/searches?q=in%20haste")
    page.get_by_label("Select all that show").check()
    page.get_by_role("button", name="Delete 2").click()
    httpx.delete(f"{service.url}/searches/{gone}").raise_for_status()
    dashboard.expect(f"answered 404: DELETE /searches/{gone}")
    page.get_by_role("dialog").get_by_role("button", name="Delete 2 searches").click()
    expect(page.get_by_text("None fits these filters.")).to_be_attached()  # The report outlives what it is about.
    said = page.get_by_role("alert")
    expect(said).to_contain_text("Done with 1. Not with 1:")
    expect(said.get_by_role("listitem")).to_contain_text("in haste 1:")
    assert httpx.get(f"{service.url}/searches/{stays}").status_code == 404


def test_what_changes_elsewhere_shows_without_a_reload(dashboard: Dashboard) -> None:
    search = cancelled(dashboard.service, "called before")
    page = dashboard.open("#/searches?q=called")
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible(timeout=PATIENCE)
    dashboard.service.post(f"/searches/{search}/resume")
    expect(row(page, "called before")).to_contain_text("queued", timeout=PATIENCE)
    dashboard.service.post(f"/searches/{search}/cancel")
    expect(row(page, "called before")).to_contain_text("cancelled", timeout=PATIENCE)


def test_ages_are_by_the_services_clock(running: Service, opened: Opened) -> None:
    with opened(running) as late:
        late.page.clock.set_system_time(datetime.now() + timedelta(days=3))
        expect(row(late.open("#/searches"), "never begun")).to_contain_text(re.compile("just now|[sm] ago"))


def test_on_a_phone_rows_are_cards_that_fit(running: Service, opened: Opened) -> None:
    with opened(running, viewport={"width": 360, "height": 740}) as phone:
        page = phone.open("#/searches")
        expect(row(page, "digits on a phone")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page = phone.open(f"#/searches/{running.ids.search}?tab=spec")
        tabs = page.get_by_role("navigation", name="Parts of the search")
        expect(tabs.get_by_role("link", name="Spec")).to_be_in_viewport(ratio=1)
        assert len({tab.bounding_box()["y"] for tab in tabs.get_by_role("link").all()}) == 1  # type: ignore[index]
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        tabs.get_by_role("link", name="Overview").focus()
        expect(tabs.get_by_role("link", name="Overview")).to_be_in_viewport(ratio=1)


def test_more_are_shown_on_demand(dashboard: Dashboard) -> None:
    for number in range(51):
        cancelled(dashboard.service, f"many {number:02}")
    last = dashboard.service.get("/searches", q="many", sort="-name", limit=1)["items"][0]["id"]
    page = dashboard.open(f"#/searches?q=many&sort=name&pick={last}")
    expect(page.locator("tbody tr")).to_have_count(50)
    expect(page.get_by_text("1 selected, 1 of them not in view")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("tbody tr")).to_have_count(51)
    expect(page.get_by_text("1 selected", exact=True)).to_be_visible()
    assert names(page)[-1] == "many 50"
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)


@pytest.fixture(scope="module")
def named(running: Service) -> hostile.Hostile:
    return hostile.fill(running)


def test_names_are_never_more_than_text(dashboard: Dashboard, named: hostile.Hostile) -> None:
    page = dashboard.open("#/searches")
    for name in ("a script", "out of double quotes", "a template"):
        expect(page.get_by_role("link", name=NAMES[name], exact=True)).to_be_visible()
    page.get_by_label("Select all that show").check()
    page.get_by_role("button", name=re.compile("^Delete")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    hostile.check(page)
    page.keyboard.press("Escape")
    label = page.get_by_role("button", name=f"value: {NAMES['a script']}", exact=True)
    label.click()
    expect(page.locator("tbody tr")).to_have_count(1)
    hostile.check(page)
    dashboard.open("#/compare?" + "&".join(f"searches={one}" for one in list(named.named.values())[:6]))
    hostile.check(page)
