"""What senders can say of how their images are to be read, and what they are asked for."""

from __future__ import annotations

import io

from starlette.testclient import TestClient

from tests.api.datasets.test_upload import send
from tests.api.problems import problem
from tests.untidy import DATASETS, named_in, zipped


def test_folders_are_classes_where_the_sender_says_so(client: TestClient) -> None:
    archive = io.BytesIO(zipped(DATASETS["folds"]()))
    refused = problem(send(client, archive), 422, "data_error")
    assert "fold1/, fold2/ look like parts of one set" in refused["detail"]
    made = send(client, archive, layout="classes").json()
    assert made["class_names"] == ["fold1", "fold2"]
    assert (
        problem(send(client, archive, "more", layout="folders"), 422, "invalid_request")["errors"][0]["pointer"]
        == "#/layout"
    )


def test_an_encoding_is_asked_for_and_taken(client: TestClient) -> None:
    files = {
        f"{name}/{number}.png": content
        for name in ("猫", "狗")
        for number, content in enumerate(DATASETS["flat"]().values())
    }
    archive = io.BytesIO(named_in("gbk", files))
    refused = problem(send(client, archive), 422, "data_error")
    assert refused["errors"][0]["pointer"] == "#/encoding"
    assert "gb18030 (GBK): 猫/" in refused["detail"]
    assert send(client, archive, encoding="gbk").json()["class_names"] == ["狗", "猫"]
    assert (
        "no encoding named 'klingon'"
        in problem(send(client, archive, "more", encoding="klingon"), 422, "data_error")["detail"]
    )


def test_images_to_decide_by_are_counted(client: TestClient) -> None:
    made = send(client, io.BytesIO(zipped(DATASETS["three splits"]()))).json()
    assert (made["num_train"], made["num_val"], made["num_test"]) == (4, 4, 6)
    assert client.get("/datasets/digits").json()["num_val"] == 0
