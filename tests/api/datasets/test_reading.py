"""What senders can say of how their images are to be read, and what they are asked for."""

from __future__ import annotations

import io

from tests.api.datasets.conftest import Bench, send
from tests.api.problems import problem
from tests.untidy import DATASETS, named_in, zipped


def test_folders_are_classes_where_the_sender_says_so(bench: Bench) -> None:
    archive = io.BytesIO(zipped(DATASETS["folds"]()))
    rejected = bench.send(archive)
    assert "fold1/, fold2/ look like parts of one set" in rejected["error"]["message"]
    made = bench.send(archive, layout="classes")
    assert made["class_names"] == ["fold1", "fold2"]
    assert (
        problem(send(bench.client, archive, "more", layout="folders"), 422, "invalid_request")["errors"][0]["pointer"]
        == "#/layout"
    )


def test_an_encoding_is_asked_for_and_taken(bench: Bench) -> None:
    files = {
        f"{name}/{number}.png": content
        for name in ("猫", "狗")
        for number, content in enumerate(DATASETS["flat"]().values())
    }
    archive = io.BytesIO(named_in("gbk", files))
    rejected = bench.send(archive)["error"]
    assert rejected["param"] == "encoding"
    assert "gb18030 (GBK): 猫/" in rejected["message"]
    taken = bench.send(archive, encoding="gbk", licence="CC BY 4.0")
    assert (taken["class_names"], taken["licence"]) == (["狗", "猫"], "CC BY 4.0")
    assert "no encoding named 'klingon'" in bench.send(archive, encoding="klingon")["error"]["message"]


def test_images_to_decide_by_are_counted(bench: Bench) -> None:
    made = bench.send(io.BytesIO(zipped(DATASETS["three splits"]())))
    assert (made["num_train"], made["num_val"], made["num_test"]) == (4, 4, 6)
    assert bench.client.get("/datasets/birds/report").json()["splits"] == {"train": 4, "val": 4, "test": 6}
