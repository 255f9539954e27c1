"""Models of what people write: a field that does not exist is refused with the ones that may have been meant. Torch-free."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeGuard, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import definitions_schema

_UNKNOWN = "extra_forbidden"
_NO_OBJECT = frozenset({"model_type", "model_attributes_type"})

#: What people are told of a number out of its range, by pydantic's kind of error and name of the limit.
_RANGES = {
    "greater_than": ("gt", "must be above"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be below"),
    "less_than_equal": ("le", "must be at most"),
}

#: The same in JSON schemas.
_LIMITS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
}

#: Of so many errors in one object, the first ones, it is looked what was meant: the look takes longer than all else.
_ADVISED = 20

#: Fields that are enough to show what an object is like.
_FEW = 3


def _whole(value: Any) -> Any:
    """Many write 350e6 or 20.0: in JSON these are whole numbers too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


@dataclass(frozen=True)
class DescribedBy:
    """Of what is kept as JSON, in ``Annotated``: its schema is that of another type, which does not touch it."""

    type: Any

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        # As definitions, of which there are none: only then does a model keep its name.
        return handler(definitions_schema(TypeAdapter(self.type).core_schema, []))


class Written(BaseModel):
    """A model without unknown fields, whose refusal of one names the field that was meant."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A field that a subclass only narrows is described as where it was written, and limits have the names that a schema has for them."""
        written = handler(schema)
        for name, field in handler.resolve_ref_schema(written).get("properties", {}).items():
            _spell(field)
            told = (kind.model_fields[name].description for kind in cls.__mro__ if _has(kind, name))
            if (described := next(filter(None, told), None)) is not None:
                field.setdefault("description", described)
        return written

    @model_validator(mode="wrap")
    @classmethod
    def _advise(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raises the same errors; those of unknown fields of this very model with advice."""
        try:
            return handler(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                error.title,
                [
                    _advised(cls, dict(found), advise=place < _ADVISED)
                    for place, found in enumerate(error.errors(include_url=False))
                ],
            ) from None


def _has(kind: type, name: str) -> TypeGuard[type[BaseModel]]:
    return issubclass(kind, BaseModel) and name in kind.model_fields


def _spell(schema: dict[str, Any]) -> None:
    """Of numbers that pass a validator of ours, pydantic writes the limits under its own names."""
    for limit, name in _LIMITS.items():
        if limit in schema:
            schema[name] = schema.pop(limit)
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        _spell(inner)


def _advised(model: type[BaseModel], error: dict[str, Any], *, advise: bool) -> InitErrorDetails:
    where, message = error["loc"], error["msg"]
    if error["type"] == _UNKNOWN and len(where) == 1:
        message = "There is no such field" + (_meant(model, str(where[0])) if advise else "")
    if error["type"] in _NO_OBJECT and not where:
        message = f"Write an object such as {_example(model)}"
    limit, words = _RANGES.get(error["type"], ("", ""))
    if limit in error.get("ctx", {}):
        message = f"{words} {error['ctx'][limit]:,}".removesuffix(".0")
    message = message.removeprefix("Value error, ")  # Pydantic's words before those of a validator of ours.
    # As a custom error whatever it was: its words are final, and a brace in them is no placeholder.
    kind = PydanticCustomError(error["type"], "{words}", {"words": message})
    return InitErrorDetails(type=kind, loc=where, input=error["input"])


def _example(model: type[BaseModel]) -> str:
    """An object of the model as JSON: its example, or as much as its first fields say."""
    described = model.model_config.get("json_schema_extra")
    examples = described.get("examples") if isinstance(described, dict) else None
    if isinstance(examples, list) and examples:
        return json.dumps(examples[0])
    return f"{{{', '.join(f'{json.dumps(name)}: ...' for name in list(_names(model))[:_FEW])}}}"


def _meant(model: type[BaseModel], name: str) -> str:
    """The end of the sentence: fields with that name inside a field of this model, or else with a name like it here."""
    near = [path for path in _paths(model) if path.rpartition(".")[2] == name]
    near = near or difflib.get_close_matches(name, _names(model), n=1)
    if not near:
        return ""
    *others, last = near
    return f". Did you mean {' or '.join(filter(None, (', '.join(others), last)))}?"


def _paths(model: type[BaseModel]) -> Iterator[str]:
    """Every field inside a field, such as ``budget.flops``."""
    for name, field in _names(model).items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from (f"{name}.{inner}" for inner in (*_names(kind), *_paths(kind)))


def _names(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by what people write: ``from`` is no name for Python."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
