"""A browser, a filled service for each file, and a page whose every fault fails the test.

Where there is no browser these tests are skipped, which the last lines of the run say; with ``CI=true`` they fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from store.embedded import Servers
from tests.browser import chromium, service
from tests.browser.dashboard import PATIENCE, TIMEZONE, Dashboard
from tests.browser.service import Made, Service
from tests.browser.watch import Watch

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = chromium.find()
    if path is not None:
        return path
    if os.environ.get("CI") == "true":
        pytest.fail(chromium.ADVICE, pytrace=False)
    pytest.skip(chromium.MISSING)


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """One for each file, which takes a second: while it is open this thread can run no event loop, as other tests do."""
    with chromium.running(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="session")
def made(
    chromium_path: str, servers: Servers, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    with service.made(servers, migrated, tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture(scope="module")
def running(made: Made, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A filled service, of this test file alone."""
    with service.serving(servers, made, tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def closed(made: Made, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that takes nothing without a key; to be asked for by files that sign in."""
    with service.serving(servers, made, tmp_path_factory.mktemp("closed"), embedded=False) as running:
        yield running


@pytest.fixture(scope="module")
def mortal(made: Made, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One whose process can be killed: a file that does it has this one as its ``running``."""
    with service.serving_alone(servers, made, tmp_path_factory.mktemp("mortal")) as running:
        yield running


class Opened(Protocol):
    """Opens a dashboard of a service in a context of its own; ``options`` are Playwright's, such as ``color_scheme``."""

    def __call__(self, service: Service, **options: Any) -> Any: ...


#: Of every context: as far from a test's own clock and habits as users' may be.
_USUAL = {"timezone_id": TIMEZONE, "locale": "en-GB", "reduced_motion": "reduce"}


@pytest.fixture
def opened(browser: Browser) -> Opened:
    """For tests that need another service than ``running``, or another kind of screen."""

    @contextmanager
    def opened(service: Service, **options: Any) -> Iterator[Dashboard]:
        context = browser.new_context(**_USUAL | options)
        try:
            with _watched(context, service) as dashboard:
                yield dashboard
        finally:
            context.close()

    return opened


@pytest.fixture(scope="module")
def usual(browser: Browser) -> Iterator[BrowserContext]:
    """Of a whole file: it keeps the dashboard's modules, as a user's browser does, which is most of what a page costs."""
    context = browser.new_context(**_USUAL)
    yield context
    context.close()


@pytest.fixture
def dashboard(running: Service, usual: BrowserContext) -> Iterator[Dashboard]:
    """A page that knows nothing of those before. At the end nothing has gone wrong in it that the test did not say it expects."""
    try:
        with _watched(usual, running) as dashboard:
            yield dashboard
    finally:
        _forget(usual)


def _forget(context: BrowserContext) -> None:
    for page in context.pages:
        page.close()
    context.unroute_all()
    context.clear_permissions()
    context.set_storage_state({"cookies": [], "origins": []})


@contextmanager
def _watched(context: BrowserContext, service: Service) -> Iterator[Dashboard]:
    service.beat()
    watch = Watch(context, service.url)
    try:
        yield Dashboard(context.new_page(), service, watch)
        assert not (wrong := watch.unexpected), "\n".join(wrong)
    finally:
        watch.close()


@pytest.fixture
def page(dashboard: Dashboard) -> Page:
    return dashboard.page


@pytest.fixture
def context(page: Page) -> BrowserContext:
    return page.context
