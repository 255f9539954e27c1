"""``dna open``: from what a person calls something to the address of its page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dna_client import Client
from dna_client.cli.demo import see_again
from tests.dna_client.conftest import Api, Dna


def test_the_page_of_each_kind(api: Api, dna: Dna, finished: str, network: str, trained: str, client: Client) -> None:
    """By an end of the id, by a name, and by the role of a network."""
    digits = client.get_dataset("digits")["id"]
    wanted = {
        finished[-8:]: f"searches/{finished}",
        "finished": f"searches/{finished}",
        trained: f"trainings/{trained}",
        network: f"networks/{network}",
        "finished/winner": f"networks/{network}",
        "digits": f"datasets/{digits}",
    }
    for ref, place in wanted.items():
        assert dna("open", ref, "--json").json == {"url": f"{api.url}/#/{place}"}
    assert dna("open", "--json").json == {"url": f"{api.url}/"}


def test_what_is_nothing_or_several_things(api: Api, dna: Dna, client: Client) -> None:
    missing = dna("open", "nothing of that name")
    assert missing.code == 4
    assert "no search, training, tuning, network or dataset 'nothing of that name'" in missing.err
    gone = dna("open", "00000000-0000-7000-8000-000000000000")
    assert gone.code == 4
    assert "Nothing here has the id" in gone.err
    first = client.create_search({"dataset": "digits", "name": "twice"})["id"]
    second = client.create_search({"dataset": "digits", "name": "twice"})["id"]
    several = dna("open", "twice")
    assert several.code == 2
    assert first[-8:] in several.err
    assert second[-8:] in several.err
    assert "search, queued" in several.err


@pytest.mark.parametrize("there", [True, False])
def test_the_browser_gets_the_address(api: Api, finished: str, tmp_path: Path, there: bool) -> None:
    """The one that the environment names; without any it is said."""
    browser, got = tmp_path / "browser", tmp_path / "got"
    browser.write_text(f'#!/bin/sh\necho "$1" > {got}\n')
    browser.chmod(0o700)
    environment = {**os.environ, "BROWSER": str(browser)} if there else {**os.environ, "PATH": "/nowhere"}
    command = [sys.executable, "-m", "dna_client", "open", "finished", "--url", api.url]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    address = f"{api.url}/#/searches/{finished}"
    assert run.stdout == f"{address}\n"
    assert run.stderr == ("" if there else "No browser was found here: open the address in one.\n")
    assert (got.read_text().strip() if there else address) == address


def test_the_demo_says_how_to_come_back() -> None:
    said = see_again("0199", Path("my demo/service"))
    assert "dna up --data-dir 'my demo/service'\n" in said
    assert said.endswith("http://127.0.0.1:8000/#/searches/0199")
