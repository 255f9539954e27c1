"""Names that would be markup are filled in everywhere, and a page that falls for one is found out."""

from __future__ import annotations

import json

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import hostile
from tests.browser.dashboard import Dashboard
from tests.browser.hostile import NAMES, WORST, Hostile
from tests.browser.service import Service


@pytest.fixture(scope="module")
def named(running: Service) -> Hostile:
    return hostile.fill(running)


def test_the_service_gives_back_what_it_was_given(running: Service, named: Hostile) -> None:
    """So that pages get it: what the API refused or changed would test nothing."""
    for what, search in named.named.items():
        found = running.get(f"/searches/{search}")
        assert (found["name"], found["labels"]["value"]) == (NAMES[what], NAMES[what])
    assert running.get(f"/searches/{named.failed}")["error"]["message"] == WORST
    assert running.get("/datasets", q="svg")["items"][0]["class_names"] == list(NAMES.values())
    assert WORST in [worker["hostname"] for worker in running.get("/workers")["items"]]


@pytest.mark.parametrize("what", ["a script", "a picture that fails", "out of double quotes", "out of a text"])
def test_a_page_that_takes_a_name_for_markup_is_found_out(dashboard: Dashboard, what: str) -> None:
    dashboard.page.goto("about:blank")
    hostile.check(dashboard.page)
    dashboard.page.evaluate(f"document.body.textContent = {json.dumps(NAMES[what])}")
    hostile.check(dashboard.page)
    dashboard.page.evaluate(f"document.body.innerHTML = {json.dumps(NAMES[what])}")
    with pytest.raises(AssertionError):
        hostile.check(dashboard.page)


@pytest.mark.parametrize("what", ["a link", "out of single quotes"])
def test_a_page_that_takes_a_name_for_an_attribute_is_found_out(dashboard: Dashboard, what: str) -> None:
    dashboard.page.goto("about:blank")
    dashboard.page.evaluate("name => document.body.innerHTML = `<a href='${name}'>to</a>`", NAMES[what])
    with pytest.raises(AssertionError):
        hostile.check(dashboard.page)


def test_a_name_that_turns_the_direction_of_text_is_seen_to_do_so(dashboard: Dashboard) -> None:
    path = f"{dashboard.service.url}/architectures/{dashboard.service.ids.network}"
    typed = {"content-type": "application/merge-patch+json"}
    httpx.patch(path, json={"name": NAMES["from right to left"]}, headers=typed).raise_for_status()
    page = dashboard.open(f"#/networks/{dashboard.service.ids.network}")
    expect(page.get_by_role("heading", level=1)).to_have_text(r"photo\u202egnp.exe\u202c\u2066\u2067")
    assert page.title().startswith(r"photo\u202egnp.exe")
    httpx.patch(path, json={"name": None}, headers=typed).raise_for_status()


def test_a_name_that_opens_an_isolate_and_closes_none_turns_nothing_around_it(dashboard: Dashboard) -> None:
    """A ``<bdi>`` does not hold it: its end is swallowed too."""
    ids, service = dashboard.service.ids, dashboard.service
    typed = {"content-type": "application/merge-patch+json"}
    before = service.get(f"/searches/{ids.search}")["name"]
    httpx.patch(
        f"{service.url}/searches/{ids.search}", json={"name": "a\u202eb\u2066"}, headers=typed
    ).raise_for_status()
    page = dashboard.open(f"#/compare?searches={ids.search}&searches={ids.other}")
    expect(page.locator(".compared")).to_contain_text(r"of a\u202eb\u2066")
    page = dashboard.open(f"#/searches/{ids.search}")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text(r"“a\u202eb\u2066” for good?")
    steering = "[\u202a-\u202e\u2066-\u2069]"
    assert (
        page.evaluate(f"() => new RegExp('{steering}').test(document.documentElement.textContent + document.title)")
        is False
    )
    httpx.patch(f"{service.url}/searches/{ids.search}", json={"name": before}, headers=typed).raise_for_status()
