"""Keys, webhooks, projects, settings: what each shows, what it does, and that only who may is offered it."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from store import deliveries, keys, notices, webhooks
from store.limits import Scope
from store.session import transaction
from store.states import DeliveryState
from tests.browser import hostile
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.hostile import WORST
from tests.browser.service import Service


def row(page: Page, text: str) -> Locator:
    return page.locator("tbody tr").filter(has_text=text)


def shown_secret(page: Page, name: str) -> str:
    """What is shown this once, after which it is nowhere any more."""
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("It is shown this once.")).to_be_visible()
    expect(dialog.get_by_role("button", name=f"Copy {name}")).to_be_visible()
    secret = dialog.locator("code").first.inner_text()
    dialog.get_by_role("button", name="I have copied it").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    return secret


def me(service: Service, key: str) -> httpx.Response:
    return httpx.get(f"{service.url}/keys/me", headers={"Authorization": f"Bearer {key}"})


def test_a_key_is_made_changed_and_revoked(dashboard: Dashboard) -> None:
    page, service = dashboard.open("#/keys"), dashboard.service
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog", name="New key")
    dialog.get_by_label("Name").fill("a nightly job")
    dialog.get_by_role("combobox", name="Project").fill("vision")
    dialog.get_by_label("Works until the end of").fill("2999-12-31")
    dialog.get_by_label("Jobs that run at once").fill("2")
    dialog.get_by_label("Stored data, GB").fill("1.5")
    dialog.get_by_label("Highest priority").select_option("normal")
    dialog.get_by_role("button", name="Create").click()
    secret = shown_secret(page, "Key")
    said = me(service, secret).json()
    assert (said["project"], said["scopes"]) == ("vision", ["read", "run"])
    assert said["limits"] == {"running_jobs": 2, "queued_jobs": None, "device_hours": None} | {
        "requests_per_second": None,
        "stored_bytes": 1_500_000_000,
        "priority": "normal",
    }
    assert said["expires_at"] == "2999-12-31T18:29:59Z"  # The end of the day in India.
    made = row(page, "a nightly job")
    expect(made).to_contain_text("31 Dec 2999")
    expect(made).to_contain_text("Jobs that run at once: 2; Stored data: 1.5 GB; Highest priority: normal")

    made.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("dialog", name="Change a nightly job")
    expect(dialog.get_by_label("Works until the end of")).to_have_value("2999-12-31")
    dialog.get_by_label("run:").uncheck()
    dialog.get_by_label("Works until the end of").fill("")
    dialog.get_by_label("Jobs that run at once").fill("")
    expect(dialog.get_by_label("Highest priority")).to_have_value("normal")
    dialog.get_by_label("Highest priority").select_option("low")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)  # It closes when the service has taken it.
    said = me(service, secret).json()
    assert (said["scopes"], said["expires_at"]) == (["read"], None)
    assert (said["limits"]["running_jobs"], said["limits"]["stored_bytes"]) == (None, 1_500_000_000)
    expect(made).to_contain_text("Stored data: 1.5 GB; Highest priority: low")
    expect(made).not_to_contain_text("Jobs that run at once")

    made.get_by_role("button", name="a nightly job", exact=True).click()
    expect(page.get_by_role("dialog", name="a nightly job")).to_contain_text("0 B of 1.5 GB")
    expect(page.get_by_role("dialog", name="a nightly job")).to_contain_text(re.compile(r"Highest priority\s*low"))
    page.keyboard.press("Escape")
    made.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(made).to_contain_text("revoked")
    assert me(service, secret).status_code == 401


def test_what_is_wrong_with_a_key_is_said_and_nothing_is_lost(dashboard: Dashboard) -> None:
    page = dashboard.open("#/keys?new=1")
    dialog = page.get_by_role("dialog", name="New key")
    dialog.get_by_label("Name").fill("wrong")
    dialog.get_by_role("combobox", name="Project").fill("no such / name")
    dashboard.expect("answered 422: POST /keys")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("letters, digits")
    expect(dialog.get_by_label("Name")).to_have_value("wrong")


def test_keys_are_found_by_name_and_project(dashboard: Dashboard) -> None:
    page = dashboard.open("#/keys?q=nothing")
    expect(page.get_by_text("No key fits these filters.")).to_be_visible()
    page.get_by_label("Name has").fill("LAPTOP")
    page.get_by_label("Name has").press("Enter")
    expect(row(page, "laptop")).to_be_visible()
    assert "q=LAPTOP" in page.url


def test_projects_say_what_they_use(dashboard: Dashboard) -> None:
    page = dashboard.open("#/projects")
    found = row(page, "default")
    expect(found).to_contain_text("succeeded")
    found.get_by_role("link", name="default").click()
    expect(page.get_by_role("heading", name="Searches")).to_be_visible()
    expect(page.get_by_text("Of the project default")).to_be_visible()
    expect(page.get_by_role("link", name="digits on a phone")).to_be_visible()


def test_a_webhook_is_made_tried_changed_and_deleted(dashboard: Dashboard) -> None:
    page, service = dashboard.open("#/webhooks"), dashboard.service
    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog", name="New webhook")
    dialog.get_by_label("URL").fill("http://127.0.0.1:9/made")
    dialog.get_by_label("Is told of").fill("search.*, *.failed")
    dialog.get_by_label("Only of jobs with the labels").fill("team: vision\nfor: phone")
    dialog.get_by_role("button", name="Create").click()
    assert shown_secret(page, "Secret").startswith("whsec_")
    page.get_by_role("link", name="http://127.0.0.1:9/made").click()
    expect(page.get_by_text("It was sent nothing yet.")).to_be_visible()
    webhook = page.url.rsplit("/", 1)[1]

    page.get_by_role("button", name="Send a test").click()
    expect(row(page, "webhook.test")).to_contain_text("pending")
    page.get_by_role("button", name="webhook.test").click()
    expect(page.get_by_role("dialog", name="webhook.test").get_by_label("Message", exact=True)).to_contain_text(webhook)
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog", name="Change the webhook")
    dialog.get_by_label("Is told of").fill("*")
    dialog.get_by_label("Only of jobs with the labels").fill("team: vision")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("everything")).to_be_visible()
    assert service.get(f"/webhooks/{webhook}")["labels"] == {"team": "vision"}

    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("button", name="Enable")).to_be_visible()
    assert not service.get(f"/webhooks/{webhook}")["enabled"]
    expect(page.get_by_role("button", name="Send a test")).to_have_count(0)
    page.get_by_role("button", name="New secret").click()
    page.get_by_role("dialog").get_by_role("button", name="New secret").click()
    assert shown_secret(page, "Secret").startswith("whsec_")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Webhooks")).to_be_visible()
    expect(page.get_by_role("link", name="http://127.0.0.1:9/made")).to_have_count(0)


def test_a_message_that_was_given_up_says_why_and_is_sent_again(dashboard: Dashboard) -> None:
    service = dashboard.service
    with transaction(service.sessions) as session:
        webhook = webhooks.get(session, service.ids.webhook)
        delivery = deliveries.put(session, webhook, notices.of_test(session, webhook.id))
        delivery.state, delivery.attempt, delivery.next_at = DeliveryState.FAILED, 9, None
        delivery.status_code, delivery.error = 500, "It does not answer."
    page = dashboard.open(f"#/webhooks/{service.ids.webhook}?state=failed")
    expect(row(page, "webhook.test")).to_contain_text("answered 500: It does not answer.")
    page.get_by_role("button", name="webhook.test").click()
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("None is in that state.")).to_be_visible()


def test_an_address_that_a_webhook_may_not_have_is_said(dashboard: Dashboard) -> None:
    page = dashboard.open("#/webhooks?new=1")
    dialog = page.get_by_role("dialog", name="New webhook")
    dialog.get_by_label("URL").fill("http://10.0.0.1/")
    dashboard.expect("answered 422: POST /webhooks")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("10.0.0.1 leads to no public address")


def test_settings_say_how_the_service_is_and_keep_the_colours(dashboard: Dashboard) -> None:
    page = dashboard.open("#/settings")
    service = page.get_by_role("region", name="The service")
    for part in ("Database", "Its schema", "Queue", "Files"):
        expect(service.get_by_text(part, exact=True)).to_have_class(re.compile("state-ready"))
    expect(service).to_contain_text("Version", timeout=PATIENCE)
    expect(service.get_by_role("link", name="as OpenAPI")).to_have_attribute("href", "openapi.json")
    expect(page.get_by_role("region", name="Your key")).to_contain_text("needs no key")
    page.get_by_role("radio", name="dark").check()
    page.reload()
    expect(page.get_by_role("radio", name="dark")).to_be_checked()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_what_a_key_may_not_is_not_offered(dashboard: Dashboard) -> None:
    with transaction(dashboard.service.sessions) as session:
        _, reader = keys.create(session, "reads only", project="default", scopes=[Scope.READ])
    page = dashboard.open("#/settings")
    page.get_by_role("textbox", name="Key").fill(reader)
    page.get_by_role("button", name="Use this key").click()
    mine = page.get_by_role("region", name="Your key")
    expect(mine).to_contain_text("reads only")
    expect(mine).to_contain_text("no limit")
    expect(page.get_by_role("navigation", name="Set up").get_by_role("link")).to_have_text(["Settings", "Webhooks"])
    dashboard.open("#/keys")
    expect(page.get_by_text("Only a key with the scope admin may see keys")).to_be_visible()
    dashboard.open("#/webhooks")
    expect(page.get_by_role("link", name="http://127.0.0.1:9/").first).to_be_visible()
    expect(page.get_by_role("button", name="New webhook")).to_have_count(0)
    dashboard.open("#/searches")
    page.get_by_label("Select digits on a phone").check()
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    expect(page.get_by_role("link", name="New search")).to_have_count(0)


@pytest.fixture(scope="module")
def named(running: Service) -> hostile.Hostile:
    return hostile.fill(running)


def test_names_are_never_more_than_text(dashboard: Dashboard, named: hostile.Hostile) -> None:
    page = dashboard.open("#/keys")
    expect(page.get_by_role("button", name=WORST, exact=True)).to_be_visible()
    dashboard.open(f"#/keys?key={named.key}&change=1")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_have_value(WORST)
    hostile.check(page)
    dashboard.open("#/webhooks")
    expect(page.get_by_text(WORST, exact=True)).to_be_visible()
    dashboard.open(f"#/webhooks/{named.webhook}")
    expect(page.get_by_text(WORST, exact=True)).to_be_visible()
    dashboard.open("#/projects")
    hostile.check(page)
