"""A disk that is full, a clock that is wrong, a machine that leaves while another joins."""

from __future__ import annotations

import shutil
import time
from random import Random

from tests.chaos.storm.rig import LEAVE_SECONDS
from tests.chaos.storm.storm import Impossible, Storm

#: Seconds that a clock is off: what NTP mends, a zone that was taken for another, a battery that is empty, a year mistyped.
STEPS = (-5, 5, -3600, 3600, 3 * 86400, -400 * 86400, 400 * 86400, 0)


def fill_store(storm: Storm, chance: Random) -> str:
    """The disk of the stored files."""
    return _fill(storm, chance, "artifacts")


def fill_data_folder(storm: Storm, chance: Random) -> str:
    """The disk of machine ``one``, on which it has its run folders."""
    return _fill(storm, chance, "one")


def step_clock(storm: Storm, chance: Random) -> str:
    """Of machine ``two`` and its engines."""
    if not storm.rig.clock.works:
        raise Impossible("libfaketime cannot be loaded")
    seconds = chance.choice(STEPS)
    storm.rig.clock.step(seconds)
    return f"{seconds:+d} s"


def swap_machines(storm: Storm, chance: Random) -> str:
    """One is told to leave and gives back what it has; another, whose disk is empty, joins in its place."""
    name = chance.choice(sorted(storm.rig.machines))
    machine = storm.rig.machines[name]
    began = time.monotonic()
    machine.leave()
    machine.process.wait(LEAVE_SECONDS)
    left = time.monotonic() - began
    shutil.rmtree(storm.rig.data_dir(name) / "runs", ignore_errors=True)
    storm.rig.start_machine(name)
    return f"{name}, left in {left:.1f} s"


def _fill(storm: Storm, chance: Random, name: str) -> str:
    disk = storm.rig.disks.get(name)
    if disk is None:
        raise Impossible("nothing may be mounted")
    full = chance.uniform(0.5, 3)
    disk.fill()
    storm.later(full, disk.free)
    return f"for {full:.1f} s"
