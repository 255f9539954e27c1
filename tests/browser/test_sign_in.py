"""Who signs in is where he wanted to be, and who has to again loses nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page, expect

from dna_engine.spec import Priority
from store import keys
from store.limits import Limits, Scope
from store.session import clock, transaction
from tests.browser.conftest import Opened
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.service import Service

#: Before somebody has signed in.
UNKNOWN = "answered 401: GET /"


def key(
    service: Service,
    *,
    project: str = "default",
    ended: bool = False,
    scopes: Collection[Scope] = tuple(Scope),
    limits: Limits | None = None,
) -> tuple[UUID, str]:
    with transaction(service.sessions) as session:
        end = clock(session) - timedelta(seconds=1) if ended else None
        row, made = keys.create(session, "somebody", project=project, scopes=scopes, expires_at=end, limits=limits)
        return row.id, made


def revoke(service: Service, key_id: UUID) -> None:
    """Through the service: it hears at once of what it revokes itself."""
    headers = {"Authorization": f"Bearer {key(service)[1]}"}
    httpx.delete(f"{service.url}/keys/{key_id}", headers=headers).raise_for_status()


def sign_in(page: Page, given: str) -> None:
    field = page.get_by_role("dialog", name="Sign in").get_by_label("Key")
    expect(field).to_be_focused(timeout=PATIENCE)
    field.fill(given)
    page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def locked(closed: Service, opened: Opened) -> Iterator[Dashboard]:
    with opened(closed) as dashboard:
        dashboard.expect(UNKNOWN)
        yield dashboard


def go(dashboard: Dashboard, route: str) -> Page:
    dashboard.page.goto(f"{dashboard.service.url}/{route}")
    return dashboard.page


def test_after_signing_in_one_is_where_one_wanted_to_be(locked: Dashboard) -> None:
    page = go(locked, "#/searches?state=failed")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE)
    sign_in(page, key(locked.service)[1])
    expect(page.get_by_role("link", name="digits, too fast")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("heading", name="Sign in")).to_have_count(0)


def test_the_key_is_kept_for_this_tab_alone(locked: Dashboard) -> None:
    page, (_, made) = go(locked, "#/searches"), key(locked.service)
    sign_in(page, made)
    expect(page.get_by_role("link", name="digits, too fast")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="digits, too fast")).to_be_visible()
    assert made in page.evaluate("Object.values(sessionStorage)")
    assert made not in page.evaluate("Object.values(localStorage).join() + document.cookie + location.href")
    other = page.context.new_page()
    other.goto(f"{locked.service.url}/#/searches")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE)


def test_a_key_that_opens_nothing_says_why(locked: Dashboard) -> None:
    page = go(locked, "#/searches")
    said = page.get_by_role("dialog", name="Sign in").get_by_role("alert")
    sign_in(page, "dna_nothing")
    expect(said).to_contain_text("The key is not valid.")
    revoked, made = key(locked.service)
    revoke(locked.service, revoked)
    for given, why in ((key(locked.service, ended=True)[1], "has expired"), (made, "was revoked")):
        page.get_by_label("Key").fill(given)
        page.get_by_role("button", name="Sign in").click()
        expect(said).to_contain_text(why)
    page.get_by_label("Key").fill("no key, ключ")
    page.get_by_role("button", name="Sign in").click()
    expect(said).to_contain_text("one begins with dna_")


def test_a_key_that_is_revoked_meanwhile_costs_nothing_that_was_written(locked: Dashboard) -> None:
    page, (key_id, made) = go(locked, "#/keys?new=1"), key(locked.service)
    sign_in(page, made)
    form = page.get_by_role("dialog", name="New key")
    form.get_by_label("Name").fill("written with care")
    revoke(locked.service, key_id)
    _, another = key(locked.service)
    locked.expect("answered 401: POST /keys")
    form.get_by_role("button", name="Create").click()
    sign_in(page, another)
    expect(form.get_by_label("Name")).to_have_value("written with care")
    form.get_by_role("button", name="Create").click()
    expect(page.get_by_role("dialog", name="The key written with care")).to_be_visible()


def test_a_page_that_only_looks_on_hears_that_its_key_was_revoked(locked: Dashboard) -> None:
    page, (key_id, made) = go(locked, "#/searches"), key(locked.service)
    sign_in(page, made)
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible(timeout=PATIENCE)
    revoke(locked.service, key_id)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("opens nothing any more")).to_be_visible()
    sign_in(page, key(locked.service)[1])
    expect(page.get_by_role("status").filter(has_text="Live")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("link", name="digits, too fast")).to_be_visible()


def test_who_signs_out_leaves_nothing(locked: Dashboard) -> None:
    page = go(locked, "#/searches")
    sign_in(page, key(locked.service)[1])
    expect(page.get_by_role("link", name="digits, too fast")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE)
    assert "digits, too fast" not in page.content()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_project_without_searches_is_shown_how_to_begin(locked: Dashboard) -> None:
    page = go(locked, "#/searches")
    sign_in(page, key(locked.service, project="new-here", scopes=[Scope.READ, Scope.RUN])[1])
    expect(page.get_by_role("heading", name="No searches yet")).to_be_visible()
    page.get_by_role("button", name="Search on the digits example").click()
    page.wait_for_url("**/#/searches/0*")
    expect(page.get_by_text("handwritten digits").first).to_be_visible(timeout=PATIENCE)


def test_who_may_only_read_is_told_so(locked: Dashboard) -> None:
    page = go(locked, "#/searches")
    sign_in(page, key(locked.service, project="looks-on", scopes=[Scope.READ])[1])
    expect(page.get_by_text("Your key may only read here.")).to_be_visible()
    expect(page.get_by_role("button", name="Search on the digits example")).to_have_count(0)


def test_where_none_is_needed_a_wrong_one_can_be_left(running: Service, opened: Opened) -> None:
    with opened(running) as dashboard:
        page = go(dashboard, "#/searches")
        page.evaluate("sessionStorage.setItem('dna-key', 'dna_nothing')")
        dashboard.expect(UNKNOWN)
        page.reload()
        page.get_by_role("button", name="Go on without").click(timeout=PATIENCE)
        expect(page.get_by_role("link", name="digits, too fast")).to_be_visible()


def test_who_signs_out_leaves_no_draft(locked: Dashboard) -> None:
    """Nor what the service would not take of it, which stood at its field."""
    locked.expect("answered 403: POST /searches$")
    page = go(locked, "#/searches/new")
    sign_in(page, key(locked.service, limits=Limits(priority=Priority.NORMAL))[1])
    page.get_by_role("button", name="Paste JSON").click()
    page.get_by_role("dialog").get_by_label("JSON").fill('{"dataset": "digits", "priority": "high"}')
    page.get_by_role("dialog").get_by_role("button", name="Take it").click()
    page.get_by_label("Name", exact=True).fill("not for others")
    page.get_by_role("button", name="Start the search").click()
    priority = page.get_by_label("Priority", exact=True)
    expect(priority).to_be_focused(timeout=PATIENCE)
    expect(priority.get_by_role("option")).to_have_text(["Default: normal", "low", "normal", "high"])
    refused = page.locator(".field", has=priority).locator(".field-errors")
    expect(refused).to_contain_text("Jobs of this key have the priority normal at most, not high.")
    priority.select_option("normal")
    expect(refused).to_have_count(0)
    assert "not for others" in page.evaluate("JSON.stringify({...sessionStorage})")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE)
    assert "not for others" not in page.evaluate("JSON.stringify({...sessionStorage})")
