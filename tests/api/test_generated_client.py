"""A client that is generated from the document can use the service: searches, their events, uploads and downloads, with types."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openapi_python_client import Config, MetaType, generate
from openapi_python_client.config import ConfigFile

from api.settings import ApiSettings
from dna_engine.space.architecture import published
from tests.api.conftest import serving
from tests.dna_engine.images.test_archive import zipped

ROOT = Path(__file__).parents[2]

#: What lies in it is for a worker to see, and none is there.
ARCHIVE = zipped({f"{name}/{number}.png": bytes(100) for name in ("owl", "wren") for number in range(3)}).getvalue()


@dataclass(frozen=True)
class Generated:
    """A client of a service that runs: its package, and an instance of it."""

    package: str
    client: Any

    def __call__(self, operation: str, *args: Any, **given: Any) -> Any:
        """The whole answer of an operation, such as ``searches.create_search``."""
        answer = self.module(f"api.{operation}").sync_detailed(*args, client=self.client, **given)
        assert answer.status_code < 300, answer
        return answer

    def model(self, name: str) -> Any:
        return getattr(self.module("models"), name)

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.package}.{name}")


@pytest.fixture(scope="module")
def generated(shared_settings: ApiSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    folder = tmp_path_factory.mktemp("generated")
    with serving(shared_settings) as http, pytest.MonkeyPatch.context() as patch:
        config = Config.from_sources(
            ConfigFile.load_from_path(ROOT / "docs" / "client.yaml"),
            MetaType.NONE,
            document_source=f"{http.base_url}/openapi.json",
            file_encoding="utf-8",
            overwrite=False,
            output_path=folder / "dna_generated",
        )
        assert [(error.header, error.detail) for error in generate(config=config)] == []
        patch.syspath_prepend(folder)
        made = importlib.import_module("dna_generated").Client(base_url=str(http.base_url), timeout=30)
        with made as client:
            yield Generated("dna_generated", client)


@pytest.fixture(scope="module")
def search(generated: Generated) -> Any:
    """One that was asked for and given up: nothing computes here."""
    spec = generated.model("SearchSpec").from_dict(
        {"dataset": "digits", "budget": {"flops": 800_000}, "labels": {"by": "generated"}}
    )
    made = generated("searches.create_search", body=spec, idempotency_key="generated")
    assert made.headers["location"] == f"/searches/{made.parsed.id}"
    generated("searches.cancel_search", made.parsed.id)
    return made.parsed


def test_every_operation_is_there(generated: Generated) -> None:
    document = generated.client.get_httpx_client().get("/openapi.json").json()
    for methods in document["paths"].values():
        for operation in methods.values():
            module = generated.module(f"api.{operation['tags'][0]}.{operation['operationId']}")
            assert callable(module.sync_detailed)


def test_a_search_has_types_all_the_way_down(generated: Generated, search: Any) -> None:
    assert search.state == generated.model("JobState").QUEUED
    assert [block.stride for block in search.spec.space.blocks] == [2, 2, 2]
    assert search.spec.teacher.weights == "train"
    assert search.spec.labels["by"] == "generated"
    usual = generated.model("Priority").NORMAL
    assert search.priority == usual
    found = generated("searches.list_searches", label=["by:generated"], priority=[usual]).parsed
    assert [item.id for item in found.items] == [search.id]


def test_orders_have_names(generated: Generated, search: Any) -> None:
    order = generated.model("ListSearchesSort")
    assert (order.CREATED_AT, order.CREATED_AT_DESC, order.ACCURACY_DESC) == ("created_at", "-created_at", "-accuracy")
    found = generated("searches.list_searches", sort=order.CREATED_AT).parsed
    assert search.id in [item.id for item in found.items]
    assert generated.model("ListTeachersSort").NAME_DESC == "-name"


def test_events_come_as_a_list_and_as_a_stream(generated: Generated, search: Any) -> None:
    told = generated("searches.list_search_events", search.id).parsed.items
    assert isinstance(told[0], generated.model("StateEvent"))
    assert [event.data.state for event in told][-1] == generated.model("JobState").CANCELLED
    stream = generated("searches.stream_search_events", search.id).parsed
    lines = [line.removeprefix("id: ") for line in stream.splitlines() if line.startswith("id: ")]
    assert lines == [str(event.seq) for event in told]


def test_images_are_sent_at_once_and_in_pieces(generated: Generated) -> None:
    file = generated.module("types").File
    whole = generated.model("CreateDatasetBody")(
        file=file(payload=BytesIO(ARCHIVE), file_name="squares.zip"), name="generated"
    )
    made = generated("datasets.create_dataset", body=whole)
    assert (made.status_code, made.parsed.name, str(made.parsed.state)) == (202, "generated", "checking")

    begun = generated("datasets.begin_upload", upload_length=len(ARCHIVE), tus_resumable="1.0.0")
    upload = begun.headers["location"].rpartition("/")[2]
    generated(
        "datasets.send_piece", upload, body=file(payload=BytesIO(ARCHIVE[:100])), upload_offset=0, tus_resumable="1.0.0"
    )
    stands = generated("datasets.get_upload", upload, tus_resumable="1.0.0")
    rest = ARCHIVE[int(stands.headers["upload-offset"]) :]
    generated("datasets.send_piece", upload, body=file(payload=BytesIO(rest)), upload_offset=100, tus_resumable="1.0.0")
    again = generated(
        "datasets.create_dataset", body=generated.model("CreateDatasetBody")(upload=upload, name="generated")
    )
    assert again.parsed.version == 2


def test_a_network_is_given_and_downloaded(generated: Generated) -> None:
    described = published("dna-c", input_size=32).to_json()
    given = generated.model("ArchitectureIn").from_dict({"architecture": described, "name": "generated"})
    assert given.architecture.timm.stem_size == 32
    network = generated("architectures.create_architecture", body=given).parsed
    assert network.architecture.blocks[0].ops == described["blocks"][0]["ops"]
    answer = generated("architectures.download_architecture", network.id, format_=generated.model("Format").JSON)
    assert json.loads(answer.parsed.payload.read()) == described
    assert answer.headers["etag"]


def test_a_refusal_is_a_problem(generated: Generated, search: Any) -> None:
    answer = generated.module("api.results.select_networks").sync_detailed(
        search.id, client=generated.client, body=generated.model("SelectIn")()
    )
    assert (answer.status_code, answer.parsed.type_) == (409, "urn:dna:error:conflict")
