"""What every part of a spec is: numbers are numbers, a field that does not exist is refused. Torch-free."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from dna_engine.fields import Written


def _whole(value: Any) -> Any:
    """Many write 350e6 or 20.0: in JSON these are whole numbers too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]


class Part(Written):
    """Numbers are numbers here, and true is none: a text that looks like one is a mistake that would go unnoticed."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, strict=True, serialize_by_alias=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A field that a resolved spec only narrows is described as where it was written."""
        written = handler(schema)
        for name, field in handler.resolve_ref_schema(written)["properties"].items():
            before = (
                kind.model_fields[name] for kind in cls.__mro__ if issubclass(kind, Part) and name in kind.model_fields
            )
            described = next((each.description for each in before if each.description), None)
            if described is not None:
                field.setdefault("description", described)
        return written
