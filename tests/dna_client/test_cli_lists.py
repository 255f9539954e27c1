"""``dna ... list``, ``update`` and ``create --from`` against a real API process."""

from __future__ import annotations

import pytest

from dna_client.cli.options import changed_labels, labels, wanted_labels
from dna_client.client import Client
from dna_client.errors import LocalError
from tests.dna_client.conftest import Dna

LIKE_AN_ID = "0199d3f0-5a34-7c1e-b6a8-0d6f6f3f7a10"


def test_lists_are_ordered_narrowed_and_read_whole(dna: Dna, client: Client) -> None:
    for name in ("list b", "list a", "list c"):
        client.create_search({"dataset": "digits", "name": name, "labels": {"of": "lists", "k8s:app": name[-1]}})

    def names(*options: str) -> list[str]:
        return [found["name"] for found in dna("search", "list", "--json", *options).json["items"]]

    assert names("--q", "LIST ", "--sort", "name") == ["list a", "list b", "list c"]
    assert names("--label", "of=lists", "--sort", "-name", "--limit", "2") == ["list c", "list b"]
    assert names("--label", "of", "--sort", "name", "--limit", "1", "--all") == ["list a", "list b", "list c"]
    assert names("--label", r"k8s\:app=b", "--state", "queued", "--state", "running") == ["list b"]
    assert names("--label", "of=lists", "--state", "failed", "--all") == []
    [last] = [found["id"] for found in client.list_searches(q="list c", priority="normal")["items"]]
    client.update_search(last, priority="high")
    assert names("--label", "of=lists", "--priority", "high") == ["list c"]
    assert names("--label", "of=lists", "--priority", "low", "--priority", "high", "--all") == ["list c"]
    people = ("search", "list", "--sort", "name", "--q")
    [heading, *rows] = dna(*people, "list ").out.splitlines()[:4]
    assert heading.endswith("priority")
    assert [row.split()[-1] for row in rows] == ["a", "b", "high"], "what is usual is not said"
    assert "priority" not in dna(*people, "list a").out.splitlines()[0]
    page = dna("search", "list", "--q", "list ", "--sort", "name", "--limit", "2", "--json").json
    assert names("--q", "list ", "--sort", "name", "--limit", "2", "--cursor", page["next"]) == ["list c"]
    assert "other filters" in dna("search", "list", "--sort", "name", "--cursor", page["next"]).err
    assert "Did you mean -name?" in dna("search", "list", "--sort", "-nam").err


def test_a_job_is_renamed_labelled_and_made_of_another(dna: Dna) -> None:
    first = dna("search", "create", "--dataset", "digits", "--name", "to clone", "--flops", "800k", "--label", "a=1", "--label", "b=2", "--json").json  # fmt: skip
    said = dna("search", "update", "to clone", "--name", LIKE_AN_ID, "--label", "a-", "--label", "b=3")
    called = f"Search {first['id']} is called {LIKE_AN_ID}; its labels: b=3; its priority: normal\n"
    assert (said.code, said.err) == (0, called)
    assert dna("search", "show", LIKE_AN_ID, "--json").json["id"] == first["id"], (
        "it is named like an id that nothing has"
    )
    assert dna("search", "show", first["id"], "--json").json["labels"] == {"b": "3"}
    assert "its priority: high" in dna("search", "update", first["id"], "--priority", "high").err
    assert "phase teacher, 0%, high priority" in dna("search", "show", first["id"]).out
    nothing = dna("search", "update", LIKE_AN_ID)
    assert (nothing.code, "--name NAME" in nothing.err) == (2, True)
    made = dna("search", "create", "--from", LIKE_AN_ID, "--seed", "9", "--label", "c=4", "--json").json
    assert (made["cloned_from"], made["seed"], made["labels"]) == (first["id"], 9, {"b": "3", "c": "4"})
    assert made["spec"]["budget"]["flops"] == 800_000
    assert "Chosen" not in dna("search", "create", "--from", first["id"]).err
    assert dna("search", "estimate", "--from", first["id"], "--json").json["spec"]["budget"]["flops"] == 800_000


def test_trainings_and_tunings_are_made_of_others_too(dna: Dna, network: str) -> None:
    for kind in ("training", "tuning"):
        first = dna(kind, "create", network, "--dataset", "digits", "--name", f"{kind} to clone", "--json").json
        made = dna(kind, "create", "--from", f"{kind} to clone", "--seed", "5", "--json").json
        assert (made["cloned_from"], made["seed"], made["architecture_id"]) == (first["id"], 5, network)
        changed = dna(kind, "update", made["id"], "--name", "another", "--priority", "low", "--json").json
        assert (changed["name"], changed["priority"]) == ("another", "low")
        assert [found["id"] for found in dna(kind, "list", "--priority", "low", "--json").json["items"]] == [made["id"]]
        dna(kind, "cancel", made["id"])
        refused = dna(kind, "update", made["id"], "--priority", "high")
        assert (refused.code, "Resume it first" in refused.err) == (5, True)


def test_labels_are_read_as_people_write_them() -> None:
    assert labels(["a=1", "b:2", r"k8s\:app=x", r"a\=b=c", "url=http://x"]) == {
        "a": "1",
        "b": "2",
        "k8s:app": "x",
        "a=b": "c",
        "url": "http://x",
    }
    assert wanted_labels(["a=1", "b", r"k8s\:app"]) == {"a": "1", "b": None, "k8s:app": None}
    assert changed_labels(["a=1-", "b-", r"k8s\:app-"]) == {"a": "1-", "b": None, "k8s:app": None}
    for wrong in (["a"], ["=x"], ["-"]):
        with pytest.raises(LocalError, match="key=value"):
            changed_labels(wrong)
