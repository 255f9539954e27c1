"""Every error the store raises on purpose.

StoreError                  base; the message says what to do
├── NotFound                no row of that kind has that id or name
├── Ambiguous               several rows of that kind have that name, or an id with that end
├── KeyEnded                a key that was revoked or has expired
├── QueueFull               as many jobs of the key wait as may
├── QuotaSpent              the key has used what it may
├── PriorityTooHigh         a priority that the key may not give to its jobs
├── NameTaken               a name that must be unique exists already
├── InvalidName              a name that cannot be given to anything new
├── IllegalTransition       the state does not allow it (cancel what is finished, resume what runs)
├── LeaseLost               a worker writes to a step that is no longer its own; it must stop
├── UnstorableValue         text or numbers PostgreSQL cannot hold: NUL, lone surrogates, NaN, infinity (a ValueError)
├── CorruptArtifact         a stored file differs from what was written
├── IdempotencyMismatch     the key was used before with another body
├── RequestInFlight         the request with this key is being answered at this moment
└── FolderInUse             another process runs the embedded servers of this data folder
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import DontWrapMixin


class StoreError(Exception):
    """Base of all errors the store raises on purpose; ``message`` is for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(StoreError):
    """No row of ``kind`` has that id or name."""

    def __init__(self, kind: str, key: UUID | str) -> None:
        super().__init__(f"There is no {kind} {key}.")
        self.kind = kind
        self.key = key


class Ambiguous(StoreError):
    """Several rows of ``kind`` may be meant by ``ref``; ``candidates`` tells them apart."""

    def __init__(self, kind: str, ref: str, candidates: Sequence[str]) -> None:
        super().__init__(f"Several {kind}s may be meant by {ref!r}: {', '.join(candidates)}. Write one of these ids.")


class KeyEnded(StoreError):
    pass


class QueueFull(StoreError):
    pass


class QuotaSpent(StoreError):
    pass


class PriorityTooHigh(StoreError):
    pass


class NameTaken(StoreError):
    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is a {kind} named {name!r} already; choose another name or delete it first.")
        self.kind = kind
        self.name = name


class LastAdmin(StoreError):
    def __init__(self) -> None:
        super().__init__(
            "This is the last valid key with the scope admin: without it nobody could manage keys over HTTP. Make another one first "
            '(POST /keys with "scopes": ["admin"]), or take this one back where the service runs: dna key revoke.'
        )


class InvalidName(StoreError):
    pass


class IllegalTransition(StoreError):
    pass


class LeaseLost(StoreError):
    def __init__(self, step_id: UUID, fence: int) -> None:
        super().__init__(
            f"Step {step_id} is no longer held under fence {fence}; another worker has it, or its job is gone."
        )
        self.step_id = step_id
        self.fence = fence


class UnstorableValue(StoreError, ValueError, DontWrapMixin):
    """Reaches the caller as it is: SQLAlchemy would wrap it in a StatementError otherwise."""


class CorruptArtifact(StoreError):
    pass


class IdempotencyMismatch(StoreError):
    pass


class RequestInFlight(StoreError):
    pass


class FolderInUse(StoreError):
    pass
