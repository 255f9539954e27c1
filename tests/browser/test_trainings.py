"""Lists and pages of trainings and tunings: curves over one another, trials that every plot shows alike, and what is live."""

from __future__ import annotations

from uuid import UUID

from playwright.sync_api import Page, expect

from dna_engine.events import Metric
from store import flow
from store.session import transaction
from store.tables import Job
from tests.browser import hostile
from tests.browser.dashboard import Dashboard
from tests.store.builders import new_worker, queued, take


def test_curves_of_selected_trainings_lie_over_one_another(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = dashboard.open(f"#/trainings?search={ids.search}&state=succeeded")
    alone = page.get_by_role("row").filter(has_text="the winner again")
    expect(alone.get_by_role("link", name="Winner of digits on a phone")).to_have_attribute(
        "href", f"#/networks/{ids.network}"
    )
    epochs = dashboard.service.get(f"/trainings/{ids.training}")["epochs"]
    expect(alone.locator("[data-label=Epochs]")).to_have_text(str(epochs))
    rows = page.get_by_role("row").filter(has_text="of a search")
    expect(rows).to_have_count(2)
    for row in (0, 1):
        rows.nth(row).get_by_role("checkbox").check()
    for chart in ("Accuracy by epoch", "Training loss by epoch"):
        expect(page.get_by_role("group", name=chart).locator("canvas").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("(winner)")
    expect(page.locator("main")).to_contain_text("(control)")
    # It can be linked to: the address has the selection.
    assert page.url.count("pick=") == 2


def test_one_alone_is_live(dashboard: Dashboard) -> None:
    service = dashboard.service
    page = dashboard.open(f"#/trainings/{service.ids.waiting}")
    expect(page.locator("main")).to_contain_text("Curves appear when a worker has begun.")
    files = page.get_by_role("region", name="Files").first
    expect(files).to_contain_text(
        "The weights and the other files come at the end of the control again, which is queued."
    )
    expect(page.get_by_role("link", name="Train it")).to_have_count(0)
    with transaction(service.sessions) as session:
        [step, *_] = queued(session, session.get_one(Job, UUID(service.ids.waiting)))
        claim = take(session, step, new_worker(session))
        flow.report(
            session,
            claim,
            [Metric(series="train/network/accuracy", x=x, y=0.1 * x) for x in (1, 2, 3)],
            engine_seconds=1,
        )
    expect(
        page.get_by_role("group", name="Accuracy by epoch, and the best so far").locator("canvas").first
    ).to_be_visible()
    with transaction(service.sessions) as session:
        flow.fail(
            session,
            claim,
            {"code": "diverged", "message": "The loss is not finite.", "param": None},
            engine_seconds=5,
            retry=False,
        )
    expect(page.locator(".state-failed").first).to_be_visible()
    expect(page.locator("main")).to_contain_text("The loss is not finite.")


def test_one_that_has_succeeded_shows_what_it_reached(dashboard: Dashboard) -> None:
    page = dashboard.open(f"#/trainings/{dashboard.service.ids.training}")
    expect(page.get_by_role("heading", name="Which class is taken for which")).to_be_visible()
    expect(page.get_by_role("heading", name="Files")).to_be_visible()
    hostile.check(page)


def test_every_plot_of_a_tuning_shows_the_trials_that_its_filters_leave(dashboard: Dashboard) -> None:
    service = dashboard.service
    trials = service.get(f"/tunings/{service.ids.tuning}/trials", limit=100)["items"]
    reached = [trial for trial in trials if trial["value"] is not None]
    page = dashboard.open(f"#/tunings/{service.ids.tuning}")
    lines = page.locator("svg.parallel polyline")
    expect(lines).to_have_count(len(reached))
    page.get_by_role("combobox", name="The best").select_option("5")
    expect(lines).to_have_count(5)
    expect(page.get_by_role("region", name="Trials").get_by_role("row")).to_have_count(6)
    assert "best=5" in page.url
    page.get_by_role("button", name="All trials").click()
    expect(lines).to_have_count(len(reached))
    mark(page, page.locator("svg.parallel .axis-hand").last)
    expect(page.get_by_role("button", name="Any accuracy")).to_be_visible()
    best = max(trial["value"] for trial in reached)
    middle = (best + min(trial["value"] for trial in reached)) / 2
    expect(lines).to_have_count(sum(trial["value"] >= middle for trial in reached))
    expect(page.locator("main")).to_contain_text(service.get(f"/tunings/{service.ids.tuning}")["recipe"])
    expect(page.get_by_role("link", name="Winner of digits on a phone")).to_be_visible()


def mark(page: Page, axis: object) -> None:
    """Drags along the upper half of an axis."""
    axis.scroll_into_view_if_needed()  # type: ignore[attr-defined]
    box = axis.bounding_box()  # type: ignore[attr-defined]
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + 0.5)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] / 4)
    page.mouse.move(x, box["y"] + box["height"] / 2)
    page.mouse.up()


def test_lists_that_are_empty_say_what_would_be_there(dashboard: Dashboard) -> None:
    page = dashboard.open("#/tunings?q=nothing+is+called+so")
    expect(page.get_by_role("button", name="Clear filters").last).to_be_visible()
    page = dashboard.open("#/tunings/01a219a6-fed9-7165-9a5e-bfd7295e3c65")
    dashboard.expect("answered 404")
    expect(page.locator("main")).to_contain_text("There is no tuning of this id")
