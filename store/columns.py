"""The declarative base: how Python types become columns, how constraints are named, how ids are made."""

from __future__ import annotations

import enum
import math
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TIMESTAMP, BigInteger, Dialect, Double, Enum, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator
from uuid_utils.compat import uuid7

from store.errors import UnstorableValue

Json = dict[str, Any]


def new_id() -> UUID:
    """A UUIDv7: ids sort by the time they were made, so a list is paged by id alone."""
    return uuid7()


def check_text(value: str) -> str:
    """The text itself.

    Raises:
        UnstorableValue: it holds a NUL or a lone surrogate, which PostgreSQL has no place for.
    """
    if "\x00" in value:
        raise UnstorableValue("Text must not contain a NUL character (U+0000).")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UnstorableValue(
            f"Text must be valid Unicode; position {error.start} holds a lone surrogate (U+{ord(value[error.start]):04X})."
        ) from error
    return value


def check_json(value: Any) -> None:
    """Looks at every key, text and number inside.

    Raises:
        UnstorableValue: NUL, lone surrogates, NaN or infinity, which JSON or PostgreSQL has no place for.
    """
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                check_text(text)
            case float(number) if not math.isfinite(number):
                raise UnstorableValue(f"Numbers must be finite, not {number}.")
            case dict(mapping):
                waiting.extend(mapping)
                waiting.extend(mapping.values())
            case list(items) | tuple(items):
                waiting.extend(items)


class CheckedText(TypeDecorator[str]):
    """TEXT that refuses what PostgreSQL cannot hold before it is sent, in values and in filters alike."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        return str

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else check_text(value)


class CheckedJson(TypeDecorator[Any]):
    """JSONB that refuses what PostgreSQL cannot hold before it is sent; None is SQL's NULL."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        check_json(value)
        return value


def _values(states: type[enum.Enum]) -> list[str]:
    return [state.value for state in states]


def rows_of(mapped: type[Base]) -> Table:
    """For statements on rows that are written and not looked at: what the ORM does beside each costs as much as the statement."""
    return Base.metadata.tables[mapped.__tablename__]


class Base(DeclarativeBase):
    """States are text under a CHECK, not a PostgreSQL enum: a new state is a change of one constraint."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        UUID: Uuid(),
        str: CheckedText(),
        int: BigInteger(),
        float: Double(),
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: CheckedJson(),
        dict[str, str]: CheckedJson(),
        list[str]: CheckedJson(),
        list[float]: CheckedJson(),
        enum.Enum: Enum(enum.Enum, native_enum=False, create_constraint=True, length=32, values_callable=_values),
    }
