"""Routes of datasets: list, read."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from api.auth import authenticate
from api.datasets.schemas import DatasetOut
from api.deps import SessionDep
from api.openapi import problems
from api.pagination import Page, RowPaging, encode
from store import datasets
from store.tables import Dataset

router = APIRouter(
    prefix="/datasets",
    tags=["datasets"],
    dependencies=[Depends(authenticate)],
    responses=problems(401, 403, 422),
)


@router.get("", response_model=Page[DatasetOut])
def list_datasets(session: SessionDep, paging: RowPaging) -> Page[DatasetOut]:
    """Datasets, newest first. `digits` (1,797 handwritten digits) is always there."""
    found = datasets.listing(session, after=paging.after, limit=paging.limit)
    items = [DatasetOut.of(dataset) for dataset in found.items]
    return Page(items=items, next=encode(str(found.next)) if found.next else None)


@router.get("/{dataset}", response_model=DatasetOut, responses=problems(404))
def get_dataset(
    dataset: Annotated[str, Path(max_length=200, description="Id or name.", examples=["digits"])], session: SessionDep
) -> DatasetOut:
    """A dataset, by its id or its name."""
    return DatasetOut.of(_find(session, dataset))


def _find(session: Session, key: str) -> Dataset:
    try:
        dataset_id = UUID(key)
    except ValueError:
        return datasets.named(session, key)
    return datasets.get(session, dataset_id)
