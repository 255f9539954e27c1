"""Trainings and tunings are made from their forms: of any network, on any images, from other weights, by other recipes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from dna_engine.plans import Phase
from dna_engine.spec import Priority
from store import keys
from store.limits import Limits, Scope
from store.session import transaction
from tests.api.builders import finish
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.filled import picture
from tests.browser.service import Service
from tests.checks import run_check
from tests.untidy import zipped


def request_of(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.get_by_label("JSON", exact=True).inner_text())
    return found


def of_winner(service: Service, search: str) -> dict[str, Any]:
    """How the winner of a search was trained, as far as a new training is proposed to be the same."""
    retrain = service.get(f"/searches/{search}")["spec"]["retrain"]
    told = {name: retrain[name] for name in ("start", "recipe", "epochs", "distill")}
    return {name: value for name, value in told.items() if value is not None}


def start(page: Page, one: str) -> str:
    """Presses the button; the id of what was made."""
    page.get_by_role("button", name=f"Start the {one}").click()
    page.wait_for_url(re.compile(f"#/{one}s/[0-9a-f-]{{36}}$"), timeout=PATIENCE)
    return page.url.rsplit("/", 1)[1]


def test_a_network_is_trained_again_by_another_recipe(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    held: list[Route] = []
    dashboard.page.route(f"**/searches/{ids.search}", lambda route: held.append(route))
    page = dashboard.open(f"#/trainings/new?architecture={ids.network}")
    expect(page.get_by_text("Choose the images to learn from. Then you see")).to_be_visible()
    network = page.get_by_label("Network", exact=True)
    expect(network).to_have_value("Winner of digits on a phone")
    link = page.locator(".field", has=network).get_by_role("link", name="Winner of digits on a phone")
    expect(link).to_have_attribute("href", f"#/networks/{ids.network}")
    assert "?" not in page.url, "a reload does not undo what is chosen next"
    images = page.get_by_label("Dataset", exact=True)
    images.focus()
    for each in held:
        each.continue_()
    page.unroute(f"**/searches/{ids.search}")
    proposed = page.get_by_label("JSON", exact=True)
    expect(proposed).to_contain_text('"dataset": "digits"', timeout=PATIENCE)
    expect(images, "what the page proposes meanwhile is not written under the hands of who types").to_have_value("")
    images.press_sequentially("digits")
    expect(images).to_have_value("digits")
    images.press("Tab")
    estimate = page.get_by_role("region", name="What it would be")
    first = page.locator(".spec-fields .panel").first
    expect(first).to_contain_text("As the winner of digits on a phone was trained", timeout=PATIENCE)
    winner = of_winner(dashboard.service, ids.search)
    assert request_of(page) == {"architecture": ids.network, "dataset": "digits", **winner}
    page.get_by_role("radio", name=re.compile("^small For a few thousand images")).check()
    expect(estimate).to_contain_text("small", timeout=PATIENCE)
    steps = page.locator("details.form-group", has=page.get_by_role("heading", name="Steps"))
    steps.locator("summary").first.click()
    steps.get_by_label("Epochs", exact=True).fill("7")
    expect(estimate).to_contain_text(re.compile("Epochs\\s*7"), timeout=PATIENCE)
    expect(first).to_contain_text(
        f"Unlike this, the winner of digits on a phone was trained for {winner['epochs']} epochs, by the recipe quick"
    )
    page.get_by_role("radio", name=re.compile("^From scratch")).check()
    made = dashboard.service.get(f"/trainings/{start(page, 'training')}")
    del winner["start"]
    mine = {"architecture": ids.network, "dataset": "digits", "recipe": "small", "epochs": 7}
    assert made["written"] == winner | mine


def test_a_network_and_a_training_to_begin_with_are_chosen_from_lists(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = dashboard.open("#/trainings/new?dataset=digits")
    network = page.get_by_label("Network", exact=True)
    network.fill("dna-c")
    page.get_by_role("option", name=re.compile("^dna-c")).click(timeout=PATIENCE)
    assert request_of(page) == {"dataset": "digits", "architecture": "dna-c"}
    network.fill("Winner of digits on a w")
    page.get_by_role("option", name=re.compile("^Winner of digits on a watch")).click(timeout=PATIENCE)
    [winner] = dashboard.service.get("/architectures", search=ids.other, role="winner")["items"]
    expect(page.get_by_text("As the winner of digits on a watch was trained")).to_be_visible(timeout=PATIENCE)
    as_winner = of_winner(dashboard.service, ids.other)
    assert request_of(page) == {"dataset": "digits", "architecture": winner["id"], **as_winner}
    network.fill("")
    network.press("Tab")
    page.get_by_role("radio", name=re.compile("^From a training")).check()
    page.get_by_label("Training", exact=True).focus()
    page.get_by_role("option").filter(has_text=ids.training[-8:]).click(timeout=PATIENCE)
    page.get_by_role("checkbox", name=re.compile("classifier anew")).check()
    begun = {"start": {"training": ids.training, "head": "new"}}
    assert request_of(page) == {"dataset": "digits", **begun}
    page.get_by_role("radio", name=re.compile("^From scratch")).check()
    assert request_of(page) == {"dataset": "digits"}


def test_what_is_wrong_with_a_training_stands_at_its_field(dashboard: Dashboard) -> None:
    dashboard.expect("answered 422: POST /trainings/estimate")
    page = dashboard.open("#/trainings/new?architecture=dna-z&dataset=digits")
    field = page.locator(".field", has=page.get_by_label("Network", exact=True))
    expect(field.locator(".field-errors")).to_contain_text("There is no network 'dna-z'", timeout=PATIENCE)


def test_a_training_is_cloned(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = dashboard.open(f"#/trainings/new?from={ids.training}")
    assert request_of(page) == {"from": ids.training}
    page.get_by_label("Name", exact=True).fill("once more")
    made = dashboard.service.get(f"/trainings/{start(page, 'training')}")
    assert (made["cloned_from"], made["name"]) == (ids.training, "once more")


def test_a_training_of_a_search_cannot_be_cloned_and_says_why(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    [winner] = [
        each for each in dashboard.service.get("/trainings", search=ids.search)["items"] if each["network"] == "winner"
    ]
    page = dashboard.open(f"#/trainings/new?from={winner['id']}")
    expect(page.get_by_text("has no spec of its own")).to_be_visible()


def test_a_tuning_tries_ranges_and_choices(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = dashboard.open(f"#/tunings/new?architecture={ids.network}&dataset=digits")
    expect(page.get_by_text("Learning rate: 0.0003 to 0.03, by factors")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("radio", name=re.compile("^Of my own")).check()
    assert request_of(page)["search"] == {
        "learning_rate": [0.0003, 0.03, "log"],
        "weight_decay": [0.001, 0.3, "log"],
        "label_smoothing": [0, 0.2],
    }
    page.get_by_role("button", name="Do not try Weight decay").click()
    page.get_by_label("Most Learning rate", exact=True).fill("0.01")
    page.get_by_label("Add a field to be tried").select_option("sampling")
    page.get_by_label("Add a field to be tried").select_option("mixup")
    mixup = page.get_by_role("group", name="Mixup")
    mixup.get_by_label("Most Mixup").fill("0.4")
    page.get_by_label("Trials", exact=True).fill("5")
    page.get_by_label("End trials early", exact=True).select_option("hyperband")
    expect(page.get_by_role("region", name="What it would be")).to_contain_text("5 trials", timeout=PATIENCE)
    made = dashboard.service.get(f"/tunings/{start(page, 'tuning')}")
    assert made["written"] == {
        "architecture": ids.network,
        "dataset": "digits",
        "search": {
            "learning_rate": [0.0003, 0.01, "log"],
            "label_smoothing": [0, 0.2],
            "sampling": ["uniform", "by_class"],
            "mixup": [0, 0.4],
        },
        "trials": 5,
        "pruner": "hyperband",
    }


def test_what_is_wrong_with_a_range_stands_at_it(dashboard: Dashboard) -> None:
    dashboard.expect("answered 422: POST /tunings/estimate")
    page = dashboard.open(f"#/tunings/new?architecture={dashboard.service.ids.network}&dataset=digits")
    expect(page.get_by_text("Learning rate: 0.0003 to 0.03, by factors")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("radio", name=re.compile("^Of my own")).check()
    page.get_by_label("Least Label smoothing", exact=True).fill("0.5")
    row = page.get_by_role("group", name="Label smoothing")
    expect(row.locator("xpath=following-sibling::*[1]")).to_contain_text("0.5", timeout=PATIENCE)


def test_a_tuning_is_cloned_and_its_recipe_is_offered_to_trainings(dashboard: Dashboard) -> None:
    ids = dashboard.service.ids
    page = dashboard.open(f"#/tunings/new?from={ids.tuning}")
    assert request_of(page) == {"from": ids.tuning}
    page = dashboard.open(f"#/trainings/new?architecture={ids.network}&dataset=digits&recipe=tuning:{ids.tuning}")
    expect(page.get_by_role("radio", name=re.compile("^What a tuning has found"))).to_be_checked()
    made = dashboard.service.get(f"/trainings/{start(page, 'training')}")
    assert made["written"]["recipe"] == f"tuning:{ids.tuning}"


def test_the_images_of_its_search_are_proposed_in_the_version_that_it_had(dashboard: Dashboard, tmp_path: Path) -> None:
    """A name alone is the newest version, which may be of other images than those that the network was found on."""
    service = dashboard.service
    first = network_on(service, "birds")
    assert proposed(dashboard, first) == "birds"
    leave(dashboard)  # The form would estimate anew, and be refused while the new version is checked.
    files = {f"{name}/{number}.png": picture(hue, number) for name, hue in BIRDS for number in range(hue, hue + 12)}
    sent = httpx.post(f"{service.url}/datasets", files={"file": ("birds.zip", zipped(files))}, timeout=30).json()
    run_check(service.sessions, service.blobs, sent["id"], tmp_path)
    assert proposed(dashboard, first) == "birds@1"
    assert proposed(dashboard, network_on(service, "birds")) == "birds@2"
    page = dashboard.page
    images = page.get_by_label("Dataset", exact=True)
    images.fill("birds")
    page.get_by_role("option", name=re.compile("^birds 2 classes")).click(timeout=PATIENCE)
    expect(images).to_have_value("birds@1")


BIRDS = (("owl", 160), ("wren", 0), ("kite", 90))


def network_on(service: Service, dataset: str) -> str:
    """The winner of a search on a dataset."""
    search = service.post("/searches", dataset=dataset, select={"finalists": 0}, retrain={"start": "scratch"})["id"]
    finish(service.sessions, service.blobs, UUID(search), until=Phase.SELECT)
    [winner] = service.get("/architectures", search=search, role="winner")["items"]
    return str(winner["id"])


def leave(dashboard: Dashboard) -> None:
    """With it goes what was written into the form."""
    if dashboard.page.url.startswith(dashboard.service.url):
        dashboard.page.evaluate("sessionStorage.clear()")
        dashboard.page.goto("about:blank")


def proposed(dashboard: Dashboard, network: str) -> str:
    """The images of a new form for a network."""
    leave(dashboard)
    images = dashboard.open(f"#/trainings/new?architecture={network}").get_by_label("Dataset", exact=True)
    expect(images).not_to_have_value("", timeout=PATIENCE)
    return images.input_value()


@pytest.mark.parametrize("route", ["searches/new?dataset=digits", "trainings/new?architecture=dna-b&dataset=digits"])
def test_who_may_only_read_is_told_so_and_still_gets_estimates(closed: Service, opened: Any, route: str) -> None:
    with transaction(closed.sessions) as session:
        limits = Limits(priority=Priority.LOW)
        _, key = keys.create(session, f"reader of {route}", scopes=[Scope.READ], limits=limits)
    with opened(closed) as dashboard:
        dashboard.expect("answered 401")
        page = dashboard.open(f"#/{route}")
        page.get_by_label("Key", exact=True).fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Your key may read, but not start anything")).to_be_visible(timeout=PATIENCE)
        expect(page.get_by_role("region", name="What it would be")).to_contain_text("About", timeout=PATIENCE)
        expect(page.get_by_role("button", name=re.compile("^Start the"))).to_be_disabled()
        page.get_by_role("heading", name="Other", exact=True).click()
        priority = page.get_by_label("Priority", exact=True)
        expect(priority.get_by_role("option")).to_have_text(["Default: low", "low"])
        expect(page.locator(".field", has=priority)).to_contain_text("Your key may give low at most.")
