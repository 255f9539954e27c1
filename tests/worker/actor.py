"""Plays the engine: a real process that speaks its protocol. ``python actor.py ROLE STEP.json RUN``; imports nothing heavy."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any


def say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def leave_with_stdin() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(130)


def outputs(step: dict[str, Any], run: Path) -> list[str]:
    """Writes what a teacher step must leave."""
    for name in ("teacher.safetensors", "teacher.json"):
        (run / name).write_text(f"{name} of {step['key']}")
    return ["teacher.json", "teacher.safetensors"]


def work(step: dict[str, Any], run: Path, seconds: float) -> None:
    """Counts to 100 from the checkpoint on, writes one at each tenth and when told to stop."""
    checkpoint = run / f"checkpoints/{step['key']}.safetensors"
    checkpoint.parent.mkdir(exist_ok=True)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    begin = int(checkpoint.read_text()) if checkpoint.exists() else 0
    say("log", level="info", message=f"from {begin}")
    for done in range(begin, 100):
        say("progress", done=done, total=100, unit="images")
        if done % 10 == 0 or told.is_set():
            beside = checkpoint.with_suffix(".part")
            beside.write_text(str(done))
            beside.replace(checkpoint)
            say("checkpoint", name=f"checkpoints/{step['key']}.safetensors")
        if told.is_set():
            sys.exit(130)
        time.sleep(seconds / 100)


def end_badly(role: str) -> None:
    match role:
        case "named":
            say("failure", error={"code": "data_error", "message": "Image 3 is broken.", "param": "dataset"})
            sys.exit(2)
        case "crash":
            raise RuntimeError("something odd")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "silent":
            print("nothing to say", file=sys.stderr)
        case "forgetful":
            say("result", artifacts=[])


def child() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def main(role: str, step: dict[str, Any], run: Path) -> None:
    threading.Thread(target=leave_with_stdin, daemon=True).start()
    match role:
        case "good":
            print("a library prints this")
            say("progress", done=1, total=2, unit="epochs", eta_seconds=0.5, parts=["teacher"])
            say("metric", series="teacher/loss", x=1, y=0.25)
            say("metric", series="teacher/loss", x=2, y=0.125)
            say("result", artifacts=outputs(step, run), values={"test_accuracy": 0.5})
        case "slow" | "brisk":
            work(step, run, 20.0 if role == "slow" else 1.0)
            say("result", artifacts=outputs(step, run))
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child()
            say("progress", done=0, total=1)
            time.sleep(60)
        case "parent":
            say("log", message=str(child().pid))
            say("result", artifacts=outputs(step, run))
        case _:
            end_badly(role)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3]))
