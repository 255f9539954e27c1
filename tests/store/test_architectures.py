"""Networks chosen afterwards, and ids that lead nowhere."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from store import architectures, datasets, steps, trainings
from store.errors import IllegalTransition, NotFound
from store.states import Role
from tests.store.builders import new_search


def test_selected_networks_are_kept_once(session: Session) -> None:
    search = new_search(session)
    network = {"format": "dna-architecture/1", "blocks": [{"cell": 1}]}
    first = architectures.select_network(session, search.id, network, loss=1.0, flops=2, params=3)
    again = architectures.select_network(session, search.id, dict(network), loss=1.0, flops=2, params=3)
    assert first is again
    assert architectures.of_search(session, search.id, role=Role.SELECTED) == [first]
    assert architectures.of_search(session, search.id, role=Role.WINNER) == []
    assert architectures.get(session, first.id) is first


def test_a_standard_network_keeps_the_name_of_its_model(session: Session) -> None:
    search = new_search(session)
    network = architectures.select_network(session, search.id, {}, loss=1.0, flops=2, params=3, name="mine")
    assert (network.name, network.search) == ("mine", search.name)
    network.role, network.name = Role.REFERENCE, "lcnet_100"
    with pytest.raises(IllegalTransition, match="lcnet_100 is a standard network, and keeps its name"):
        architectures.rename(session, network.id, "mine")
    assert architectures.called(session, "lcnet_100") == []


@pytest.mark.parametrize("module", [architectures, datasets, steps, trainings])
def test_what_is_missing_is_not_found(session: Session, module: object) -> None:
    with pytest.raises(NotFound, match="There is no"):
        module.get(session, uuid4())  # type: ignore[attr-defined]
