"""Searches side by side."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.api.builders import finish
from tests.browser.dashboard import Dashboard
from tests.browser.service import Service


def compare(dashboard: Dashboard, *searches: str, more: str = "") -> Page:
    page = dashboard.open("#/compare?" + "&".join(f"searches={search}" for search in searches) + more)
    expect(page.get_by_role("region", name="What came of them").last).to_be_visible()
    return page


@pytest.fixture(scope="module")
def apart(running: Service) -> str:
    """Id of a search whose teacher is another."""
    search = running.post("/searches", dataset="digits", name="another teacher", teacher={"epochs": 1}, seed=3)["id"]
    finish(running.sessions, running.blobs, UUID(search))
    return str(search)


def test_what_came_of_them_stands_in_columns(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = compare(dashboard, ids.search, ids.other)
    found = page.get_by_role("region", name="What came of them").last
    expect(found.get_by_role("columnheader")).to_have_text(["digits on a phone", "digits on a watch"])
    expect(found.get_by_role("row", name="Budget")).to_contain_text("1.05 M FLOPs")
    expect(found.get_by_role("row", name="Budget")).to_contain_text("600 k FLOPs")
    expect(found.get_by_role("row", name="Winner’s accuracy")).to_contain_text("99.0% 94.6–99.8%")
    expect(found.get_by_role("row", name="Control’s accuracy")).to_contain_text("99.0%")
    expect(page.locator(".compared")).to_contain_text(
        re.compile(
            "The winner of digits on a .* and that of digits on a .* are equally good, as far as 100 test images tell"
        )
    )
    best = found.get_by_role("link", name="Winner of digits on a phone")
    expect(best).to_have_attribute("href", f"#/networks/{ids.network}")


def test_of_their_specs_it_shows_what_differs_or_all(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = compare(dashboard, ids.search, ids.other)
    specs = page.get_by_role("region", name="Specs")
    expect(specs.get_by_role("rowheader")).to_have_text(["budget.flops", "retrain.references"])
    expect(specs.get_by_role("row", name="budget.flops")).to_contain_text("600,000")
    page.get_by_label("What is the same too").check()
    expect(specs.get_by_role("rowheader", name="teacher.model")).to_be_visible()
    assert "all=1" in page.url


def test_frontiers_and_series_are_drawn_over_one_another(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = compare(dashboard, ids.search, ids.other)
    expect(page.get_by_role("group", name="Frontiers of digits on a phone, digits on a watch")).to_be_visible()
    expect(page.get_by_text("The frontiers of “digits on a phone” and “digits on a watch” are equal")).to_be_visible()
    told = page.get_by_role("region", name="Frontiers").locator(".plot-marks li")
    expect(told).to_contain_text(["at most 1.05 M", "at most 600 k"])
    for search, one in zip((ids.search, ids.other), told.all(), strict=True):
        expect(one).to_contain_text(
            f"predicted loss {dashboard.service.get(f'/searches/{search}')['best']['loss']:.4g}"
        )
    page.get_by_role("combobox", name="Over").select_option("params")
    expect(page.get_by_role("group", name="predicted loss over parameters")).to_be_visible()
    expect(
        page.get_by_role("group", name="accuracy of the winner in digits on a phone, digits on a watch")
    ).to_be_visible()
    page.get_by_role("combobox", name="Series").select_option("distill/b1c1/loss")
    expect(page.get_by_role("group", name="loss of cell b1c1 in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("group", name="loss of cell b1c1 in")).to_be_visible()
    expect(page.get_by_role("group", name="predicted loss over parameters")).to_be_visible()
    expect(page.get_by_text("cannot be compared")).to_have_count(0)


def test_a_better_winner_is_told_from_a_lucky_one(dashboard: Dashboard) -> None:
    """By Newcombe's interval of the difference; fewer epochs are said to be that."""
    page = compare(dashboard, dashboard.service.ids.search, dashboard.service.ids.other)

    def told(right: int, images: int) -> str:
        """Of a winner with all of so many right beside one with some."""
        said = page.evaluate(
            """async ([right, images]) => {
                const base = [...document.querySelectorAll('link[rel=modulepreload]')][0].href.split('/dashboard/')[0] + '/dashboard/';
                const { Verdict } = await import(base + 'pages/compare/verdict.js');
                const { html } = await import(base + 'view.js');
                const { render } = await import(base + 'vendor/preact.js');
                const wilson = (p) => { const z = 1.96, s = z * z / images, m = p + s / 2, r = z * Math.sqrt(p * (1 - p) / images + s / (4 * images));
                    return [(m - r) / (1 + s), (m + r) / (1 + s)]; };
                const search = (name, p, flops, epochs) => ({ id: name, name, spec: { dataset: { name: 'd', version: 1 }, retrain: { epochs } },
                    architectures: [{ role: 'winner', flops, test: { images, accuracy: p, interval: wilson(p) } }] });
                const place = document.createElement('div');
                render(html`<${Verdict} searches=${[search('B', right / images, 2e6, 6), search('A', 0.9, 1e6, 25)]} />`, place);
                return place.textContent;
            }""",
            [right, images],
        )
        return str(said)

    sure = told(500, 1000)
    assert "The winner of A is 40.0 points better than that of B, by more than chance (95% interval +36." in sure
    assert "The first takes 50% fewer FLOPs." in sure
    assert "They were not trained alike: for 25 and 6 epochs." in sure
    assert "perhaps by chance: 1000 test images do not tell them apart (95% interval -" in told(890, 1000)


def test_losses_of_different_teachers_are_not_drawn_together(dashboard: Dashboard, apart: str) -> None:
    ids = dashboard.service.ids
    page = compare(dashboard, ids.search, ids.other, apart)
    expect(page.get_by_text("cannot be compared")).to_contain_text("the teachers of these searches differ")
    frontiers = page.get_by_role("group", name="Frontiers of")
    expect(frontiers).to_have_count(2)
    assert "another teacher" in (frontiers.last.get_attribute("aria-label") or "")
    assert "another teacher" not in (frontiers.first.get_attribute("aria-label") or "")


def test_those_that_have_nothing_yet_say_why(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = compare(dashboard, ids.failed, ids.queued)
    expect(page.get_by_text("None of them has rated its networks yet.")).to_be_visible()
    expect(page.get_by_text("They were asked to do the same, in every field.")).to_be_visible()
    expect(page.get_by_role("row", name="Why")).to_contain_text("not finite from step 3")


def test_one_that_is_gone_can_be_left_out(dashboard: Dashboard) -> None:
    ids, gone = dashboard.service.ids, str(uuid4())
    dashboard.expect(f"answered 404: GET /searches/{gone}")
    page = compare(dashboard, ids.search, ids.other, gone)
    page.get_by_role("button", name="Compare without it").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert gone not in page.url


@pytest.mark.parametrize("number", [0, 1, 9])
def test_too_few_or_too_many_are_told_how_to_be_chosen(dashboard: Dashboard, number: int) -> None:
    page = dashboard.open("#/compare?" + "&".join(f"searches={one}" for one in range(number)))
    expect(page.get_by_text("Two to 8 searches can be set side by side.")).to_be_visible()
