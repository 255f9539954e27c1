"""Processes that stop for a while and go on where they were, as under a debugger, in a paused container or on a machine that swaps."""

from __future__ import annotations

import time
from contextlib import suppress
from random import Random

from tests.chaos.storm.storm import Storm
from tests.e2e.service import alive, engines_of, wait_for

#: What an engine may take to see that its node says nothing any more, beyond its patience.
LEAVE_SECONDS = 60.0


def freeze_node(storm: Storm, chance: Random) -> str:
    """For longer than its lease: somebody else has its step when it goes on, and its engine, which might write what the other writes, is gone."""
    node = storm.one_of(lambda: storm.rig.nodes, chance)
    node.suspend()
    engines = engines_of(node)

    def go_on() -> None:
        with suppress(AssertionError):
            wait_for(lambda: not any(map(alive, engines)), seconds=LEAVE_SECONDS)
        storm.offences += [f"{engine} outlived the lease of {node}" for engine in engines if alive(engine)]
        node.resume()

    storm.later(storm.rig.settings.lease_seconds + chance.uniform(0.2, 2), go_on)
    return f"node {node.pid}"


def freeze_engine(storm: Storm, chance: Random) -> str:
    """Its supervisor renews the lease meanwhile."""
    engine = storm.one_of(lambda: storm.rig.engines, chance)
    engine.suspend()
    storm.later(chance.uniform(0.2, 3), engine.resume)
    return f"engine {engine.pid}"


def freeze_postgres(storm: Storm, chance: Random) -> str:
    """No connection ends, and no answer comes."""
    away = chance.uniform(0.2, storm.rig.settings.lease_seconds + 0.5)
    with storm.rig.database.frozen():
        time.sleep(away)
    return f"for {away:.1f} s"
