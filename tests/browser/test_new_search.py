"""A search is made from the form: what is written there, what is said of it meanwhile, and what is sent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import hostile
from tests.browser.access import too_wide, violations
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.service import Service

#: What the service refuses while somebody types is meant here.
REFUSED = r"answered 422: POST /searches/estimate"


def open_form(dashboard: Dashboard, query: str = "?dataset=digits") -> Page:
    page = dashboard.open(f"#/searches/new{query}")
    if query:
        expect(page.get_by_text("There are networks within this budget")).to_be_visible(timeout=PATIENCE)
    return page


def request_of(page: Page) -> dict[str, Any]:
    """What the form would send just now."""
    found: dict[str, Any] = json.loads(page.get_by_label("JSON", exact=True).inner_text())
    return found


def expect_request(page: Page, body: dict[str, Any]) -> None:
    expect(page.get_by_label("JSON", exact=True)).to_have_text(json.dumps(body, indent=2, ensure_ascii=False))


def group(page: Page, title: str) -> Locator:
    found = page.locator("details.form-group", has=page.get_by_role("heading", name=title, exact=True))
    found.locator("summary").first.click()
    if more := found.get_by_text("More settings", exact=True).all():
        more[0].click()
    return found


def options(page: Page) -> Locator:
    """What a field offers that finds its values."""
    return page.locator(".form-options [role=option]")


def number_of_searches(service: Service) -> int:
    return len(service.get("/searches", limit=200)["items"])


def test_a_search_is_made_with_the_keyboard_alone(dashboard: Dashboard) -> None:
    page = open_form(dashboard, "")
    expect(page.get_by_text("Then you see here what it would be")).to_be_visible()
    page.get_by_label("Dataset", exact=True).focus()
    expect(page.get_by_role("option", name=re.compile("^digits 10 classes"))).to_be_visible(timeout=PATIENCE)
    page.keyboard.type("dig")
    expect(options(page)).to_have_count(1, timeout=PATIENCE)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1,437 images to learn from")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Multiply-adds (FLOPs), at most", exact=True).focus()
    page.keyboard.type("800k")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("by hand")
    page.keyboard.press("Enter")  # Starts nothing.
    page.get_by_role("button", name="Start the search").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("#/searches/[0-9a-f-]{36}"), timeout=PATIENCE)
    made = dashboard.service.get(f"/searches/{page.url.rsplit('/', 1)[1]}")
    assert made["written"] == {"dataset": "digits", "budget": {"flops": 800_000}, "name": "by hand"}


def test_the_estimate_follows_what_is_typed(dashboard: Dashboard) -> None:
    page = open_form(dashboard)
    estimate = page.get_by_role("region", name="What it would be")
    expect(estimate).to_contain_text("4.57 M networks")
    expect(
        page.get_by_role("img", name=re.compile("multiply-adds: networks from 462 k to 1.63 M, at most 1.05 M"))
    ).to_be_visible()
    page.get_by_label("Multiply-adds (FLOPs), at most", exact=True).fill("0.7M")
    expect(page.get_by_role("img", name=re.compile("multiply-adds: .* at most 700 k"))).to_be_visible(timeout=PATIENCE)
    slider = page.get_by_label(re.compile("Parameters, at most, between"))
    slider.focus()
    slider.press("Home")
    assert request_of(page)["budget"]["params"] == 177_310, "no less than the smallest network has"
    expect(estimate).to_contain_text("at most 177 k", timeout=PATIENCE)


def test_a_budget_that_no_network_meets_is_said_once_at_its_limits_with_what_can_be_met(dashboard: Dashboard) -> None:
    """Also when one comes back to it, and after the service has refused it: beside the button and the estimate are ways there."""
    dashboard.expect("answered 422: POST /searches$")
    page = open_form(dashboard)
    flops = page.get_by_label("Multiply-adds (FLOPs), at most", exact=True)
    flops.fill("1000")
    page.get_by_label("Latency, at most (ms)", exact=True).fill("12.3456789")
    reason = page.get_by_text("No network of this space has so few multiply-adds: the smallest has 462,288.")
    expect(reason).to_be_visible(timeout=PATIENCE)
    estimate, start = page.get_by_role("region", name="What it would be"), page.get_by_role("region", name="Start")
    for pointing in (estimate, start):
        expect(pointing).to_contain_text(re.compile("1 thing to mend:\\s*Multiply-adds"), timeout=PATIENCE)
        expect(pointing).not_to_contain_text("No network")
    expect(estimate).to_contain_text(re.compile("latency\\s*at most 12.3 ms"))
    button = start.get_by_role("button", name="Start the search")
    expect(button).not_to_have_class(re.compile(r"\bmain\b"))
    button.click()
    expect(flops).to_be_focused(timeout=PATIENCE)
    page.get_by_role("link", name="Datasets", exact=True).click()
    expect(page.get_by_role("heading", name="Datasets", exact=True)).to_be_visible(timeout=PATIENCE)
    # Also where the estimate does not say it again: what the service has answered to this request is kept.
    page.route("**/searches/estimate", lambda _route: None)
    page.go_back()
    expect(reason).to_have_count(1, timeout=PATIENCE)
    page.unroute("**/searches/estimate")
    page.locator(".field", has=flops).get_by_role("button", name="462,288 multiply-adds").click()
    expect(page.get_by_text("There are networks within the other limits")).to_be_visible(timeout=PATIENCE)
    expect(reason).to_have_count(0)
    page.get_by_label("Latency, at most (ms)", exact=True).fill("")
    expect(page.get_by_text("There are networks within this budget")).to_be_visible(timeout=PATIENCE)
    expect_request(page, {"dataset": "digits", "budget": {"flops": 462_288}})
    # What a worker has measured is refused with latency in digits that one reads, and rounded so that it can be met.
    [said] = page.evaluate(REFUSAL)
    assert (said["pointer"], said["detail"]) == (
        "#/budget",
        "Each of these limits can be met, but not both together.",
    )
    assert [offer["label"] for offer in said["offers"]] == ["600,000 multiply-adds and 3.124 ms"]
    assert said["offers"][0]["values"] == [[["budget", "flops"], 600_000], [["budget", "latency_ms"], 3.124]]


def test_what_is_wrong_stands_at_its_field_with_what_may_be_meant(dashboard: Dashboard) -> None:
    dashboard.expect(REFUSED)
    page = open_form(dashboard)
    teacher = page.get_by_label("Teacher", exact=True)
    teacher.fill("resnet81")
    teacher.press("Tab")
    field = page.locator(".field", has=teacher)
    expect(field.locator(".field-errors")).to_contain_text("There is no teacher named 'resnet81'", timeout=PATIENCE)
    expect(teacher).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("needs a look")).to_have_count(0)
    field.get_by_role("button", name="resnet18", exact=True).click()
    expect(field.locator(".field-errors")).to_have_count(0, timeout=PATIENCE)
    expect(teacher).to_have_value("resnet18")
    expect(field).to_contain_text("11.7 M parameters")
    other = group(page, "Other")
    other.get_by_label("Seed", exact=True).fill("-1")
    expect(other.locator(".field-errors")).to_contain_text("at least 0", timeout=PATIENCE)
    expect(page.get_by_text("at least 0")).to_have_count(1)
    other.locator("summary").click()
    start = page.get_by_role("region", name="Start")
    start.get_by_role("button", name="Seed", exact=True).click()
    expect(other.get_by_label("Seed", exact=True)).to_be_focused()
    other.get_by_label("Seed", exact=True).fill("")
    # Fields are called as on the form, in sentences too; what is sent keeps the names of the API.
    given = group(page, "Teacher's weights").get_by_label("Teacher that there is already", exact=True)
    given.fill(dashboard.service.ids.other)
    given.press("Tab")
    expect(given).to_have_value("digits on a watch", timeout=PATIENCE)
    expect(field.locator(".field-errors")).to_contain_text("not a resnet18: leave “Teacher” out", timeout=PATIENCE)
    assert request_of(page)["teacher"] == {"model": "resnet18", "from": dashboard.service.ids.other}


def test_the_keyboard_leads_to_no_field_behind_the_bar(dashboard: Dashboard) -> None:
    page = open_form(dashboard)
    page.set_viewport_size({"width": 900, "height": 420})
    page.get_by_label("Dataset", exact=True).focus()
    seen = set()
    for _ in range(14):
        page.keyboard.press("Tab")
        name, below = page.evaluate(FOCUSED)
        seen.add(name)
        assert below <= 1, f"{name} is {below} px below where the bar begins"
    assert {"Latency, at most (ms)", "Teacher", "Name"} <= seen


REFUSAL = """async () => (await import("./static/dashboard/pages/new_search/refusal.js")).refusalOf({
  binding: ["flops", "latency_ms"],
  nearest: [{ flops: 600000, latency_ms: 3.123456 }],
  feasible: { flops: [462288, 1628448], params: [177310, 612000], latency_ms: [1.5, 9] },
}, { flops: "0.5M", latency_ms: 2 })"""

#: What has the focus, and how far it reaches below the upper edge of the bar.
FOCUSED = """() => {
  const field = document.activeElement;
  const bar = document.querySelector(".sending").getBoundingClientRect();
  return [field.labels?.[0]?.textContent ?? field.textContent, field.getBoundingClientRect().bottom - bar.top];
}"""


def test_nothing_is_sent_without_images(dashboard: Dashboard) -> None:
    page = open_form(dashboard, "")
    before = number_of_searches(dashboard.service)
    page.get_by_role("button", name="Start the search").click()
    expect(page.get_by_role("alert")).to_contain_text(re.compile("1 thing to mend:\\s*Dataset"))
    expect(page.get_by_text("Choose the images to learn from")).to_have_count(1)
    expect(page.get_by_label("Dataset", exact=True)).to_be_focused()
    assert number_of_searches(dashboard.service) == before
    assert not any(asked.startswith("POST") for asked in dashboard.watch.requests)


def test_every_kind_of_field_is_written(dashboard: Dashboard) -> None:
    page = open_form(dashboard)
    pictures = group(page, "Pictures")
    pictures.get_by_label("Input size", exact=True).fill("32")
    pictures.get_by_label("Augment", exact=True).uncheck()
    pictures.get_by_label("Flip", exact=True).select_option(label="yes")
    pictures.get_by_label("Resize", exact=True).select_option(label="pad")
    pictures.get_by_label("Background", exact=True).fill("grey")
    winner = group(page, "Training of the winner")
    winner.get_by_label("Early stopping", exact=True).select_option(label="As written here")
    winner.get_by_label("Patience", exact=True).fill("5")
    winner.get_by_label("Distill", exact=True).select_option(label="None")
    references = winner.get_by_role("group", name="References")
    references.get_by_role("button", name="Add").click()
    references.get_by_label("References 1", exact=True).fill("mobilenetv3_small_100")
    labels = page.get_by_role("group", name="Labels")
    labels.get_by_role("button", name="Add").click()
    expect(labels.get_by_label("Name of Labels 1")).to_be_focused()
    page.keyboard.type("team")
    labels.get_by_label("Value of Labels 1").fill("vision")
    group(page, "Rating and finalists").get_by_label("Finalists", exact=True).fill("2")
    group(page, "Other").get_by_label("Priority", exact=True).select_option(label="low")
    expect_request(
        page,
        {
            "dataset": "digits",
            "input_size": 32,
            "augment": False,
            "flip": True,
            "resize": "pad",
            "background": "grey",
            "retrain": {
                "early_stopping": {"patience": 5},
                "distill": None,
                "references": ["mobilenetv3_small_100"],
            },
            "labels": {"team": "vision"},
            "select": {"finalists": 2},
            "priority": "low",
        },
    )
    expect(page.locator(".field-errors")).to_have_count(0)
    winner.get_by_label("Patience", exact=True).fill("")
    assert "retrain" in request_of(page)
    winner.get_by_label("Early stopping", exact=True).select_option(label="Default")
    assert "early_stopping" not in request_of(page)["retrain"]


def test_a_space_of_ones_own_is_written_by_fields_or_as_json(dashboard: Dashboard) -> None:
    dashboard.expect(REFUSED)
    page = open_form(dashboard)
    space = group(page, "Space")
    choice = space.get_by_label("Which space")
    choice.select_option("mbconv-small")
    assert request_of(page)["space"] == "mbconv-small"
    choice.select_option("own")
    depth = len(request_of(page)["space"]["blocks"])
    assert depth == 3
    space.get_by_label("Stem width", exact=True).fill("24")
    assert request_of(page)["space"]["stem_width"] == 24
    space.get_by_role("button", name="Remove Blocks 3", exact=True).click()
    assert len(request_of(page)["space"]["blocks"]) == 2
    space.get_by_role("button", name="as JSON", exact=True).first.click()
    text = space.get_by_label("Space of my own as JSON")
    text.fill("{")
    expect(space.locator(".field-errors")).to_contain_text("This is no JSON yet")
    page.get_by_role("button", name="Start the search").click()
    text.fill(json.dumps({"blocks": [{"stride": 3, "cells": []}]}))
    expect(space.locator(".field-errors")).not_to_contain_text("This is no JSON yet")
    assert request_of(page)["space"] == {"blocks": [{"stride": 3, "cells": []}]}
    expect(space.locator(".field-errors").first).to_contain_text("1 or 2", timeout=PATIENCE)


def test_a_pasted_document_is_taken_whole_and_what_there_is_not_can_go(dashboard: Dashboard) -> None:
    dashboard.expect(REFUSED)
    page = open_form(dashboard)
    body = {"dataset": "digits", "budgett": {"flops": "900k"}, "teacher": {"weights": "train"}}
    paste(page, "no json")
    expect(page.get_by_role("alert")).to_contain_text("This is no JSON")
    page.keyboard.press("Escape")
    paste(page, json.dumps(body))
    expect_request(page, body)
    unknown = page.get_by_role("region", name="Unknown fields")
    unknown.get_by_role("button", name="budget", exact=True).click(timeout=PATIENCE)
    expect(unknown).to_have_count(0, timeout=PATIENCE)
    expect(page.get_by_label("Multiply-adds (FLOPs), at most", exact=True)).to_have_value("900k")


def paste(page: Page, text: str) -> None:
    page.get_by_role("button", name="Paste JSON").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("JSON").fill(text)
    dialog.get_by_role("button", name="Take it").click()


def test_nothing_that_was_typed_is_lost_by_a_reload_until_one_begins_anew(dashboard: Dashboard) -> None:
    page = open_form(dashboard)
    page.get_by_label("Name", exact=True).fill("kept")
    page.get_by_label("Parameters, at most", exact=True).fill("0.5M")
    page.get_by_role("group", name="Labels").get_by_role("button", name="as JSON").click()
    page.get_by_label("Labels as JSON").fill('{"team": ')
    page.reload()
    expect(page.get_by_label("Name", exact=True)).to_have_value("kept", timeout=PATIENCE)
    expect(page.get_by_label("Parameters, at most", exact=True)).to_have_value("0.5M")
    expect(page.get_by_label("Labels as JSON")).to_have_value('{"team": ')
    page.get_by_role("button", name="Begin anew").click()
    page.get_by_role("dialog").get_by_role("button", name="Begin anew").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("")
    page.reload()
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("", timeout=PATIENCE)


def test_a_double_click_makes_one_search(dashboard: Dashboard) -> None:
    page = open_form(dashboard)
    page.get_by_label("Name", exact=True).fill("once")
    page.get_by_role("button", name="Start the search").dblclick()
    page.wait_for_url(re.compile("#/searches/[0-9a-f-]{36}"), timeout=PATIENCE)
    assert len(dashboard.service.get("/searches", ref="once")["items"]) == 1


def test_an_answer_that_was_lost_makes_one_search(dashboard: Dashboard) -> None:
    """The first answer does not arrive; the second request has the same key, also after a reload."""
    dashboard.expect("failed with .*: POST /searches$")
    page = open_form(dashboard)
    page.get_by_label("Name", exact=True).fill("lost")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/searches", lose, times=1)
    page.get_by_role("button", name="Start the search").click()
    expect(page.get_by_text("The service does not answer")).to_be_visible(timeout=PATIENCE)
    page.reload()
    expect(page.get_by_label("Name", exact=True)).to_have_value("lost", timeout=PATIENCE)
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url(re.compile("#/searches/[0-9a-f-]{36}"), timeout=PATIENCE)
    assert len(dashboard.service.get("/searches", ref="lost")["items"]) == 1


def test_a_clone_shows_what_the_other_was_asked_with_and_sends_what_is_changed(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = open_form(dashboard, f"?from={ids.other}")
    written = dashboard.service.get(f"/searches/{ids.other}")["written"]
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("digits")
    expect_request(page, {"from": ids.other})
    page.get_by_label("Name", exact=True).fill("another")
    flops = page.get_by_label("Multiply-adds (FLOPs), at most", exact=True)
    expect(flops).to_have_value(str(written["budget"]["flops"]))
    flops.fill("")
    page.get_by_label("Parameters, at most", exact=True).fill("600k")
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url(re.compile("#/searches/[0-9a-f-]{36}$"), timeout=PATIENCE)
    made = dashboard.service.get(f"/searches/{page.url.rsplit('/', 1)[1]}")
    assert made["cloned_from"] == ids.other
    assert made["written"] == {**written, "name": "another", "budget": {"params": 600_000}}


def test_what_no_patch_can_say_is_sent_as_a_spec_of_its_own(dashboard: Dashboard) -> None:
    page = open_form(dashboard, f"?from={dashboard.service.ids.search}")
    group(page, "Training of the winner").get_by_label("Distill", exact=True).select_option(label="None")
    body = request_of(page)
    assert "from" not in body
    assert body["retrain"] == {"distill": None}


def test_what_is_copied_is_true(dashboard: Dashboard) -> None:
    """The Python and the commands are run, and ask for what the form says."""
    page = open_form(dashboard)
    page.get_by_label("Name", exact=True).fill('it\'s "odd" $HOME `x` é')
    page.get_by_label("Multiply-adds (FLOPs), at most", exact=True).fill("0.9M")
    group(page, "Pictures").get_by_label("Flip", exact=True).select_option(label="no")
    group(page, "Training of the winner").get_by_label("Start", exact=True).select_option(label="scratch")
    group(page, "Other").get_by_label("Priority", exact=True).select_option(label="high")
    body = request_of(page)
    texts = {name: said(page, name) for name in ("curl", "Python", "dna")}
    assert "<<" not in texts["dna"], "these have options"
    group(page, "Distillation").get_by_label("Loss", exact=True).select_option(label="plain")
    longer = request_of(page)
    texts |= {"a document": said(page, "dna")}
    assert "<<" in texts["a document"]
    for what, text in texts.items():
        assert asked_by(dashboard.service, text) == (longer if what == "a document" else body), what


def said(page: Page, language: str) -> str:
    page.get_by_role("group", name="Language").get_by_role("button", name=language, exact=True).click()
    text = page.get_by_label(language, exact=True).inner_text()
    page.get_by_role("group", name="Language").get_by_role("button", name="JSON", exact=True).click()
    return text


def asked_by(service: Service, text: str) -> dict[str, Any]:
    """What the search was asked with that a text makes."""
    shell = f"dna() {{ '{sys.executable}' -m dna_client \"$@\"; }}\n{text}"
    command = [sys.executable, "-c", text] if text.startswith("from ") else ["bash", "-c", shell]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", done.stdout)
    written: dict[str, Any] = service.get(f"/searches/{found[0]}")["written"]
    budget = {"flops": 900_000} if written["budget"]["flops"] == 900_000 else written["budget"]
    return {**written, "budget": {"flops": "0.9M"} if budget == {"flops": 900_000} else budget}


def test_names_stay_text_in_what_is_chosen_and_what_is_copied(dashboard: Dashboard) -> None:
    hostile.fill(dashboard.service)
    page = open_form(dashboard, "")
    images = page.get_by_label("Dataset", exact=True)
    images.focus()
    expect(options(page).nth(1)).to_be_visible(timeout=PATIENCE)
    images.fill("svg")
    expect(options(page)).to_have_count(1, timeout=PATIENCE)
    options(page).first.click()
    expect(page.get_by_text("What it would be")).to_be_visible()
    labels = page.get_by_role("group", name="Labels")
    labels.get_by_role("button", name="Add").click()
    expect(labels.get_by_label("Name of Labels 1")).to_be_focused()
    page.keyboard.type("__proto__")
    labels.get_by_label("Value of Labels 1").fill(hostile.WORST[:256])
    assert request_of(page)["labels"] == {"__proto__": hostile.WORST[:256]}
    page.get_by_label("Name", exact=True).fill(hostile.WORST[:200])
    for language in ("curl", "Python", "dna", "JSON"):
        page.get_by_role("button", name=language, exact=True).click()
        hostile.check(page)
    page.reload()
    expect(page.get_by_label("Value of Labels 1")).to_have_value(hostile.WORST[:256], timeout=PATIENCE)
    hostile.check(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400, 3840])
def test_everybody_can_use_it(running: Service, opened: Any, width: int, theme: str) -> None:
    with opened(running, viewport={"width": width, "height": 900}, color_scheme=theme) as dashboard:
        page = open_form(dashboard)
        for title in ("Pictures", "Space", "Training of the winner"):
            group(page, title)
        page.get_by_role("group", name="Labels").get_by_role("button", name="Add").click()
        assert too_wide(page) == []
        if width != 3840:
            assert violations(page) == []


def test_a_failed_search_is_begun_again_at_the_field_that_it_failed_by(dashboard: Dashboard) -> None:
    page = dashboard.open(f"#/searches/new?from={dashboard.service.ids.failed}&field=retrain.learning_rate")
    rate = page.get_by_label("Learning rate", exact=True).and_(page.locator('[id="field#/retrain/learning_rate"]'))
    expect(rate).to_be_focused(timeout=PATIENCE)
    expect(rate).to_be_in_viewport()
    fault = dashboard.service.get(f"/searches/{dashboard.service.ids.failed}")["error"]["message"]
    field = page.locator(".field", has=rate)
    expect(field.locator(".field-errors")).to_contain_text(fault)
    rate.fill("0.01")
    expect(field.locator(".field-errors")).to_have_count(0)
