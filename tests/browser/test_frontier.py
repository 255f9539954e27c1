"""The frontier of a search in a browser: what is shown under a dragged budget is what ``select`` answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import hostile
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.service import Service


@pytest.fixture
def frontier(dashboard: Dashboard) -> Page:
    return opened(dashboard)


def opened(dashboard: Dashboard, **asked: Any) -> Page:
    query = urlencode({"tab": "frontier", **asked}, doseq=True)
    page = dashboard.open(f"#/searches/{dashboard.service.ids.search}?{query}")
    expect(line(page)).to_be_visible(timeout=PATIENCE)
    return page


def line(page: Page, cost: str = "FLOPs") -> Locator:
    return page.get_by_role("slider", name=f"Limit of {cost}", exact=True)


def limit(page: Page, cost: str = "FLOPs") -> int:
    return int(line(page, cost).get_attribute("aria-valuenow") or "0")


def answer(service: Service, **budget: float) -> Any:
    [network] = service.post(f"/searches/{service.ids.search}/select", budget=budget, keep=False)["architectures"]
    return network


def points(service: Service, cost: str = "flops") -> list[Any]:
    found: list[Any] = service.get(f"/searches/{service.ids.search}/frontier", cost=cost, networks=False)["points"]
    return found


def download(page: Page) -> Any:
    """What the button of the chosen network saves, once the answer to what is asked has come."""
    expect(page.locator("[data-ready=true]")).to_be_visible(timeout=PATIENCE)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download JSON").click()
    return json.loads(Path(saved.value.path()).read_text())


def type_limit(page: Page, cost: str, text: str) -> None:
    field = page.get_by_label(f"Limit of {cost}, typed")
    field.fill(text)
    field.press("Enter")


def test_it_begins_with_the_budget_of_the_search(frontier: Page, dashboard: Dashboard) -> None:
    budget = dashboard.service.get(f"/searches/{dashboard.service.ids.search}")["spec"]["budget"]
    assert limit(frontier) == budget["flops"]
    assert download(frontier) == answer(dashboard.service, flops=budget["flops"])["architecture"]
    expect(frontier.get_by_text("the same network")).to_be_visible()


def test_the_line_is_dragged_by_mouse(frontier: Page, dashboard: Dashboard) -> None:
    box = frontier.get_by_role("group", name="Predicted loss over FLOPs").bounding_box()
    assert box is not None
    frontier.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 150)
    frontier.mouse.down()
    for part in range(80, 29, -2):
        frontier.mouse.move(box["x"] + box["width"] * part / 100, box["y"] + 150)
    frontier.mouse.up()
    at = limit(frontier)
    frontier.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 150)
    assert limit(frontier) == at, "a line that was let go follows nobody"
    costs = [point["cost"] for point in points(dashboard.service)]
    assert costs[0] < at < costs[-1]
    assert download(frontier) == answer(dashboard.service, flops=at)["architecture"]
    expect(frontier).to_have_url(re.compile(f"flops={at}"))
    frontier.reload()
    expect(line(frontier)).to_have_attribute("aria-valuenow", str(at), timeout=PATIENCE)


def test_the_line_goes_from_network_to_network_by_keys(frontier: Page, dashboard: Dashboard) -> None:
    costs = [point["cost"] for point in points(dashboard.service)]
    line(frontier).focus()
    for key, cost in [
        ("Home", costs[0]),
        ("ArrowRight", costs[1]),
        ("ArrowUp", costs[2]),
        ("ArrowLeft", costs[1]),
        ("End", costs[-1]),
    ]:
        frontier.keyboard.press(key)
        expect(line(frontier)).to_have_attribute("aria-valuenow", str(cost))
    frontier.keyboard.press("PageDown")
    assert download(frontier) == answer(dashboard.service, flops=limit(frontier))["architecture"]


def test_before_an_answer_the_frontiers_own_point_is_shown(frontier: Page, dashboard: Dashboard) -> None:
    first = points(dashboard.service)[0]
    held: list[Route] = []
    frontier.route("**/select", lambda route: held.append(route))
    line(frontier).focus()
    frontier.keyboard.press("Home")
    shown = frontier.locator("[data-ready=false]")
    expect(shown).to_contain_text(re.sub(r"0+$", "", f"{first['loss']:.4g}"))
    for block in first["blocks"]:
        label = shown.get_by_role("img").get_attribute("aria-label") or ""
        assert ", ".join(block["ops"]) in label
    expect(frontier.get_by_role("button", name="Keep it")).to_be_disabled()
    for route in held:
        route.continue_()
    frontier.unroute("**/select")
    expect(frontier.locator("[data-ready=true]")).to_be_visible()


def test_answers_out_of_order_are_dropped(frontier: Page, dashboard: Dashboard) -> None:
    costs = [point["cost"] for point in points(dashboard.service)]
    expect(frontier.locator("[data-ready=true]")).to_be_visible()
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    frontier.route("**/select", hold_the_first)
    line(frontier).focus()
    frontier.keyboard.press("Home")
    expect(frontier.locator("[data-ready=false]")).to_be_visible()
    frontier.wait_for_timeout(100)
    frontier.keyboard.press("End")
    expect(frontier.locator("[data-ready=true]")).to_be_visible()
    with frontier.expect_response("**/select"):
        held[0].continue_()
    expect(line(frontier)).to_have_attribute("aria-valuenow", str(costs[-1]))
    assert download(frontier) == answer(dashboard.service, flops=costs[-1])["architecture"]


def test_two_limits_and_the_best_of_several(frontier: Page, dashboard: Dashboard) -> None:
    frontier.get_by_label("Limit Parameters too").check()
    type_limit(frontier, "Parameters", "220k")
    type_limit(frontier, "FLOPs", "0.7M")
    assert download(frontier) == answer(dashboard.service, flops=700_000, params=220_000)["architecture"]
    frontier.get_by_label("Networks to show").fill("3")
    frontier.get_by_label("Networks to show").press("Tab")
    ranks = frontier.get_by_role("group", name="Which of the best").get_by_role("radio")
    expect(ranks).to_have_count(3)
    ranks.nth(2).check()
    asked = {"budget": {"flops": 700_000, "params": 220_000}, "top_k": 3, "keep": False}
    networks = dashboard.service.post(f"/searches/{dashboard.service.ids.search}/select", **asked)["architectures"]
    assert download(frontier) == networks[2]["architecture"]


def test_an_answer_takes_nothing_away_that_is_being_typed(frontier: Page) -> None:
    held: list[Route] = []
    frontier.route("**/select", lambda route: held.append(route))
    type_limit(frontier, "FLOPs", "0.7M")
    expect(frontier.locator("[data-ready=false]")).to_be_visible()
    frontier.get_by_label("Networks to show").fill("3")
    for route in held:
        route.continue_()
    frontier.unroute("**/select")
    expect(frontier.locator("[data-ready=true]")).to_be_visible()
    frontier.get_by_label("Networks to show").press("Tab")
    expect(frontier.get_by_role("group", name="Which of the best").get_by_role("radio")).to_have_count(3)


def test_a_number_typed_as_it_was_follows_the_address(dashboard: Dashboard) -> None:
    page = opened(dashboard, k=3)
    field = page.get_by_label("Networks to show")
    expect(field).to_have_value("3")
    field.fill("7")
    field.fill("3")
    field.press("Tab")
    page.evaluate("location.hash = location.hash.replace('k=3', 'k=5')")
    expect(field).to_have_value("5")


def test_a_budget_that_no_network_meets_says_what_would_do(frontier: Page, dashboard: Dashboard) -> None:
    dashboard.expect("answered 422: POST /searches/.*/select")
    type_limit(frontier, "FLOPs", "1k")
    said = frontier.get_by_role("alert")
    expect(said).to_contain_text("the limit of FLOPs binds")
    expect(said).to_contain_text(re.compile(r"FLOPs: 462 k to 1\.63 M"))
    said.get_by_role("button").first.click()
    expect(frontier.locator("[data-ready=true]")).to_be_visible()
    assert limit(frontier) == points(dashboard.service)[0]["cost"]


def test_over_parameters(dashboard: Dashboard) -> None:
    page = opened(dashboard, flops=900_000)
    page.get_by_role("combobox", name="Cost").select_option("Parameters")
    line(page, "Parameters").focus()
    page.keyboard.press("Home")
    least = points(dashboard.service, "params")[0]
    assert limit(page, "Parameters") == least["cost"]
    assert download(page) == answer(dashboard.service, flops=900_000, params=least["cost"])["architecture"]


def test_a_network_is_kept(dashboard: Dashboard) -> None:
    cost = points(dashboard.service)[4]["cost"]
    page = opened(dashboard, flops=cost)
    name = hostile.NAMES["a picture that fails"]
    page.get_by_label("Name (optional)").fill(name)
    page.get_by_role("button", name="Keep it").click()
    expect(page).to_have_url(re.compile(r"#/networks/[0-9a-f-]{36}$"))
    kept = dashboard.service.get(f"/architectures/{page.url[-36:]}")
    assert (kept["role"], kept["flops"], kept["search_id"]) == ("selected", cost, dashboard.service.ids.search)
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        re.compile(r"Selected from digits on a phone, \d+ k FLOPs")
    )
    page = opened(dashboard, flops=cost)
    link = page.locator(".frontier .actions").get_by_role("link", name=re.compile("^Selected from digits on a phone"))
    expect(link).to_have_attribute("href", f"#/networks/{kept['id']}")
    expect(page.get_by_role("button", name="Pick to compare")).to_be_visible()
    expect(page.get_by_role("button", name="Keep it")).to_have_count(0)
    expect(page.get_by_label("Name (optional)")).to_have_count(0)


def test_networks_are_picked_and_kept_together(dashboard: Dashboard) -> None:
    costs = [points(dashboard.service)[place]["cost"] for place in (1, 6)]
    page = opened(dashboard, flops=costs[0])
    for cost in costs:
        type_limit(page, "FLOPs", str(cost))
        expect(page.locator("[data-ready=true]")).to_be_visible()
        page.get_by_role("button", name="Pick to compare").click()
        expect(page.get_by_role("button", name="Picked ✓")).to_be_visible()
    page.reload()
    picked = page.get_by_role("region", name="Picked networks")
    expect(picked.get_by_role("img")).to_have_count(2, timeout=PATIENCE)
    picked.get_by_role("button", name="Keep all").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep all").click()
    expect(page).to_have_url(re.compile("#/networks"))
    found = dashboard.service.get("/architectures", search=dashboard.service.ids.search, role="selected")["items"]
    assert set(costs) <= {network["flops"] for network in found}


def test_a_pick_of_the_address_that_is_none_is_left_out(dashboard: Dashboard) -> None:
    page = opened(dashboard, pick=["flops:x", "nonsense", "flops:600000;rank:1e9;apart:0"])
    expect(page.get_by_role("region", name="Picked networks")).to_have_count(0)
    expect(page.locator("[data-ready=true]")).to_be_visible()
