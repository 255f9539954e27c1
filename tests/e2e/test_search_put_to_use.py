"""From a network that was found on digits to one that answers to photos by curl and tritonclient."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dna_client import Client
from examples import deploy
from tests.e2e.conftest import Done
from tests.e2e.test_search_of_photos import take_photos


@pytest.mark.timeout(1800)  # Of a machine that is busy with other things.
def test_a_network_that_was_found_is_put_to_use_on_other_images(done: Done, tmp_path: Path) -> None:
    photos = take_photos(tmp_path / "birds")
    photo = next((photos / "tench").glob("*.JPG"))
    with Client(done.url) as client:
        short = ("--trials", "2", "--trial-epochs", "1", "--epochs", "2", "--int8-loss", "1")
        asked = [done.search["name"], photos, photo, "--output", tmp_path / "out", *short]
        command = [sys.executable, deploy.__file__, *asked]
        ended = subprocess.run(command, env={**os.environ, "DNA_URL": done.url}, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        [tuning] = client.tunings.list()["items"]
        trials = list(client.tunings.trials(tuning["id"]))
    assert "Trying 2 recipes on 1 workers" in ended.stdout
    assert len(trials) == 2
    answers = re.findall(r"^out(-int8)?, by (curl|tritonclient): (\S.*) \(([\d.]+)%\)$", ended.stdout, re.MULTILINE)
    assert [answer[:2] for answer in answers] == [
        ("", "curl"),
        ("", "tritonclient"),
        ("-int8", "curl"),
        ("-int8", "tritonclient"),
    ]
    for curl, triton in (answers[:2], answers[2:]):
        assert curl[2:] == triton[2:]
        assert curl[2] in {folder.name for folder in photos.iterdir()}
