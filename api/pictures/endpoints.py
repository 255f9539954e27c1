"""Route of pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from api.auth import authenticate
from api.deps import ResourcesDep, SessionDep
from api.download import respond, responses
from api.ids import SearchId
from api.openapi import problems
from api.pictures import service
from api.pictures.service import Picture

router = APIRouter(
    prefix="/searches/{search_id}/pictures",
    tags=["results"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 404, 422, 503),
)


@router.get("/{picture}", response_class=Response, responses={**responses("image/svg+xml"), **problems(409, 416)})
def get_picture(
    search_id: SearchId,
    picture: Annotated[Picture, Path(description="Which picture.")],
    request: Request,
    session: SessionDep,
    resources: ResourcesDep,
) -> Response:
    """A picture of a finished search, as SVG.

    `loss`: training loss of every cell, and the best accuracy so far of the networks in training. `features`: the
    teacher's feature maps beside those of the winner's path in the supernet. `frontier`: predicted loss against flops.
    """
    return respond(request, service.content(session, resources.blobs, search_id, picture))
