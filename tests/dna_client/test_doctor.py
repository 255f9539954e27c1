"""``dna doctor`` beside a real service, and from elsewhere through a proxy that alters what it says."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from dna_client import doctor
from tests.dna_client.conftest import Api, Dna


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A machine without a service; returns its data folder."""
    for name in ("DNA_DATABASE_URL", "DNA_REDIS_URL", "DNA_DATA_DIR", "DNA_URL", "DNA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return str(tmp_path / "nothing")


@pytest.fixture
def altered(api: Api) -> Iterator[Callable[..., str]]:
    """The address of the same service whose clock is ``ahead`` and whose version is another."""
    opened: list[ThreadingHTTPServer] = []

    def open_one(ahead: timedelta = timedelta(0), version: str | None = None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = httpx.get(f"{api.url}{self.path}")
                body = answer.content
                if version and self.path == "/openapi.json":
                    body = json.dumps({"info": {"version": version}}).encode()
                self.send_response_only(answer.status_code)
                self.send_header("Date", format_datetime(datetime.now(UTC) + ahead, usegmt=True))
                self.send_header("Content-Type", answer.headers["content-type"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield open_one
    for server in opened:
        server.shutdown()
        server.server_close()


def test_from_elsewhere(dna: Dna, altered: Callable[..., str], elsewhere: str) -> None:
    sound = dna("doctor", "--url", altered(), "--data-dir", elsewhere, "--json").json
    assert sound["ok"]
    assert {finding["check"] for finding in sound["findings"]} >= {"service", "clock", "ready", "versions", "keys"}
    assert sound["fixed"] == []
    found = dna("doctor", "--url", altered(timedelta(minutes=10), "9.9.9"), "--data-dir", elsewhere)
    assert found.code == 1
    behind = re.search(r"wrong    clock: This machine is (\d+) s behind the service.", found.out)
    assert behind
    assert abs(int(behind[1]) - 600) < 60
    assert "warning  versions: The service is dna-automl 9.9.9" in found.out
    assert "1 thing wrong" in found.err
    away = dna("doctor", "--url", "http://127.0.0.1:1", "--data-dir", elsewhere)
    assert (away.code, away.out[:32]) == (1, "wrong    service: No answer from")
    refused = dna("doctor", "--fix", "--yes", "--data-dir", elsewhere)
    assert refused.code == 2
    assert "Only on the machine of a service" in refused.err


def test_a_door_that_stands_open() -> None:
    assert doctor._open("http://127.0.0.1:8000").level == "ok"
    found = doctor._open("http://192.0.2.7:8000")
    assert found.level == "wrong"
    assert "may do everything without a key" in found.said


def test_beside_a_service(api: Api, dna: Dna, monkeypatch: pytest.MonkeyPatch, elsewhere: str) -> None:
    orphan = api.blobs.write(io.BytesIO(b"of nobody"))
    url = api.sessions.kw["bind"].url.render_as_string(hide_password=False)
    here = {
        "DATABASE_URL": url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DATA_DIR": str(api.data),
        "ORPHAN_HOURS": "1e-9",
    }
    for name, value in here.items():
        monkeypatch.setenv(f"DNA_{name}", value)
    nobody = dna("doctor", "--fix", "--url", api.url)
    assert nobody.code == 2
    assert "Say --yes as well" in nobody.err
    assert api.blobs.exists(orphan.location)
    found = dna("doctor", "--fix", "--yes", "--url", api.url, "--json")
    assert found.code == 1
    told = json.loads(found.out)
    assert "stored file" in told["fixed"][-1]
    assert not api.blobs.exists(orphan.location)
    wrong = {finding["check"]: finding for finding in told["findings"] if finding["level"] == "wrong"}
    assert wrong["Redis"]["advice"]
    said = [finding["said"] for finding in told["findings"]]
    assert len(said) == len(set(said)), "nothing is told twice"
    assert {"devices", "schema", "service"} <= {finding["check"] for finding in told["findings"]}
