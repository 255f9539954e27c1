"""What lists have in common: columns give way where there is no room for all, and an admin sees whose things are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opened
from tests.browser.dashboard import Dashboard
from tests.browser.hostile import NAMES, check
from tests.browser.service import Service
from tests.untidy import zipped

LISTS = ("searches", "trainings", "tunings", "networks", "datasets")

#: Just above cards, around each width from which a column shows, and usual ones. Pixels.
WIDTHS = (673, 863, 864, 991, 992, 1024, 1055, 1056, 1183, 1184, 1200, 1280, 1920)

#: What a key of another team is called.
KEY = NAMES["a picture that fails"] + NAMES["two hundred letters"][:100]

_LACKING = "all => all.map(one => one.scrollWidth - one.clientWidth)"


def assert_fits(page: Page, widths: Sequence[int]) -> None:
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator(".scroll").evaluate_all(_LACKING) == [0], width
        expect(page.locator("thead th").last).to_be_visible()


@pytest.mark.parametrize("name", LISTS)
def test_no_column_of_a_list_is_cut(name: str, running: Service, opened: Opened) -> None:
    with opened(running) as dashboard:
        page = dashboard.open(f"#/{name}")
        expect(page.locator(".scroll tbody tr").first).to_be_visible()
        assert_fits(page, WIDTHS)


def columns(dashboard: Dashboard) -> list[str]:
    return [
        text.split("\n")[0].removesuffix(" ↓") for text in dashboard.page.locator("thead th:visible").all_inner_texts()
    ]


def test_what_tells_least_gives_way_first(running: Service, opened: Opened) -> None:
    every = ["", "State", "Name", "Dataset", "Teacher", "Budget", "Winner’s accuracy", "Progress", "Asked for"]
    with opened(running, viewport={"width": 1184, "height": 900}) as dashboard:
        page = dashboard.open("#/searches")
        expect(page.locator(".scroll tbody tr").first).to_be_visible()
        assert columns(dashboard) == every
        for width, gone in ((1183, "Teacher"), (1055, "Dataset"), (991, "Budget"), (863, "Progress")):
            page.set_viewport_size({"width": width, "height": 900})
            every.remove(gone)
            assert columns(dashboard) == every
        page.set_viewport_size({"width": 360, "height": 740})
        expect(page.locator("tbody tr").first.locator("td:visible")).to_have_count(9)


@pytest.fixture(scope="module")
def team(running: Service) -> Iterator[str]:
    """A key of another project, which has one of each that is listed."""
    key = str(running.post("/keys", name=KEY, project="vision")["key"])
    with httpx.Client(base_url=running.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:

        def post(path: str, **body: object) -> str:
            return str(http.post(path, json=body).raise_for_status().json()["id"])

        post("/searches", dataset="digits", name="of the team")
        sent = {"file": ("photos.zip", zipped({"owl/1.txt": b"no picture"}))}
        http.post("/datasets", files=sent).raise_for_status()
        post("/webhooks", url="http://127.0.0.1:9/team")
        given = post("/architectures", architecture="dna-b")
        post("/trainings", architecture=given, dataset="digits", name="of the team")
        post("/tunings", architecture=given, dataset="digits", name="of the team")
        yield key


def whose(dashboard: Dashboard) -> Locator:
    return dashboard.page.locator("tbody .owner")


@pytest.mark.parametrize("name", [*LISTS, "webhooks"])
def test_an_admin_sees_whose_things_of_other_projects_are(name: str, dashboard: Dashboard, team: str) -> None:
    page = dashboard.open(f"#/{name}")
    expect(whose(dashboard)).to_have_text([re.compile(rf"vision\s*by {re.escape(KEY)}")])
    check(page)
    assert_fits(page, WIDTHS if name in LISTS else (1200,))


def test_a_list_of_jobs_is_narrowed_to_the_project(dashboard: Dashboard, team: str) -> None:
    page = dashboard.open("#/searches")
    whose(dashboard).get_by_role("button", name="vision").click()
    expect(page.locator("tbody .named a")).to_have_text(["of the team"])
    page.get_by_role("button", name="Without vision").click()
    expect(page.get_by_role("link", name="digits, later")).to_be_visible()


def test_who_sees_one_project_is_not_told_which(dashboard: Dashboard, team: str) -> None:
    page = dashboard.open("#/searches")
    page.evaluate("key => sessionStorage.setItem('dna-key', key)", team)
    dashboard.open("#/searches")
    expect(page.locator("tbody .named a")).to_have_text(["of the team"])
    expect(whose(dashboard)).to_have_count(0)
