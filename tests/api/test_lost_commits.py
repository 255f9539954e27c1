"""A connection dies at any COMMIT of a request: it is done once, and its answer is to be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from api.settings import ApiSettings
from store.blobs import BlobStore
from store.session import Sessions, transaction
from store.tables import Architecture, Dataset, OutboxMessage, Search
from tests.api.builders import FEW_TRIED, finish
from tests.api.datasets.conftest import BIRDS, send
from tests.dna_engine.images.test_archive import zipped
from tests.lossy import Loss, LossyProxy, lossy_proxy
from tests.store.kept import rows_and_files

#: More commits than a request makes.
MOST = 12


@pytest.fixture
def proxy(database_url: str) -> Iterator[LossyProxy]:
    with lossy_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def api_settings(api_settings: ApiSettings, proxy: LossyProxy) -> ApiSettings:
    """The API reaches PostgreSQL through the proxy."""
    return api_settings.model_copy(update={"database_url": proxy.url})


class Caller:
    """Sends requests while connections are cut, and again what was not done."""

    def __init__(self, client: TestClient, proxy: LossyProxy) -> None:
        self.client = client
        self.proxy = proxy

    def at_every_commit(self, loss: Loss, ask: Callable[[int], httpx.Response]) -> int:
        """Sends a request for each commit it makes, that one cut; returns how many. One that failed is sent again."""
        for nth in range(1, MOST):
            before = self.proxy.lost
            self.proxy.lose(loss, nth=nth)
            response = ask(nth)
            if self.proxy.lost == before:
                self.proxy.lose_nothing()
                return nth
            if loss is Loss.ANSWER:
                assert response.is_success, response.text
            if response.status_code == 503:
                response = ask(nth)
            assert response.is_success, response.text
        raise AssertionError("a request with so many commits was not thought of")


@pytest.fixture
def caller(client: TestClient, proxy: LossyProxy) -> Caller:
    return Caller(client, proxy)


def count(sessions: Sessions, table: type[Architecture | Dataset | OutboxMessage | Search]) -> int:
    with transaction(sessions) as session:
        return session.scalars(select(func.count()).select_from(table)).one()


@pytest.mark.parametrize("loss", Loss)
def test_a_search_is_made_once(caller: Caller, sessions: Sessions, loss: Loss) -> None:
    def make(nth: int) -> httpx.Response:
        return caller.client.post("/searches", json={"dataset": "digits"}, headers={"idempotency-key": f"k{nth}"})

    made = caller.at_every_commit(loss, make)
    assert count(sessions, Search) == count(sessions, OutboxMessage) == made
    again = [make(nth) for nth in range(1, made + 1)]
    assert {answer.headers["idempotent-replayed"] for answer in again} == {"true"}
    assert len({answer.json()["id"] for answer in again}) == count(sessions, Search) == made


def test_it_is_cancelled_resumed_and_deleted(caller: Caller, sessions: Sessions) -> None:
    made = [UUID(caller.client.post("/searches", json={"dataset": "digits"}).json()["id"]) for _ in range(MOST)]
    for verb in ("cancel", "resume", "cancel"):
        cut = caller.at_every_commit(
            Loss.ANSWER, lambda nth, verb=verb: caller.client.post(f"/searches/{made[nth]}/{verb}")
        )
    deleted = caller.at_every_commit(Loss.ANSWER, lambda nth: caller.client.delete(f"/searches/{made[nth]}"))
    assert cut > 1
    assert count(sessions, Search) == MOST - deleted


@pytest.mark.parametrize("loss", Loss)
def test_a_dataset_and_its_archive_stay_and_go_together(
    caller: Caller, sessions: Sessions, api_settings: ApiSettings, loss: Loss
) -> None:
    builtin = count(sessions, Dataset)

    def upload(nth: int) -> httpx.Response:
        return send(caller.client, zipped(BIRDS), f"birds{nth}", idempotency_key=f"k{nth}")

    made = caller.at_every_commit(loss, upload)
    assert count(sessions, Dataset) == builtin + made
    named, found = rows_and_files(sessions, api_settings.artifacts)
    assert named == found
    assert len(named) == made
    caller.at_every_commit(Loss.ANSWER, lambda nth: caller.client.delete(f"/datasets/birds{nth}"))
    named, found = rows_and_files(sessions, api_settings.artifacts)
    assert named == found


def test_files_of_a_deleted_search_go_with_it(
    caller: Caller, proxy: LossyProxy, sessions: Sessions, blobs: BlobStore, api_settings: ApiSettings
) -> None:
    made = caller.client.post("/searches", json=FEW_TRIED).json()["id"]
    finish(sessions, blobs, UUID(made))
    chosen = caller.at_every_commit(
        Loss.ANSWER, lambda _: caller.client.post(f"/searches/{made}/select", json={"top_k": 3})
    )
    assert chosen > 1
    assert count(sessions, Architecture) <= 5
    assert all(rows_and_files(sessions, api_settings.artifacts))
    proxy.lose(Loss.ANSWER)
    assert caller.client.delete(f"/searches/{made}").status_code == 204
    assert rows_and_files(sessions, api_settings.artifacts) == (set(), set())
