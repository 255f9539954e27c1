"""Plays ``docker compose`` for deploy/upgrade.sh: real processes in place of containers, by the commands of docker-compose.yml.

It builds nothing, and starts of the services the worker alone, for steps that want a device; what it was asked is kept in ``calls``. So that there is something
to migrate, it brings the rows back by one migration before: as a version before would have left them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).parents[2]
#: Where pids and calls are kept; of the service that the test has.
STATE = Path(os.environ["COMPOSE_STATE"])


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def command(name: str) -> list[str]:
    python, *rest = services()[name]["command"]
    assert python == "python"
    return [sys.executable, *rest]


def start(name: str) -> None:
    if name == "worker":
        process = subprocess.Popen(
            [*command(name), "--queues", "gpu"], stdin=subprocess.DEVNULL, start_new_session=True
        )
        (STATE / name).write_text(str(process.pid))


def stop(name: str) -> None:
    """SIGTERM, and SIGKILL behind the grace that the file gives. An engine that the test has halted goes on now: no sooner, so that it is in the middle."""
    process = psutil.Process(int((STATE / name).read_text()))
    children = process.children(recursive=True)
    process.send_signal(signal.SIGTERM)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.resume()
    deadline = time.monotonic() + float(services()[name]["stop_grace_period"].removesuffix("s"))
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            process.kill()
            sys.exit(f"{name} did not leave in time")
        time.sleep(0.1)
    (STATE / name).unlink()


def main(arguments: list[str]) -> int:
    with (STATE / "calls").open("a") as calls:
        calls.write(" ".join(arguments) + "\n")
    match arguments:
        case ["compose", "build"]:
            pass
        case ["compose", "config", "--services"]:
            print("\n".join(services()))
        case ["compose", "stop", *names]:
            for name in names:
                stop(name)
        case ["compose", "run", "--rm", "migrate"]:
            from store.migrate import downgrade  # Takes longer to load than the rest of what is played here.

            downgrade(os.environ["DNA_DATABASE_URL"], "-1")
            return subprocess.run(command("migrate"), check=False).returncode
        case ["compose", "up", "-d", "--wait", *names]:
            for name in names:
                start(name)
        case _:
            sys.exit(f"docker {' '.join(arguments)} is not played")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
