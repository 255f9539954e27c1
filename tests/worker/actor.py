"""Plays the engine: a real process that takes orders and speaks its protocol. ``python actor.py ROLE``; loads nothing heavy."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any


def say(event: str, **fields: Any) -> None:
    print(json.dumps({"event": event, **fields}), flush=True)


def listen(orders: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        if line.strip():  # An empty one says that the supervisor goes on.
            orders.put(line)
    os._exit(130)


#: What steps leave, by their kind; of a network, in its folder.
MADE = {
    "train": ("architecture.json", "training.json", "weights.safetensors"),
    "export": ("bundle.zip", "export.json", "model.onnx"),
}


def outputs(step: dict[str, Any], run: Path) -> list[str]:
    """Writes what a step must leave: that of a teacher, or of a network."""
    names = [f"{step['network']}/{name}" for name in MADE.get(step["kind"], ())]
    names = names or ["teacher.json", "teacher.safetensors"]
    for name in names:
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_text(f"{name} of {step['key']}")
    return names


def found(step: dict[str, Any]) -> dict[str, Any]:
    """What the engine would have found: those who start the actor know it."""
    values: dict[str, Any] = json.loads(os.environ.get("ACTOR_FOUND", "{}")).get(step["kind"], {"test_accuracy": 0.5})
    return values


def work(step: dict[str, Any], run: Path, seconds: float) -> None:
    """Counts to 100 from the checkpoint on, writes one at each tenth and when told to stop."""
    checkpoint = run / f"checkpoints/{step['key']}.safetensors"
    checkpoint.parent.mkdir(exist_ok=True)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    begin = int(checkpoint.read_text()) if checkpoint.exists() else 0
    say("log", level="info", message=f"from {begin}")
    for done in range(begin, 100):
        say("progress", done=done, total=100, unit="images", eta_seconds=seconds * (100 - done) / 100)
        if done % 10 == 0 or told.is_set():
            beside = checkpoint.with_suffix(".part")
            beside.write_text(str(done))
            beside.replace(checkpoint)
            say("checkpoint", name=f"checkpoints/{step['key']}.safetensors")
        if told.is_set():
            sys.exit(130)
        time.sleep(seconds / 100)


def learn(step: dict[str, Any], role: str) -> None:
    """Plays a trial of four epochs, whose accuracy says how small its learning rate is. Lingering, each takes half a minute; a hopeless
    one learns nothing meanwhile.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    accuracy = 0.0 if role == "hopeless" else 1 - step["trial"]["params"]["learning_rate"]
    for epoch in range(1, 5):
        for name in ("accuracy", "best"):
            say("metric", series=f"train/{step['key']}/{name}", x=epoch, y=accuracy * epoch / 4)
        say("progress", done=epoch, total=4)
        time.sleep(0.0 if role == "learning" else 30.0)
    values = {"state": "complete", "value": accuracy, "epochs": 4, "log_loss": 0.5, "seconds": 1.0}
    say("result", artifacts=[], values=values)


def end_badly(role: str) -> None:
    match role:
        case "named":
            say("failure", error={"code": "data_error", "message": "Image 3 is broken.", "param": "dataset"})
            sys.exit(2)
        case "clash":
            say("failure", error={"code": "invalid_spec", "message": "These do not go together.", "param": "repeats"})
            sys.exit(2)
        case "crash":
            raise RuntimeError("something odd")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "silent":
            print("nothing to say", file=sys.stderr)
            sys.exit(0)
        case "forgetful":
            say("result", artifacts=[])


def child() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def play(role: str, step: dict[str, Any], run: Path) -> None:
    match role:
        case "good":
            print("a library prints this")
            say("progress", done=1, total=2, unit="epochs", eta_seconds=0.5, parts=["teacher"])
            say("metric", series="teacher/loss", x=1, y=0.25)
            say("metric", series="teacher/loss", x=2, y=0.125)
            say("result", artifacts=outputs(step, run), values=found(step))
        case "talker":
            print("a library prints this")
            say("log", level="warning", message="a warning")
            print("to standard error", file=sys.stderr, flush=True)
            say("result", artifacts=outputs(step, run), values=found(step))
        case "slow" | "brisk":
            work(step, run, 20.0 if role == "slow" else 1.0)
            say("result", artifacts=outputs(step, run), values=found(step))
        case "learning" | "lingering" | "hopeless":
            learn(step, role)
        case "looking":
            say("progress", done=0, total=1)
            while not (run / "look").exists():
                time.sleep(0.01)
            location = json.loads((run / "spec.json").read_text())["dataset"]["location"]
            pictures = [
                path.read_bytes() for path in Path(os.environ["DNA_DATASETS"], "uploads", location).glob("*/*/*")
            ]
            say("result", artifacts=outputs(step, run), values={"pictures": len(pictures)})
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child()
            say("progress", done=0, total=1)
            time.sleep(60)
        case "parent":
            say("log", message=str(child().pid))
            sys.exit(1)
        case _:
            end_badly(role)


def main(role: str) -> None:
    orders: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(orders,), daemon=True).start()
    while True:
        order = json.loads(orders.get())
        play(role, order["step"], Path(order["run"]))


if __name__ == "__main__":
    main(sys.argv[1])
