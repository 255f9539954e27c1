"""Networks that no search has found: a description that was sent, or the name of a published one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from api.errors import Invalid
from dna_engine.errors import EngineError
from dna_engine.space.cost import architecture_cost
from dna_engine.space.given import given
from store import architectures
from store.tables import Architecture


def keep(session: Session, value: str | Mapping[str, Any], *, name: str | None = None) -> tuple[Architecture, bool]:
    """The row of the network, and whether it is new.

    Args:
        value: the name of a published one, or its JSON.
        name: what to call it; that of a published one is its own.

    Raises:
        Invalid: there is no such network, or the description is none that can be trained.
    """
    try:
        network = given(value)
    except EngineError as error:
        where = "" if error.param is None or isinstance(value, str) else f" ({error.param.removeprefix('space.')})"
        raise invalid(f"{error.message.removesuffix('.')}{where}") from error
    costs = architecture_cost(network)
    called = value if isinstance(value, str) else name
    return architectures.give(session, network.to_json(), name=called or None, flops=costs.flops, params=costs.params)


def invalid(message: str) -> Invalid:
    """What is wrong with the field ``architecture``."""
    return Invalid(f"{message}.", errors=[{"pointer": "#/architecture", "detail": message}])
