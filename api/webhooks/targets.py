"""Whether the URL of a webhook leads where the service connects to. It is asked again at every message: names change what they mean."""

from __future__ import annotations

from typing import Annotated

import anyio
from anyio import to_thread
from fastapi import Body, Depends

from api.deps import ResourcesDep
from api.errors import Invalid
from api.patches import MEDIA_TYPE
from api.resources import Resources
from api.webhooks.schemas import WebhookPatch, WebhookSpec
from store.reach import Unreachable

#: How long the look-up of a name may take.
_LOOKUP_SECONDS = 5.0


async def _checked(spec: WebhookSpec, resources: ResourcesDep) -> WebhookSpec:
    await _check(resources, spec.url)
    return spec


async def _checked_patch(
    patch: Annotated[WebhookPatch, Body(media_type=MEDIA_TYPE)], resources: ResourcesDep
) -> WebhookPatch:
    if patch.url is not None:
        await _check(resources, patch.url)
    return patch


async def _check(resources: Resources, url: str) -> None:
    """Raises:
    Invalid: it does not; says why.
    """
    try:
        with anyio.fail_after(_LOOKUP_SECONDS):
            await to_thread.run_sync(
                resources.settings.reach.target, url, limiter=resources.lookups, abandon_on_cancel=True
            )
    except Unreachable as error:
        raise _wrong(error.message) from error
    except TimeoutError as error:
        raise _wrong(f"Its name was not resolved within {_LOOKUP_SECONDS:g} s. Try again.") from error


def _wrong(detail: str) -> Invalid:
    return Invalid(f"url: {detail}", errors=[{"pointer": "#/url", "detail": detail}])


SpecDep = Annotated[WebhookSpec, Depends(_checked)]
PatchDep = Annotated[WebhookPatch, Depends(_checked_patch)]
