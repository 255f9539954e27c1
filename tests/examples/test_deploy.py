"""From a network that was found on digits to one that answers to photos by curl and tritonclient, on a real service with two workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dna_client import Client
from examples import deploy
from store.embedded import Servers
from store.settings import Settings
from tests.conftest import new_database
from tests.dna_client.conftest import running_api
from tests.e2e.service import TINY, machine
from tests.e2e.test_own_photos import take_photos

SCRIPT = Path(deploy.__file__)


@pytest.mark.timeout(1800)  # Of a machine that is busy with other things.
def test_a_network_that_was_found_is_put_to_use_on_other_images(
    servers: Servers, migrated: str, tmp_path: Path
) -> None:
    photos = take_photos(tmp_path / "birds")
    photo = next((photos / "tench").glob("*.JPG"))
    with new_database(servers.database_url, template=migrated) as database_url:
        settings = Settings(database_url=database_url, redis_url=servers.redis_url, data_dir=tmp_path / "service")
        settings.data_dir.mkdir()
        with (
            running_api(database_url, servers.redis_url, settings.data_dir) as url,
            machine(settings),
            machine(settings),
            Client(url) as client,
        ):
            search = client.wait(client.create_search({**TINY, "name": "digits"})["id"])
            short = ("--trials", "8", "--trial-epochs", "1", "--epochs", "2", "--int8-loss", "1")
            command = [sys.executable, SCRIPT, "digits", photos, photo, "--output", tmp_path / "out", *short]
            ended = subprocess.run(command, env={**os.environ, "DNA_URL": url}, capture_output=True, text=True)
            assert ended.returncode == 0, ended.stdout + ended.stderr
            [tuning] = client.tunings.list()["items"]
            trials = list(client.tunings.trials(tuning["id"]))
    assert search["state"] == "succeeded"
    assert "Trying 8 recipes on 2 workers" in ended.stdout
    assert len(trials) == 8
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


def test_what_is_not_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"")
    for arguments, said in (
        ([tmp_path / "none", tmp_path / "photo.jpg"], "is no folder"),
        ([tmp_path, tmp_path], "is no file"),
    ):
        ended = subprocess.run([sys.executable, SCRIPT, "digits", *arguments], capture_output=True, text=True)
        assert ended.returncode == 2
        assert said in ended.stderr
