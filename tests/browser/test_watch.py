"""What goes wrong in a page is seen, whatever it is: a harness that misses a fault is worse than none."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Opened
from tests.browser.dashboard import Dashboard
from tests.browser.service import Service

BLANK = "about:blank"

#: What a page may do wrong, where, and what is said of it. An answer's policy is kept to, and lets no page ask another host: a blank one may.
FAULTS = {
    "an error": (BLANK, "console.error('bad')", "console error: bad"),
    "a warning": (BLANK, "console.warn('doubtful')", "console warning: doubtful"),
    "an assertion": (BLANK, "console.assert(false, 'wrong')", "console assert: wrong"),
    "an exception": (BLANK, "setTimeout(() => { throw new Error('thrown') })", "uncaught: Error: thrown"),
    "a rejection": (BLANK, "Promise.reject(new Error('rejected'))", "uncaught: Error: rejected"),
    "a dialog": (BLANK, "alert('hello')", "dialog alert: hello"),
    "a script in the page": (
        "/healthz",
        "document.write('<script>1</script>')",
        "console error: .*Content Security Policy",
    ),
    "a picture from elsewhere": (
        BLANK,
        "new Image().src = 'http://elsewhere.example/a.png'",
        "another host: GET http://else",
    ),
    "another port": (
        BLANK,
        "new Image().src = 'http://127.0.0.1:9/a.png'",
        "another host: GET http://127.0.0.1:9/a.png",
    ),
    "an answer of 404": ("/docs", "fetch('/searches/none')", "answered 404: GET /searches/none"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_seen(running: Service, opened: Opened, fault: str) -> None:
    where, script, said = FAULTS[fault]

    def drive() -> None:
        with opened(running) as dashboard:
            dashboard.page.goto(where if where == BLANK else running.url + where)
            dashboard.page.evaluate(f"() => {{ {script} }}")
            for _ in range(500):  # Ten seconds at most.
                if dashboard.watch.unexpected:
                    break
                dashboard.page.wait_for_timeout(20)

    with pytest.raises(AssertionError, match=said):
        drive()


def test_what_is_fine_is_no_fault(dashboard: Dashboard) -> None:
    dashboard.page.goto(f"{dashboard.service.url}/docs")
    dashboard.page.evaluate(
        """async () => {
            console.log('said');
            const stop = new AbortController();
            const asked = fetch('/searches', {signal: stop.signal}).catch(() => 0);
            stop.abort();
            await asked;
            const image = new Image();
            image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=';
            await image.decode();
        }"""
    )
    assert f"GET {dashboard.service.url}/docs" in dashboard.watch.requests


def test_what_is_expected_is_no_fault_and_must_come(running: Service, opened: Opened) -> None:
    with opened(running) as dashboard:
        dashboard.expect(r"^answered 404: GET /searches/none$")
        dashboard.page.goto(f"{running.url}/searches/none")
    missing = re.escape("expected, and did not come: answered 409")
    with pytest.raises(AssertionError, match=missing), opened(running) as dashboard:
        dashboard.expect("answered 409")


def test_a_page_that_another_opens_is_watched_too(running: Service, opened: Opened) -> None:
    def drive() -> None:
        with opened(running) as dashboard:
            dashboard.page.goto(f"{running.url}/healthz")
            with dashboard.page.expect_popup() as popup:
                dashboard.page.evaluate("void open('/healthz')")
            popup.value.evaluate("console.error('from beside')")

    with pytest.raises(AssertionError, match="console error: from beside"):
        drive()
