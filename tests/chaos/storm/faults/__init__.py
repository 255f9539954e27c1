"""The kinds of faults by their names. Each does one thing, to what its chance chooses, and says what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.storm.faults import frozen, killed, messages, people, servers, surroundings

if TYPE_CHECKING:
    from tests.chaos.storm.storm import Storm

_KINDS: tuple[Callable[[Storm, Random], str], ...] = (
    killed.kill_machine,
    killed.kill_node,
    killed.kill_engine,
    killed.kill_api,
    killed.kill_redis,
    killed.kill_backend,
    frozen.freeze_node,
    frozen.freeze_engine,
    frozen.freeze_postgres,
    servers.restart_postgres,
    servers.crash_postgres,
    servers.cut_connections,
    servers.lose_commit,
    servers.empty_redis,
    servers.fill_redis,
    messages.double_messages,
    messages.delay_messages,
    messages.forge_messages,
    surroundings.fill_store,
    surroundings.fill_data_folder,
    surroundings.step_clock,
    surroundings.swap_machines,
    people.cancel_and_resume,
    people.cancel,
    people.delete,
)

KINDS: Mapping[str, Callable[[Storm, Random], str]] = {kind.__name__: kind for kind in _KINDS}
