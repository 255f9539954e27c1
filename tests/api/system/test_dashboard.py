"""The dashboard's files: all of the package's own, and run by nothing but their own modules. What it does is in ``tests/browser``."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.system.files import version

HERE = Path(str(files("api"))) / "static" / "dashboard"
VENDOR = HERE / "vendor"
ROWS = re.findall(
    r"^\| `(\S+)` \|.*\| (?:`(.+)` is `(.+)`)? *\| `([0-9a-f]{64})` \|$",
    (VENDOR / "README.md").read_text(),
    re.MULTILINE,
)


def test_the_front_page_is_the_dashboard(shared: TestClient) -> None:
    page = shared.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


def test_it_loads_only_files_of_the_package(shared: TestClient) -> None:
    linked = re.findall(r'(?:src|href)="([^"]+)"', shared.get("/").text)
    assert len(linked) > 4
    for link in linked:
        assert "//" not in link
        assert shared.get(f"/{link}").status_code == 200


def test_its_files_are_kept_by_browsers_until_there_are_others(shared: TestClient, tmp_path: Path) -> None:
    page = shared.get("/")
    assert "static/dashboard" not in page.text
    assert shared.get("/", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    (main,) = re.findall(r'src="([^"]+main\.js)"', page.text)
    assert "immutable" in shared.get(f"/{main}").headers["cache-control"]
    missing = shared.get(f"/{main}.map")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    (tmp_path / "parts").mkdir()
    versions = []
    for content in ("one", "two", "one"):
        (tmp_path / "parts/table.js").write_text(content)
        version.cache_clear()
        versions.append(version(tmp_path))
    assert versions[0] == versions[2] != versions[1]


@pytest.mark.parametrize(
    "module", sorted(path.relative_to(HERE).as_posix() for path in HERE.rglob("*.js") if VENDOR not in path.parents)
)
def test_its_modules_import_files_that_are_there(module: str) -> None:
    path = HERE / module
    for imported in re.findall(
        r'(?:^(?:import|export|\}).*from |import\(|^import )"([^"]+)"', path.read_text(), re.MULTILINE
    ):
        assert imported.startswith(("./", "../")), imported
        assert (path.parent / imported).resolve().is_file(), imported


def test_the_page_names_all_files_that_it_begins_with() -> None:
    """A browser would find them one after the other, each when it has read the one before."""
    page = (HERE / "index.html").read_text()
    named = re.findall(r'<link rel="modulepreload" href="static/dashboard/([^"]+)">', page)
    assert sorted([*named, "main.js"]) == sorted(_imported("main.js", set()))


def _imported(module: str, known: set[str]) -> set[str]:
    """It, and all that it cannot begin without."""
    if module not in known:
        known.add(module)
        for imported in re.findall(
            r'^(?:import|export)\b[^;]*?from "([^"]+)"', (HERE / module).read_text(), re.MULTILINE
        ):
            _imported(((HERE / module).parent / imported).resolve().relative_to(HERE.resolve()).as_posix(), known)
    return known


def test_nothing_of_it_makes_markup_of_text() -> None:
    for path in HERE.rglob("*.js"):
        if VENDOR not in path.parents:
            found = re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?!www\.w3\.org)",
                path.read_text(),
            )
            assert not found, f"{path.name}: {found and found[0]}"


def test_every_rule_of_its_stylesheets_ends() -> None:
    for path in (HERE / "styles").iterdir():
        rules = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        assert rules.count("{") == rules.count("}"), path.name


def test_every_vendored_file_is_listed() -> None:
    kept = {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css")}
    assert kept == {name for name, *_ in ROWS}


@pytest.mark.parametrize(("name", "published", "here", "checksum"), ROWS)
def test_a_vendored_file_is_the_published_one(name: str, published: str, here: str, checksum: str) -> None:
    content = (VENDOR / name).read_text()
    if published:
        content = content.replace(here, published)
    assert hashlib.sha256(content.encode()).hexdigest() == checksum


def test_a_class_is_styled_in_one_place() -> None:
    """All stylesheets are one page's: a name that two use for different things moves what it was not meant for."""
    places: dict[str, set[str]] = {}
    for path in (HERE / "styles").glob("*.css"):
        for name in re.findall(r"^(\.[\w-]+) \{", path.read_text(), re.MULTILINE):
            places.setdefault(name, set()).add(path.name)
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
