"""The kinds of faults by their names. Each does one thing, to what its chance chooses, and says what it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.storm.faults import frozen, killed, messages, people, servers, surroundings

if TYPE_CHECKING:
    from tests.chaos.storm.storm import Storm

#: Those first after which no process is started anew: in a short storm they come once more often than the last.
_KINDS: tuple[Callable[[Storm, Random], str], ...] = (
    servers.lose_commit,
    servers.cut_connections,
    messages.double_messages,
    servers.empty_redis,
    servers.fill_redis,
    messages.delay_messages,
    messages.forge_messages,
    servers.restart_postgres,
    servers.crash_postgres,
    people.cancel_and_resume,
    surroundings.fill_store,
    surroundings.fill_data_folder,
    surroundings.step_clock,
    surroundings.swap_machines,
    people.cancel,
    people.delete,
    frozen.freeze_postgres,
    frozen.freeze_engine,
    frozen.freeze_node,
    killed.kill_redis,
    killed.kill_backend,
    killed.kill_api,
    killed.kill_engine,
    killed.kill_node,
    killed.kill_machine,
)

KINDS: Mapping[str, Callable[[Storm, Random], str]] = {kind.__name__: kind for kind in _KINDS}
