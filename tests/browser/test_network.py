"""One network in a browser: drawn, downloaded, measured, tried on pictures, renamed and deleted."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.api.architectures.test_timings import answer as time_it
from tests.api.builders import finish
from tests.browser.conftest import Opened
from tests.browser.dashboard import Dashboard
from tests.browser.filled import picture
from tests.browser.hostile import WORST, check
from tests.browser.service import Service


def opened(dashboard: Dashboard, network: str, **asked: str) -> Page:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return dashboard.open(f"#/networks/{network}?{query}")


def test_it_is_drawn_layer_by_layer(dashboard: Dashboard) -> None:
    network = dashboard.service.ids.network
    page = opened(dashboard, network)
    layers = dashboard.service.get(f"/architectures/{network}/layers")["items"]
    expect(page.locator(".network-drawing .row")).to_have_count(len(layers))
    drawing = page.locator(".network-drawing svg")
    drawing.focus()
    said = page.locator(".network-drawing .looked")
    for key, layer in [("End", layers[-1]), ("ArrowUp", layers[-2]), ("Home", layers[0]), ("ArrowDown", layers[1])]:
        page.keyboard.press(key)
        expect(said).to_contain_text(f"{layer['flops']:,} FLOPs, {layer['params']:,} parameters")
        assert (layer["description"] or "nothing") in (drawing.get_attribute("aria-label") or "")
    page.get_by_text("As a table").click()
    rows = page.get_by_role("region", name="Layers").locator("tbody tr")
    assert [int(text.replace(",", "")) for text in rows.locator("td[data-label=FLOPs]").all_inner_texts()] == [
        layer["flops"] for layer in layers
    ]


def test_a_download_has_the_bytes_that_were_announced(dashboard: Dashboard) -> None:
    network = dashboard.service.ids.network
    page = opened(dashboard, network, tab="files")
    files = dashboard.service.get(f"/architectures/{network}")["files"]
    assert len(files) == 6
    for file in files:
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Download {file['format']}", exact=True).click()
        content = Path(saved.value.path()).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])
        assert saved.value.suggested_filename.startswith(f"winner-of-digits-on-a-phone-{network[-8:]}.")
    expect(page.get_by_text("Saved; checksum right")).to_have_count(len(files))
    onnx = page.get_by_role("region", name="Files").locator("tbody tr").filter(has_text="onnxruntime")
    expect(onnx.locator("[data-label='Differs from PyTorch']")).to_have_text(re.compile(r"by 1\.00e-6\s*100\.0% same"))
    expect(page.get_by_text("each was run on the same test pictures, 1,024 at most")).to_be_visible()


def test_a_download_that_is_damaged_on_its_way_is_not_saved(dashboard: Dashboard) -> None:
    page = opened(dashboard, dashboard.service.ids.network, tab="files")
    page.route("**/download?format=onnx", lambda route: route.fulfill(body=b"other bytes"))
    saved: list[Any] = []
    page.on("download", lambda download: saved.append(download))
    page.get_by_role("button", name="Download onnx", exact=True).click()
    expect(page.get_by_text("What came is damaged")).to_be_visible()
    assert saved == []


def test_the_code_is_that_of_the_model_card(dashboard: Dashboard) -> None:
    page = opened(dashboard, dashboard.service.ids.network, tab="files")
    shown = page.get_by_label("PyTorch, with timm and safetensors alone", exact=True)
    code = shown.inner_text()
    compile(code, "timm", "exec")
    assert 'EfficientNet(blocks, **{"act_layer": "silu", **arguments})' in code
    compile(page.get_by_label("onnxruntime, with prepare.py of the bundle", exact=True).inner_text(), "onnx", "exec")


@pytest.mark.parametrize("way", ["chosen", "dropped", "pasted"])
def test_a_picture_is_answered_to(dashboard: Dashboard, way: str) -> None:
    ids = dashboard.service.ids
    of = f"trainings/{ids.training}" if way == "pasted" else f"architectures/{ids.network}"
    page = dashboard.open(f"#/{of.replace('architectures', 'networks')}")
    expect(page.get_by_role("region", name="Try it")).to_be_visible()
    content = picture(120)
    if way == "chosen":
        page.locator("input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": content})
    else:
        page.evaluate(
            """([way, text]) => {
                const held = new DataTransfer();
                held.items.add(new File([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], "a.png", {type: "image/png"}));
                const event = way === "dropped" ? new DragEvent("drop", {dataTransfer: held, bubbles: true, cancelable: true})
                    : new ClipboardEvent("paste", {clipboardData: held, bubbles: true});
                document.querySelector("main").dispatchEvent(event);
            }""",
            [way, base64.b64encode(content).decode()],
        )
    expected = predicted(dashboard.service, of, content)
    rows = page.locator(".answers li")
    expect(rows).to_have_count(5)
    for row, one in zip(rows.all(), expected, strict=True):
        expect(row).to_contain_text(one["name"])
        expect(row).to_contain_text(f"{100 * one['probability']:.1f}%")
    expect(page.get_by_role("img", name="a.png")).to_be_visible()


def predicted(service: Service, of: str, content: bytes) -> list[Any]:
    sent = {"content": content, "headers": {"content-type": "image/png"}}
    answer = httpx.post(f"{service.url}/{of}/predict", **sent, timeout=30)  # type: ignore[arg-type]
    found: list[Any] = answer.raise_for_status().json()["classes"]
    return found


def test_what_is_no_picture_says_so(dashboard: Dashboard) -> None:
    dashboard.expect("answered 422: POST /architectures/.*/predict")
    page = opened(dashboard, dashboard.service.ids.network)
    page.locator("input[type=file]").set_input_files(
        {"name": "<b>.txt", "mimeType": "text/plain", "buffer": b"no pixels"}
    )
    expect(page.get_by_role("alert")).to_contain_text("picture")
    expect(page.get_by_text("This browser cannot show <b>.txt")).to_be_visible()


def test_the_confusion_matrix_is_read_by_keys(dashboard: Dashboard) -> None:
    page = opened(dashboard, dashboard.service.ids.network, tab="accuracy")
    training = dashboard.service.get(
        "/trainings", architecture=dashboard.service.ids.network, search=dashboard.service.ids.search
    )["items"][0]
    found = dashboard.service.get(f"/trainings/{training['id']}/confusion")
    matrix = page.get_by_role("img", name="rows are the true classes, columns the predicted ones")
    matrix.focus()
    said = page.locator(".confusion .looked")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text(
        f"{found['matrix'][0][1]} of {sum(found['matrix'][0])} pictures of “{found['classes'][0]}” are taken for “{found['classes'][1]}”"
    )
    page.keyboard.press("Home")
    expect(said).to_contain_text(f"{found['matrix'][0][0]} of {sum(found['matrix'][0])}")
    largest = max(
        (count, row, column)
        for row, counts in enumerate(found["matrix"])
        for column, count in enumerate(counts)
        if row != column
    )
    page.get_by_role("button", name=f"“{found['classes'][largest[1]]}” for").first.click()
    expect(said).to_contain_text(f"{largest[0]} of")


def test_its_latency_is_measured_live(dashboard: Dashboard) -> None:
    network = dashboard.service.ids.network
    page = opened(dashboard, network, tab="files")
    page.get_by_role("button", name="Measure it").click()
    rows = page.get_by_role("region", name="Measurements").locator("tbody tr")
    expect(rows.first).to_contain_text("queued")
    time_it(dashboard.service.sessions, dashboard.service.get(f"/architectures/{network}/latency")["items"][0]["id"])
    expect(rows.first).to_contain_text("succeeded")
    expect(rows.first).to_contain_text("3.00 ms")
    expect(rows.first).to_contain_text("NVIDIA H100")


def test_its_trainings_are_linked(dashboard: Dashboard) -> None:
    page = opened(dashboard, dashboard.service.ids.network, tab="trainings")
    link = page.get_by_role("link", name="the winner again")
    expect(link).to_have_attribute("href", f"#/trainings/{dashboard.service.ids.training}")


def test_a_given_network_is_renamed_and_deleted(dashboard: Dashboard) -> None:
    described = dashboard.service.get(f"/architectures/{dashboard.service.ids.network}")["architecture"]
    described["timm"]["num_classes"] = 3
    network = dashboard.service.post("/architectures", architecture=described, name="drei Vögel")["id"]
    page = opened(dashboard, network)
    expect(page.get_by_role("region", name="Try it")).to_contain_text("when it is trained")
    training = dashboard.service.post("/trainings", architecture=network, dataset="digits")
    queued = page.get_by_role("region", name="Try it").get_by_role("link", name="its training")
    expect(queued).to_have_attribute("href", f"#/trainings/{training['id']}")
    finish(dashboard.service.sessions, dashboard.service.blobs, UUID(training["id"]))
    page.reload()
    about = page.get_by_role("region", name="About")
    expect(about).to_contain_text(re.compile("99.0% .*by its own training on digits"))
    expect(about).to_contain_text("not counted, for it was trained with other classes")
    expect(page.get_by_role("region", name="Try it").get_by_role("link")).to_have_text(training["name"])
    page.get_by_role("link", name="Files and code").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download json", exact=True).click()
    assert saved.value.suggested_filename == f"drei-Vögel-digits-25-epochs-{training['id'][-8:]}.json"
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill(WORST[:200])
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORST[:200])
    check(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{dashboard.service.url}/#/networks")
    assert network not in {each["id"] for each in dashboard.service.get("/architectures", limit=200)["items"]}


def test_a_standard_network_shows_what_it_can(dashboard: Dashboard) -> None:
    [standard] = dashboard.service.get("/architectures", role="reference")["items"]
    for tab, said in {
        "network": "built by timm from its name",
        "accuracy": "Test pictures",
        "files": "safetensors",
        "trainings": "with its search",
    }.items():
        page = opened(dashboard, standard["id"], tab=tab)
        expect(page.get_by_text(said).first).to_be_visible()


def test_a_network_that_is_not_there_says_so(dashboard: Dashboard) -> None:
    dashboard.expect("answered 404: GET /architectures/")
    page = opened(dashboard, "01a219bb-0000-7000-8000-000000000000")
    expect(page.get_by_role("alert")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(running: Service, opened: Opened) -> None:
    with opened(running, viewport={"width": 360, "height": 800}) as dashboard:
        for tab in ("network", "accuracy", "files", "trainings"):
            page = dashboard.open(f"#/networks/{running.ids.network}?tab={tab}")
            page.locator(".panel").first.wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab


def test_its_json_is_the_description(dashboard: Dashboard) -> None:
    network = dashboard.service.ids.network
    page = opened(dashboard, network, tab="files")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download json", exact=True).click()
    assert (
        json.loads(Path(saved.value.path()).read_text())
        == dashboard.service.get(f"/architectures/{network}")["architecture"]
    )
