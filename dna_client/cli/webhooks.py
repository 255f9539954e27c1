"""Commands on webhooks: URLs that are told what happens to jobs and datasets."""

from __future__ import annotations

from typing import Annotated

import typer

from dna_client.cli.options import LOCAL, AsJson, Key, Label, Url, connect, labels
from dna_client.cli.output import ERR, OUT, duration, print_json, print_table, show, table
from dna_client.cli.owners import with_owners
from dna_client.cli.refs import webhook_id
from dna_client.errors import WebhookNotReached
from dna_client.models import Delivery, Webhook

webhook = typer.Typer(no_args_is_help=True, help="URLs that are told what happens to jobs and datasets.")

Ref = Annotated[str, typer.Argument(help="Id of the webhook, or the beginning or end of it.", metavar="WEBHOOK")]

#: That a test waits to be sent and answered, in seconds.
_PATIENCE = 20.0


@webhook.command("create")
def create_webhook(
    to: Annotated[str, typer.Argument(help="Where messages are posted: https://...", metavar="TARGET")],
    event: Annotated[
        list[str] | None,
        typer.Option(help="Type of messages: search.succeeded, search.*, *.failed; as often as needed. Default: all."),
    ] = None,
    label: Label = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Have a URL told what happens. The secret that verifies the messages is shown this once."""
    with connect(url, key, exact=as_json) as client:
        made = client.webhooks.create(to, events=event or ["*"], labels=labels(label or []), description=description)
    if as_json:
        print_json(made)
    else:
        _print_secret(made)


@webhook.command("list")
def list_webhooks(url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """List webhooks, newest first."""
    with connect(url, key, exact=as_json) as client:
        found = list(client.webhooks.all())
        if as_json:
            print_json(found)
            return
        rows = [(one["id"], one["url"], " ".join(one["events"]), _said(one)) for one in found]
        shown = table(("id", "url", "events", "state"), rows, ids=("id",), droppable=("events",))
        show(with_owners(shown, found, client))


@webhook.command("show")
def show_webhook(ref: Ref, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Show a webhook: what it is told, and why it was disabled if it was."""
    with connect(url, key, exact=as_json) as client:
        found = client.webhooks.get(webhook_id(client, ref))
    if as_json:
        print_json(found)
        return
    shown = {**found, "events": " ".join(found["events"]), "labels": ", ".join(map("=".join, found["labels"].items()))}
    for field, value in shown.items():
        if value not in (None, ""):
            OUT.print(f"{field:16} {value}", markup=False)


@webhook.command("update")
def update_webhook(
    ref: Ref,
    to: Annotated[str | None, typer.Option("--to", help="Where messages are posted from now on.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Types of messages, in place of those before.")] = None,
    enable: Annotated[
        bool | None,
        typer.Option("--enable/--disable", help="Whether it is told anything; --enable forgets why it was disabled."),
    ] = None,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change a webhook, or enable it again."""
    asked = {"url": to, "events": event, "enabled": enable}
    with connect(url, key, exact=as_json) as client:
        changed = client.webhooks.update(webhook_id(client, ref), {k: v for k, v in asked.items() if v is not None})
    if as_json:
        print_json(changed)
    else:
        OUT.print(f"{changed['id']}: {_said(changed)}", markup=False)


@webhook.command("test")
def try_webhook(ref: Ref, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Send a webhook a message that says it is a test, and say what came of it."""
    with connect(url, key, exact=as_json) as client:
        sent = client.webhooks.test(webhook_id(client, ref), wait=_PATIENCE)
    if as_json:
        print_json(sent)
    elif sent["state"] == "delivered":
        OUT.print(f"It was taken: {_answered(sent)} in {duration(sent['seconds'])}.", markup=False)
    if sent["state"] != "delivered":
        waits = "It waits to be sent still: is a worker of the queue cpu live (dna workers list)?"
        raise WebhookNotReached(f"The message was not taken. {sent['error'] or waits}")


@webhook.command("rotate")
def rotate_secret(ref: Ref, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Replace the secret. For 24 hours messages are signed by both."""
    with connect(url, key, exact=as_json) as client:
        rotated = client.webhooks.rotate(webhook_id(client, ref))
    if as_json:
        print_json(rotated)
    else:
        _print_secret(rotated)


@webhook.command("deliveries")
def list_deliveries(
    ref: Ref,
    state: Annotated[str | None, typer.Option(help="pending, delivered or failed.")] = None,
    limit: Annotated[int, typer.Option(help="Most messages.", min=1, max=200)] = 50,
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the last messages to a webhook, and how their last attempts went."""
    with connect(url, key, exact=as_json) as client:
        found = client.webhooks.deliveries(webhook_id(client, ref), state=state, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], one["event"], one["state"], one["attempt"], _answered(one), duration(one["seconds"]), _next(one))
        for one in found
    ]
    columns = ("id", "event", "state", "attempt", "answer", "took", "next")
    print_table(columns, rows, right=("attempt", "took"), ids=("id",), droppable=("took", "next", "attempt"))


@webhook.command("retry")
def retry_delivery(
    ref: Ref,
    delivery: Annotated[str, typer.Argument(help="Id of the message, as dna webhook deliveries --json shows it.")],
    url: Url = LOCAL,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send a message again now."""
    with connect(url, key, exact=as_json) as client:
        again = client.webhooks.retry(webhook_id(client, ref), delivery)
    if as_json:
        print_json(again)
    else:
        ERR.print(f"The message {again['id']} is sent again.", markup=False)


@webhook.command("delete")
def delete_webhook(ref: Ref, url: Url = LOCAL, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a webhook with its log. What waits for it is not sent."""
    with connect(url, key, exact=as_json) as client:
        found = webhook_id(client, ref)
        client.webhooks.delete(found)
    if as_json:
        print_json({"webhook": found, "deleted": True})
    else:
        ERR.print(f"The webhook {found} is deleted.", markup=False)


def _print_secret(found: Webhook) -> None:
    OUT.print(f"{found['id']} tells {found['url']}", markup=False)
    OUT.print(f"secret {found['secret']}", markup=False)
    ERR.print("It is not shown again.", markup=False)


def _said(found: Webhook) -> str:
    return "enabled" if found["enabled"] else f"disabled: {found['disabled_reason'] or 'by hand'}"


def _answered(found: Delivery) -> str:
    return str(found["status_code"] or found["error"] or "")


def _next(found: Delivery) -> str:
    return (found["next_at"] or "")[:19].replace("T", " ")
