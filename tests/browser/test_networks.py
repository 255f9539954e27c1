"""All networks in a browser: what is filtered, as a table and as a plot; networks from elsewhere."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.browser import hostile
from tests.browser.dashboard import Dashboard


def rows(page: Page) -> set[str]:
    """Addresses of the networks of the table."""
    found = page.get_by_role("region", name="Networks").locator("td[data-label=Network] a")
    return {(link.get_attribute("href") or "").split("/")[-1] for link in found.all()}


def marks(page: Page) -> set[str]:
    """Those of the plot."""
    return {(link.get_attribute("href") or "").split("/")[-1] for link in page.locator(".scatter svg a").all()}


def wanted(dashboard: Dashboard, **asked: str) -> set[str]:
    return {network["id"] for network in dashboard.service.get("/architectures", limit=200, **asked)["items"]}


def test_filters_hold_in_the_table_and_in_the_plot(dashboard: Dashboard) -> None:
    page = dashboard.open("#/networks")
    expect(page.locator(".scatter svg a").first).to_be_visible()
    assert rows(page) == wanted(dashboard)
    assert marks(page) == wanted(dashboard, accuracy_min="0")
    page.get_by_role("button", name="winner", exact=True).click()
    expect(page).to_have_url(re.compile("role=winner"))
    expect(page.locator(".scatter svg a")).to_have_count(2)
    assert rows(page) == marks(page) == wanted(dashboard, role="winner")
    page.get_by_label("FLOPs, to").fill("800k")
    page.get_by_label("FLOPs, to").press("Enter")
    expect(page.locator(".scatter svg a")).to_have_count(1)
    assert rows(page) == marks(page) == wanted(dashboard, role="winner", flops_max="800k")
    page.get_by_label("Accuracy, %, from").fill("99.5")
    page.get_by_label("Accuracy, %, from").press("Enter")
    expect(page.get_by_text("No network fits these filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").first.click()
    expect(page.locator(".scatter svg a").nth(3)).to_be_visible()


def test_the_table_is_sorted_by_the_service(dashboard: Dashboard) -> None:
    page = dashboard.open("#/networks")
    page.get_by_role("button", name="FLOPs", exact=True).click()
    expect(page).to_have_url(re.compile("sort=-flops"))
    first = dashboard.service.get("/architectures", sort="-flops", limit=1)["items"][0]["id"]
    expect(page.locator("td[data-label=Network] a").first).to_have_attribute("href", f"#/networks/{first}")


def test_networks_of_a_search(dashboard: Dashboard) -> None:
    page = dashboard.open("#/networks")
    page.get_by_role("combobox", name="Search").select_option("digits on a watch")
    expect(page).to_have_url(re.compile(f"search={dashboard.service.ids.other}"))
    expect(page.locator("td[data-label=Network] a")).to_have_count(3)
    expect(page.get_by_role("link", name="Winner of digits on a watch", exact=True)).to_be_visible()
    assert rows(page) == wanted(dashboard, search=dashboard.service.ids.other)


def send(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Send", exact=True).click()


def test_a_network_is_sent(dashboard: Dashboard) -> None:
    page = dashboard.open("#/networks")
    page.get_by_role("button", name="Send a network").click()
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Choose a JSON file, or a published network.")
    field = page.get_by_label("JSON file")
    field.set_input_files({"name": "<i>.json", "mimeType": "application/json", "buffer": b"no JSON"})
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("<i>.json is no JSON")
    dashboard.expect("answered 422: POST /architectures")
    field.set_input_files({"name": "other.json", "mimeType": "application/json", "buffer": b'{"blocks": []}'})
    send(page)
    expect(page.get_by_role("alert")).not_to_contain_text("is no JSON")
    described = dashboard.service.get(f"/architectures/{dashboard.service.ids.network}")["architecture"]
    described["timm"]["num_classes"] = 7
    field.set_input_files(
        {"name": "mine.json", "mimeType": "application/json", "buffer": json.dumps(described).encode()}
    )
    page.get_by_label("Name", exact=True).fill(hostile.NAMES["a picture that fails"])
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(hostile.NAMES["a picture that fails"])
    kept = dashboard.service.get(f"/architectures/{page.url[-36:]}")
    assert (kept["role"], kept["architecture"]["timm"]["num_classes"]) == ("given", 7)


def test_a_published_network_is_kept_by_its_name(dashboard: Dashboard) -> None:
    page = dashboard.open("#/networks")
    page.get_by_role("button", name="Send a network").click()
    page.get_by_label("or a published one").select_option("dna-b")
    send(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("dna-b")
    expect(page.get_by_role("button", name="Delete")).to_be_visible()
    expect(page.get_by_role("button", name="Rename")).to_have_count(0)


def test_hostile_names_are_text(dashboard: Dashboard) -> None:
    found = hostile.fill(dashboard.service)
    for route in ("#/networks", f"#/networks/{found.network}", f"#/networks/{found.network}?tab=trainings"):
        page = dashboard.open(route)
        page.locator(".panel, table").first.wait_for()
        hostile.check(page)
    winner = dashboard.service.get("/architectures", search=found.search, role="winner")["items"][0]["id"]
    for tab in ("network", "accuracy", "files"):
        page = dashboard.open(f"#/networks/{winner}?tab={tab}")
        page.locator(".panel").first.wait_for()
        hostile.check(page)
