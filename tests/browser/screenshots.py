"""``python -m tests.browser.screenshots``: pictures of every page of the dashboard for the docs, of a service that has really worked.

Starts a whole service in a folder of its own, has it find networks for the handwritten digits, and takes the pictures. Some minutes.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from dna_client import Client
from dna_client.up import Service
from tests.browser import chromium
from tests.browser.dashboard import drawn

PICTURES = Path(__file__).parents[2] / "docs" / "pictures" / "dashboard"

#: Bytes; a page of the docs shows several.
LARGEST = 250_000

_COLOURS = 128


@dataclass(frozen=True)
class Shot:
    """A picture to be taken: its name, the route with ids in braces, and on what."""

    name: str
    route: str
    scheme: str = "light"
    width: int = 1280
    height: int = 860


SHOTS = (
    Shot("searches", "#/searches"),
    Shot("searches-dark", "#/searches", scheme="dark"),
    Shot("searches-phone", "#/searches", width=390, height=760),
    Shot("new-search", "#/searches/new"),
    Shot("search", "#/searches/{search}"),
    Shot("compare", "#/compare?searches={search}&searches={other}"),
    Shot("networks", "#/networks"),
    Shot("network", "#/networks/{network}"),
    Shot("trainings", "#/trainings"),
    Shot("training", "#/trainings/{training}"),
    Shot("tunings", "#/tunings"),
    Shot("tuning", "#/tunings/{tuning}"),
    Shot("datasets", "#/datasets"),
    Shot("dataset", "#/datasets/digits"),
    Shot("workers", "#/workers"),
    Shot("keys", "#/keys"),
    Shot("webhooks", "#/webhooks"),
    Shot("projects", "#/projects"),
    Shot("settings", "#/settings"),
)


def main() -> int:
    path = chromium.find()
    if path is None:
        print(chromium.MISSING, file=sys.stderr)
        return 2
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="dna-pictures-") as folder,
        Service(Path(folder), port=0, tell=print) as service,
        Client(service.addresses.url) as client,
    ):
        ids = work(client)
        with chromium.running(path) as browser:
            for shot in SHOTS:
                kept = PICTURES / f"{shot.name}.png"
                kept.write_bytes(take(browser, service.addresses.url, shot, ids))
                print(f"{kept.relative_to(PICTURES.parents[2])}  {kept.stat().st_size:,} bytes")
    return 0


def work(client: Client) -> dict[str, str]:
    """Has the service do one of everything, and returns the ids of what came of it; one search is at work when the pictures are taken."""
    small = {"dataset": "digits", "space": "mbconv-small"}
    search = _made(client.searches, **small, name="digits on a phone", labels={"team": "vision"})
    other = _made(
        client.searches, **small, name="digits on a watch", budget={"flops": "600k"}, labels={"team": "watches"}
    )
    dropped = _made(client.searches, **small, name="not needed after all", seed=2)
    client.cancel_search(dropped)
    for job in (search, other):
        client.wait(job)
    best = client.get_search(search)["best"]
    assert best is not None
    again = {"dataset": "digits", "architecture": best["architecture_id"]}
    training = _made(client.trainings, **again, name="the winner, for longer", epochs=20)
    tuning = _made(client.tunings, **again, name="a recipe for the winner", trials=12, epochs=3)
    client.trainings.wait(training)
    client.tunings.wait(tuning)
    _made(client.searches, **small, name="digits, another seed", seed=1)
    return {
        "search": search,
        "other": other,
        "network": best["architecture_id"],
        "training": training,
        "tuning": tuning,
    }


def take(browser: Browser, url: str, shot: Shot, ids: dict[str, str]) -> bytes:
    """The picture as a PNG of few colours, which is a third as large."""
    screen: dict[str, Any] = {"viewport": {"width": shot.width, "height": shot.height}, "color_scheme": shot.scheme}
    context = browser.new_context(locale="en-GB", reduced_motion="reduce", **screen)
    try:
        page = context.new_page()
        page.goto(f"{url}/{shot.route.format(**ids)}")
        drawn(page)
        _still(page)
        return _small(page.screenshot())
    finally:
        context.close()


def _still(page: Page) -> None:
    """Waits until two looks in a row are the same: charts and pictures are drawn when what they show has come."""
    before = page.screenshot()
    for _ in range(20):
        page.wait_for_timeout(300)
        now = page.screenshot()
        if now == before:
            return
        before = now


def _small(picture: bytes) -> bytes:
    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        few = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        few.save(file, "PNG", optimize=True)
    assert file.tell() < LARGEST, f"{file.tell():,} bytes: less is to be seen, or fewer colours"
    return file.getvalue()


def _made(jobs: Any, **spec: Any) -> str:
    return str(jobs.create(spec)["id"])


if __name__ == "__main__":
    sys.exit(main())
