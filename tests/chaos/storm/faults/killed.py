"""Processes that die by SIGKILL, at once and without a word."""

from __future__ import annotations

import os
import signal
import time
from random import Random

from tests.chaos.storm.storm import Storm


def kill_machine(storm: Storm, chance: Random) -> str:
    """The worker's processes all at once, as when the power fails; it comes back within a second."""
    name = chance.choice(sorted(storm.rig.machines))
    machine = storm.rig.machines[name]
    machine.kill()
    machine.process.wait()
    time.sleep(chance.uniform(0, 1))
    storm.rig.start_machine(name)
    return name


def kill_node(storm: Storm, chance: Random) -> str:
    """Its parent starts another."""
    node = storm.one_of(lambda: storm.rig.nodes, chance)
    node.kill()
    return f"node {node.pid}"


def kill_engine(storm: Storm, chance: Random) -> str:
    """As the kernel does when memory is short."""
    engine = storm.one_of(lambda: storm.rig.engines, chance)
    engine.kill()
    return f"engine {engine.pid}"


def kill_api(storm: Storm, chance: Random) -> str:
    storm.rig.api.kill()
    storm.rig.api.wait()
    time.sleep(chance.uniform(0, 1))
    storm.rig.start_api()
    return f"api, now {storm.rig.api.pid}"


def kill_redis(storm: Storm, chance: Random) -> str:
    away = chance.uniform(0, 2)
    storm.rig.redis.kill()
    time.sleep(away)
    storm.rig.redis.start_again()
    return f"away {away:.1f} s"


def kill_backend(storm: Storm, chance: Random) -> str:
    """PostgreSQL ends all the others with it and recovers, since shared memory may be damaged."""
    query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'dna' AND pid <> pg_backend_pid() ORDER BY pid"
    backend = storm.one_of(lambda: storm.rig.look(query), chance)
    os.kill(backend.pid, signal.SIGKILL)
    return f"backend {backend.pid}"
