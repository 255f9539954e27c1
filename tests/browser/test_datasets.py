"""Sending images from the page, and looking at what came of it; and the workers that check them."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import hostile
from tests.browser.dashboard import PATIENCE, Dashboard
from tests.browser.filled import picture
from tests.browser.hostile import NAMES
from tests.browser.service import Service
from tests.checks import run_check
from tests.untidy import write, zipped

CLASSES = {
    f"{name}/{number}.png": picture(hue, number) for name, hue in (("owl", 160), ("<b>wren", 0)) for number in range(10)
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As people have it: a folder of each class, and what their system has left there."""
    return write(
        tmp_path / "my birds", {**CLASSES, ".DS_Store": b"\0", "<b>wren/Ö" + 60 * "ü" + ".png": picture(0, 99)}
    )


def send(page: Page, name: str) -> None:
    page.get_by_label("Name of the dataset").fill(name)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(f"{name} was sent;")).to_be_visible()


def newest(service: Service, name: str) -> str:
    return str(service.get(f"/datasets/{name}")["id"])


def test_a_folder_is_sent_checked_and_seen(dashboard: Dashboard, folder: Path, tmp_path: Path) -> None:
    page, service = dashboard.open("#/searches/new"), dashboard.service
    page.get_by_role("link", name="Send your own").click()
    page.locator("input[webkitdirectory]").set_input_files(folder)
    expect(page.get_by_text("A folder with 21 files")).to_be_visible()
    send(page, "my-birds")
    page.get_by_role("link", name="see it").click()
    expect(page.get_by_text("A worker opens every image")).to_be_visible()
    run_check(service.sessions, service.blobs, newest(service, "my-birds"), tmp_path / "worker")
    # The page follows the check: nobody reloads it.
    expect(page.locator(".state-ready")).to_be_visible()
    expect(page.get_by_role("button", name="<b>wren")).to_contain_text("9 train · 2 test")
    page.get_by_role("button", name="owl").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="owl").locator("img")).to_have_js_property("naturalWidth", 32)
    page.get_by_role("button", name="<b>wren").click()
    dialog = page.get_by_role("dialog", name="<b>wren")
    expect(dialog.get_by_role("img")).to_have_count(9)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    hostile.check(page)
    page.go_back()
    expect(page.get_by_role("link", name="search on it")).to_have_attribute("href", "#/searches/new?dataset=my-birds")
    page.go_back()
    expect(page.get_by_label("Dataset", exact=True)).to_have_value("my-birds", timeout=PATIENCE)


def drop(page: Page, name: str, content: bytes) -> None:
    """Drops a file where images are taken."""
    page.evaluate(
        """([name, content]) => {
            const dropped = new DataTransfer();
            dropped.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
            document.querySelector(".drop").dispatchEvent(new DragEvent("drop", {dataTransfer: dropped, bubbles: true, cancelable: true}));
        }""",
        [name, base64.b64encode(content).decode()],
    )


def test_what_ships_with_the_service_is_shown_as_any_other(dashboard: Dashboard) -> None:
    page = dashboard.open("#/datasets/digits")
    shown = page.get_by_role("button", name=re.compile(r"^3\b"))
    expect(shown).to_contain_text("146 train · 37 test")
    expect(shown.locator("img[src]")).to_be_visible()
    shown.click()
    expect(page.get_by_role("dialog", name="3").locator("img[src]")).to_have_count(10)


def test_a_dropped_archive_goes_on_after_the_connection_broke(dashboard: Dashboard) -> None:
    page = dashboard.open("#/datasets")
    broken: list[str] = []

    def breaks(route: object) -> None:
        broken.append("once")
        route.abort("connectionreset") if len(broken) == 1 else route.continue_()  # type: ignore[attr-defined]

    page.route("**/uploads/*", lambda route, request: breaks(route) if request.method == "PATCH" else route.continue_())
    dashboard.expect("failed with net::ERR_CONNECTION_RESET: PATCH /uploads/")
    drop(page, "dropped birds.zip", zipped(CLASSES))
    expect(page.get_by_label("Name of the dataset")).to_have_value("dropped-birds")
    send(page, "dropped")
    assert len(broken) == 2
    assert dashboard.service.get("/datasets/dropped")["state"] == "checking"


def test_a_refused_name_is_changed_and_nothing_else_is_asked_or_sent_again(dashboard: Dashboard) -> None:
    page = dashboard.open("#/datasets")
    dashboard.expect("^answered 409: POST /datasets")  # That name is of what ships with the service.
    drop(page, "more birds.zip", zipped(CLASSES))
    page.get_by_label("Licence").fill("CC0")
    page.locator("select[name=layout]").select_option("classes")
    page.get_by_label("Name of the dataset").fill("digits")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("digits")
    page.get_by_role("button", name="Change and send again").click()
    expect(page.get_by_label("Name of the dataset")).to_have_value("digits")
    expect(page.get_by_label("Licence")).to_have_value("CC0")
    expect(page.locator("select[name=layout]")).to_have_value("classes")
    pieces = [request for request in dashboard.watch.requests if request.startswith("PATCH ")]
    send(page, "more-birds")
    assert [request for request in dashboard.watch.requests if request.startswith("PATCH ")] == pieces
    made = dashboard.service.get("/datasets/more-birds")
    assert made["state"] == "checking"


def test_pictures_in_no_folder_are_not_sent_and_it_says_why(dashboard: Dashboard, tmp_path: Path) -> None:
    page = dashboard.open("#/datasets")
    drop(page, "owl.png", picture(160))
    expect(page.get_by_role("alert")).to_contain_text("Put the images of each class into a folder of its own")


def test_what_the_service_refuses_is_said_and_can_be_tried_again(dashboard: Dashboard) -> None:
    page = dashboard.open("#/datasets")
    dashboard.expect("answered 422: POST /datasets")
    page.get_by_text("Images that lie elsewhere").click()
    page.get_by_label("Where", exact=True).fill("/nowhere/at/all")
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("alert")).to_contain_text("DNA_DATASET_FOLDERS")
    expect(page.get_by_label("Where", exact=True)).to_have_value("/nowhere/at/all")


def test_a_rejected_one_says_what_to_change(dashboard: Dashboard, tmp_path: Path) -> None:
    page, service = dashboard.open("#/datasets"), dashboard.service
    drop(page, "one.zip", zipped({"owl/1.png": picture(160), "owl/2.png": picture(170)}))
    send(page, "one-class")
    dataset = newest(service, "one-class")
    run_check(service.sessions, service.blobs, dataset, tmp_path / "worker")
    page = dashboard.open(f"#/datasets/{dataset}")
    expect(page.locator(".state-rejected")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text(service.get(f"/datasets/{dataset}")["error"]["message"][:40])


def test_one_is_deleted_after_a_question(dashboard: Dashboard) -> None:
    page, service = dashboard.open("#/datasets"), dashboard.service
    drop(page, "gone.zip", zipped(CLASSES))
    send(page, "gone")
    page = dashboard.open(f"#/datasets/{newest(service, 'gone')}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("gone was deleted.")).to_be_visible()
    assert not service.get("/datasets", q="gone")["items"]


def test_names_are_only_ever_text(dashboard: Dashboard) -> None:
    named = hostile.fill(dashboard.service)
    page = dashboard.open("#/datasets?q=svg")
    hostile.check(page)
    [dataset] = dashboard.service.get("/datasets", q="svg")["items"]
    dashboard.expect("answered 404: GET /datasets/.*/report")  # It was made in the tables: nothing has checked it.
    page = dashboard.open(f"#/datasets/{dataset['id']}")
    for what, name in NAMES.items():
        seen = (
            r"photo\u202egnp.exe"
            if what == "from right to left"
            else r"\x1b[31mred"
            if "\x1b" in name
            else name.strip()[:20]
        )
        expect(page.locator(".class-name", has_text=seen).first).to_be_attached()
    hostile.check(page)
    assert named


def test_workers_say_what_they_run(dashboard: Dashboard) -> None:
    page = dashboard.open("#/workers")
    row = page.get_by_role("row").filter(has_text="gpu-1")
    expect(row).to_contain_text("NVIDIA H100 80GB HBM3")
    expect(row.get_by_text("what trains and rates")).to_be_visible()
    expect(row.get_by_role("link")).to_have_attribute("href", f"#/searches/{dashboard.service.ids.running}")
    expect(row).not_to_contain_text("Redis")
    cut_off = page.get_by_role("row").filter(has_text="gpu-3")
    expect(cut_off).to_contain_text("nothing: Redis does not answer it")
    hostile.check(page)
