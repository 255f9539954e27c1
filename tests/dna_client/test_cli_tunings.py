"""``dna tuning`` against a real API process."""

from __future__ import annotations

from uuid import UUID

import pytest

from dna_client import Client
from tests.api.builders import finish
from tests.dna_client.conftest import Api, Dna


@pytest.fixture(scope="module")
def tuned(api: Api, network: str) -> str:
    """Id of a tuning that has succeeded."""
    spec = {"architecture": network, "dataset": "digits", "name": "tuned", "trials": 12, "labels": {"made": "tuned"}}
    with Client(api.url) as client:
        tuning = client.tunings.create(spec)
    finish(api.sessions, api.blobs, UUID(tuning["id"]))
    return tuning["id"]


def test_creates_from_options(dna: Dna, network: str, finished: str) -> None:
    tried = "--search learning_rate=1e-4:1e-1:log --search batch_size=16:64 --search sampling=uniform,by_class"
    others = "--trials 7 --epochs 4 --pruner hyperband --images 200 --recipe small --seed 3"
    made = dna(
        "tuning",
        "create",
        f"{finished[-8:]}/winner",
        *f"--dataset digits --name mine {tried} {others} --json".split(),
    ).json
    spec = made["spec"]
    assert (made["architecture_id"], made["name"], made["trials"]) == (network, "mine", 7)
    assert (spec["epochs"], spec["pruner"], spec["images"], spec["recipe"], spec["seed"]) == (4, "hyperband", 200, "small", 3)  # fmt: skip
    assert spec["search"] == {
        "learning_rate": {"low": 1e-4, "high": 0.1, "log": True, "whole": False},
        "batch_size": {"low": 16, "high": 64, "log": False, "whole": True},
        "sampling": {"choices": ["uniform", "by_class"]},
    }
    wide = dna("tuning", "create", network, "--dataset", "digits", "--search", "wide")
    assert "batch_size 16 to 128 (log)" in wide.err
    assert "held out" in wide.err


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("learning_rate", "There is no preset named 'learning_rate'"),
        ("learning_rate=1", "says nothing to try"),
        ("learning_rat=1:2", "Did you mean 'learning_rate'?"),
    ],
)
def test_what_cannot_be_tried_is_refused(dna: Dna, network: str, search: str, said: str) -> None:
    refused = dna("tuning", "create", network, "--dataset", "digits", "--search", search)
    assert refused.code != 0
    assert said in refused.err


def test_what_it_found_is_shown_and_trained_by(dna: Dna, network: str, tuned: str) -> None:
    shown = " ".join(dna("tuning", "show", "tuned").out.split())
    assert "12 trials of 8 epochs by quick, 16 pixels, seed 0: 12 complete" in shown
    assert "learning_rate 0.0003 to 0.03 (log)" in shown
    assert "Best: trial 1, right on 90.00% of 287 held-out images." in shown
    assert tuned in dna("tuning", "list", "--label", "made=tuned").out
    assert [each["id"] for each in dna("tuning", "list", "--state", "succeeded", "--json").json["items"]] == [tuned]
    made = dna("training", "create", network, "--dataset", "digits", "--recipe", "tuning:tuned", "--json").json
    assert made["spec"]["recipe"] == "quick"


def test_its_trials_are_told_of_one_by_one(dna: Dna, tuned: str) -> None:
    lines = dna("tuning", "trials", tuned).out.splitlines()
    assert lines[0].split() == ["trial", "state", "held", "out", "epochs", "label_smoothing", "learning_rate", "weight_decay"]  # fmt: skip
    assert [line.split()[:3] for line in lines[1:13]] == [[str(n), "complete", "90.00%"] for n in range(1, 13)]
    told = dna("tuning", "trials", tuned, "--json").json
    assert [trial["number"] for trial in told["trials"]] == [*range(1, 13)]


def test_an_estimate_makes_nothing(dna: Dna, network: str) -> None:
    before = len(dna("tuning", "list", "--json").json["items"])
    said = dna("tuning", "estimate", network, "--dataset", "digits", "--trials", "5").out
    assert "5 trials of about" in said
    assert dna("tuning", "estimate", network, "--dataset", "digits", "--json").json["trials"] == 20
    assert len(dna("tuning", "list", "--json").json["items"]) == before


def test_all_verbs(dna: Dna, network: str) -> None:
    made = dna("tuning", "create", network, "--dataset", "digits", "--trials", "2", "--name", "brief", "--json").json
    assert dna("tuning", "cancel", made["id"], "--json").json["state"] == "cancelled"
    assert dna("tuning", "resume", "brief", "--json").json["state"] == "queued"
    dna("tuning", "cancel", "brief")
    assert dna("tuning", "delete", "brief", "--json").json == {"id": made["id"], "deleted": True}


def test_watched_in_lines(dna: Dna, tuned: str) -> None:
    watched = dna("tuning", "watch", tuned)
    assert watched.code == 0
    assert "dna training create" in watched.err
    assert f"--recipe tuning:{tuned}" in watched.err
