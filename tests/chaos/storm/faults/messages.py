"""Messages in Redis that come twice, late, or from somebody else."""

from __future__ import annotations

import json
from random import Random

from store.outbox import RUN_STEP
from tests.chaos.storm.storm import Storm
from worker.app import make_app

QUEUES = ("gpu", "cpu")

#: What a forger may put into a queue without knowing how Celery wraps its messages.
GARBAGE = (b"", b"\xff\xfe", b"[]", b"null", b"{}", b'{"body": "e30=", "headers": {}, "properties": {}}')


def double_messages(storm: Storm, chance: Random) -> str:
    """Each that waits, byte for byte; and one for steps of any state."""
    with storm.rig.redis.client() as client:
        waiting = [(queue, message) for queue in QUEUES for message in client.lrange(queue, 0, -1)]
        for queue, message in waiting * 2:
            client.lpush(queue, message)
    steps = storm.rig.look("SELECT id, queue FROM steps ORDER BY id")
    again = chance.sample(steps, min(4, len(steps)))
    _send(storm, [({"step_id": str(step.id)}, step.queue) for step in again * 2])
    return f"{len(waiting)} that wait, and those of {len(again)} steps"


def delay_messages(storm: Storm, chance: Random) -> str:
    """Taken out and put back seconds later: their steps are announced anew meanwhile."""
    with storm.rig.redis.client() as client:
        held = [(queue, message) for queue in QUEUES for message in client.lpop(queue, 100) or []]

    def put_back() -> None:
        with storm.rig.redis.client() as client:
            for queue, message in held:
                client.rpush(queue, message)

    late = chance.uniform(1, 4)
    storm.later(late, put_back)
    return f"{len(held)} by {late:.1f} s"


def forge_messages(storm: Storm, chance: Random) -> str:
    """For steps that never were, for none at all, of a task that nobody knows, and bytes that are no message."""
    unknown = "00000000-0000-7000-8000-000000000000"
    arguments = ({"step_id": unknown}, {"step_id": "no uuid"}, {"step_id": None}, {}, {"step_id": unknown, "more": 1})
    _send(storm, [(one, chance.choice(QUEUES)) for one in arguments])
    _send(storm, [({}, chance.choice(QUEUES))], task="storm.unknown")
    with storm.rig.redis.client() as client:
        for one in GARBAGE:
            client.lpush(chance.choice(QUEUES), one)
    return f"{len(arguments) + 1 + len(GARBAGE)}"


def _send(storm: Storm, messages: list[tuple[dict[str, object], str]], task: str = RUN_STEP) -> None:
    with make_app(storm.rig.settings) as app:
        for arguments, queue in messages:
            app.send_task(task, kwargs=json.loads(json.dumps(arguments)), queue=queue)
