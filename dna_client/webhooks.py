"""Webhooks over HTTP: URLs that are told what happens, and the log of what they were sent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dna_client.models import Delivery, Webhook
from dna_client.transport import Transport

#: Seconds between two looks at a message that is on its way.
_BETWEEN_LOOKS = 0.2


class Webhooks:
    """What is done with webhooks; a part of the client."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        url: str,
        *,
        events: Sequence[str] = ("*",),
        labels: Mapping[str, str] | None = None,
        description: str = "",
    ) -> Webhook:
        """A webhook with its ``secret``, which is not shown again: the request is sent once, and where its answer is lost the webhook may
        be there, to be deleted or given another secret.

        Args:
            events: patterns of types, such as ``search.*`` or ``*.failed``.
            labels: only of jobs that have all of them.

        Raises:
            InvalidRequest: the URL is none that the service connects to, or there is no such type; says why.
            ServerUnreachable: it gave no answer.
        """
        body = {"url": url, "events": list(events), "labels": dict(labels or {}), "description": description}
        return cast(Webhook, self._transport.call("POST", "/webhooks", json=body, repeatable=False))

    def all(self) -> Iterator[Webhook]:
        """All webhooks, newest first."""
        return cast(Iterator[Webhook], self._transport.pages("/webhooks", {}))

    def get(self, webhook_id: str) -> Webhook:
        return cast(Webhook, self._transport.call("GET", f"/webhooks/{webhook_id}"))

    def update(self, webhook_id: str, change: Mapping[str, Any]) -> Webhook:
        """The webhook with these fields as they are given, such as ``{"enabled": True}``."""
        return cast(Webhook, self._transport.call("PATCH", f"/webhooks/{webhook_id}", json=change))

    def delete(self, webhook_id: str) -> None:
        """Deletes a webhook with its log; what waits for it is not sent."""
        self._transport.call("DELETE", f"/webhooks/{webhook_id}", repeatable=False)

    def rotate(self, webhook_id: str) -> Webhook:
        """The webhook with a new ``secret``; for 24 hours the one before signs as well."""
        return cast(Webhook, self._transport.call("POST", f"/webhooks/{webhook_id}/rotate", repeatable=False))

    def test(self, webhook_id: str, *, wait: float = 0.0) -> Delivery:
        """A message that says it is a test, once its first attempt has ended or ``wait`` seconds have passed."""
        sent = self._transport.call("POST", f"/webhooks/{webhook_id}/test", repeatable=False)
        return self._attempted(webhook_id, sent, wait)

    def deliveries(self, webhook_id: str, *, state: str | None = None, limit: int = 50) -> list[Delivery]:
        """The last messages to a webhook, newest first; ``state`` is pending, delivered or failed."""
        params = {"state": state, "limit": limit}
        page = self._transport.call("GET", f"/webhooks/{webhook_id}/deliveries", params=params)
        return cast(list[Delivery], page["items"])

    def retry(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Has a message sent again now, with all its attempts anew.

        Raises:
            ApiError: it is being sent at this moment, or the webhook is disabled.
        """
        return cast(Delivery, self._transport.call("POST", f"{_of(webhook_id, delivery_id)}/retry", repeatable=False))

    def _attempted(self, webhook_id: str, sent: Delivery, wait: float) -> Delivery:
        until = time.monotonic() + wait
        while sent["seconds"] is None and time.monotonic() < until:
            time.sleep(_BETWEEN_LOOKS)
            sent = self._transport.call("GET", _of(webhook_id, sent["id"]))
        return sent


def _of(webhook_id: str, delivery_id: str) -> str:
    return f"/webhooks/{webhook_id}/deliveries/{delivery_id}"
