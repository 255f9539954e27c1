"""What users do in the middle of it. Nothing of this is a fault; at those moments it is as hard to bear as one."""

from __future__ import annotations

import time
from random import Random
from uuid import UUID

from tests.chaos.storm.jobs import SPECS
from tests.chaos.storm.storm import Storm


def cancel_and_resume(storm: Storm, chance: Random) -> str:
    """A job that is to succeed all the same."""
    job = storm.one_of(storm.open_jobs, chance)
    route = storm.users.running[job]
    if storm.users.insist("POST", f"/{route}/{job}/cancel").status_code == 409:
        return f"{job}, which had ended"
    storm.to_resume[job] = route
    return f"{job}"


def cancel(storm: Storm, chance: Random) -> str:
    """A job of its own, for good. One that is quicker is to have succeeded, as all others."""
    route, job = _another(storm, chance)
    stopped = storm.users.insist("POST", f"/{route}/{job}/cancel")
    if stopped.status_code == 409:
        storm.users.running[job] = route
        return f"{job}, which had ended"
    assert stopped.status_code in (200, 202), stopped.text
    storm.users.cancelled[job] = route
    return f"{job}"


def delete(storm: Storm, chance: Random) -> str:
    """The same, and it is deleted as soon as it may be."""
    route, job = _another(storm, chance)
    storm.to_delete[job] = route
    return f"{job}"


def _another(storm: Storm, chance: Random) -> tuple[str, UUID]:
    route = chance.choice(sorted(SPECS))
    job = storm.users.make(route)
    time.sleep(chance.uniform(0, 2))
    return route, job
