"""``make screenshots`` can still take its pictures. Having a service work for them takes minutes, and is not done here."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import Browser

from tests.browser.routes import ROUTES, address
from tests.browser.screenshots import LARGEST, SHOTS, take
from tests.browser.service import Service

#: Forms like that of a new search, and a webhook, which there is where something listens.
NOT_SHOWN = {"trainings/new", "tunings/new", "webhooks/:id"}


def test_there_is_a_picture_of_every_page(running: Service) -> None:
    ids = vars(running.ids)
    shown = {shot.route.format(**ids) for shot in SHOTS}
    wanted = {address(name, running.ids) for name in ROUTES if name not in NOT_SHOWN | {"datasets/:id"}}
    assert wanted <= shown
    assert "#/datasets/digits" in shown


def test_a_picture_is_taken_on_the_screen_that_it_says(running: Service, browser: Browser) -> None:
    [phone] = [shot for shot in SHOTS if shot.name == "searches-phone"]
    [dark] = [shot for shot in SHOTS if shot.name == "searches-dark"]
    for shot in (phone, dark):
        picture = take(browser, running.url, shot, vars(running.ids))
        assert 1_000 < len(picture) < LARGEST
        with Image.open(io.BytesIO(picture)) as image:
            assert image.size == (shot.width, shot.height)
            mean, _ = image.convert("L").resize((1, 1)).getextrema()
            assert (mean < 100) == (shot is dark)
