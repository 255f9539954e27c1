"""Routes of teachers: list and read, from the catalogue that the engine ships and of those that were sent; send, delete."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query, Response
from fastapi.responses import JSONResponse

from api.auth import authenticate
from api.body import UploadRoute
from api.deps import UPLOAD, ResourcesDep, SessionDep
from api.filters import OfProject
from api.forms import body
from api.openapi import problems
from api.pagination import Cursor, Limit, Page, decode, encode
from api.paging import called, other_list
from api.teachers import service, upload
from api.teachers.schemas import TeacherOut
from api.uploads.files import Uploads
from store.files import discard, drafts
from store.session import be_patient, transaction

TeacherKey = Annotated[
    str,
    Path(
        max_length=200, description="Name of a model, or id or name of weights that were sent.", examples=["resnet18"]
    ),
]

router = APIRouter(
    prefix="/teachers",
    tags=["teachers"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422, 503),
)

#: Of its own, so that a caller is known, and no transaction open, before a large body is read.
uploads = APIRouter(
    prefix="/teachers", tags=["teachers"], route_class=UploadRoute, responses=problems(401, 403, 422, 503)
)


@uploads.post(
    "",
    status_code=201,
    response_model=TeacherOut,
    responses=problems(400, 409, 413, 507),
    openapi_extra=body(upload.TeacherForm),
    dependencies=[Depends(authenticate), UPLOAD],
)
def create_teacher(sent: upload.SentDep, resources: ResourcesDep) -> Response:
    """Send weights of a timm model as a safetensors file. A search can begin with them when the answer comes.

    Names and shapes of all tensors are compared with the model's; the classifier tells the number of classes. Nothing is kept of a file that
    is refused, and no pickle is read.
    """

    def work() -> Response:
        teacher = service.create(session, written, sent, Uploads(resources.settings.datasets_dir))
        return JSONResponse(teacher.model_dump(mode="json"), 201, {"Location": f"/teachers/{teacher.id}"})

    with (
        drafts(
            resources.sessions, resources.blobs, patience=timedelta(hours=resources.settings.orphan_hours)
        ) as written,
        transaction(resources.sessions, sent.once.actor) as session,
    ):
        be_patient(session)
        return sent.once.answer(session, work)


@router.get("", response_model=Page[TeacherOut])
def list_teachers(
    session: SessionDep,
    q: Annotated[
        str,
        Query(
            max_length=200, pattern=r"^[^\x00]*$", description="Part of a name or family.", examples=["efficientnet"]
        ),
    ] = "",
    sent: Annotated[
        bool | None, Query(description="Only weights that were sent, or only models of timm. Default: both.")
    ] = None,
    project: OfProject = None,
    sort: Annotated[
        Literal["name", "-name"],
        Query(description="By name, or against it.", json_schema_extra=called(("name", "-name"))),
    ] = "name",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TeacherOut]:
    """Usable teachers by name, with the blocks they are cut into: channels, reductions, strides."""
    of = f"{sort} {sent} {project} {q} "  # A name has no space.
    found = service.listing(
        session,
        q,
        sent=sent,
        project=project,
        after=_after(cursor, of),
        descending=sort == "-name",
        limit=limit + 1,
    )
    items = found[:limit]
    return Page(items=items, next=encode(f"{of}{items[-1].name}") if len(found) > limit else None)


def _after(cursor: str | None, of: str) -> str | None:
    """The name in a cursor, which goes on with the same list alone."""
    if cursor is None:
        return None
    place = decode(cursor)
    name = place.rpartition(" ")[2]
    if place != f"{of}{name}":
        raise other_list("This cursor goes on with a list of another order or other filters")
    return name


@router.get("/{teacher}", response_model=TeacherOut, responses=problems(404))
def get_teacher(teacher: TeacherKey, session: SessionDep) -> TeacherOut:
    """A teacher: a model of timm by its name, or weights that were sent by their id or name."""
    return service.find(session, teacher)


@router.delete("/{teacher}", status_code=204, responses=problems(404, 409))
def delete_teacher(
    teacher: TeacherKey, session: SessionDep, resources: ResourcesDep, background: BackgroundTasks
) -> None:
    """Delete weights that were sent. Searches that have begun with them keep them."""
    background.add_task(discard, resources.sessions, resources.blobs, service.delete(session, teacher))
