"""PostgreSQL that is restarted or loses a COMMIT, Redis that forgets or is full."""

from __future__ import annotations

import signal
import time
from random import Random

from tests.chaos.storm.storm import Storm
from tests.lossy import Loss


def restart_postgres(storm: Storm, chance: Random) -> str:
    """The fast way: what is open is rolled back."""
    return _restart(storm, chance, signal.SIGINT)


def crash_postgres(storm: Storm, chance: Random) -> str:
    """The immediate way: it recovers from its log when it comes back."""
    return _restart(storm, chance, signal.SIGQUIT)


def cut_connections(storm: Storm, chance: Random) -> str:
    """All of the service, several times within a second: some in the middle of a COMMIT."""
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'dna' AND pid <> pg_backend_pid()"
    cut = 0
    for _ in range(10):
        [(count,)] = storm.rig.look(query)
        cut += count
        time.sleep(chance.uniform(0, 0.1))
    return f"{cut} connections"


def lose_commit(storm: Storm, chance: Random) -> str:
    """Of machine ``two``: the request, its answer, or the whole connection with the transaction left open."""
    loss, nth = chance.choice(list(Loss)), chance.randint(1, 8)
    storm.rig.proxy.lose(loss, nth=nth)
    return f"the {loss} of commit {nth} from now"


def empty_redis(storm: Storm, chance: Random) -> str:
    with storm.rig.redis.client() as client:
        keys = client.dbsize()
        client.flushall()
    return f"{keys} keys"


def fill_redis(storm: Storm, chance: Random) -> str:
    """It takes no write for a while: noeviction, as it is to be deployed."""
    away = chance.uniform(0.5, 2)
    with storm.rig.redis.client() as client:
        client.config_set("maxmemory", 1)
        time.sleep(away)
        client.config_set("maxmemory", 0)
    return f"for {away:.1f} s"


def _restart(storm: Storm, chance: Random, number: signal.Signals) -> str:
    away = chance.uniform(0, 2)
    with storm.rig.database.away(number):
        time.sleep(away)
    storm.rig.look("SELECT 1")
    return f"away {away:.1f} s"
