"""Which numbers and choices of a recipe a tuning may try, and the values it tries of each. Torch-free.

They are read from the schema of :class:`~dna_engine.spec.parts.RecipeSpec`: a field that a recipe gains can be tuned from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

from pydantic import Field, ValidationError

from dna_engine.errors import InvalidSpec, UnknownName
from dna_engine.recipes import AUGMENTATIONS
from dna_engine.spec.parts import Part, RecipeSpec, left_open

#: A value of a field of a recipe.
Value = float | int | str | bool

#: Nothing of a recipe is larger; numbers in JSON may be.
_LARGEST = 1e12

#: What decides which files and devices a training takes, how long it lasts, or which fields it has, is one for all trials.
_FIXED = frozenset({"start", "epochs", "recipe", "devices"})

#: What stands for a search space, by name.
PRESETS: Mapping[str, Mapping[str, Sequence[Value]]] = {
    "small": {
        "learning_rate": [3e-4, 3e-2, "log"],
        "weight_decay": [1e-3, 0.3, "log"],
        "label_smoothing": [0.0, 0.2],
    },
    "wide": {
        "learning_rate": [1e-4, 1e-1, "log"],
        "weight_decay": [1e-5, 0.5, "log"],
        "label_smoothing": [0.0, 0.3],
        "batch_size": [16, 128, "log"],
        "drop_path": [0.0, 0.3],
        "mixup": [0.0, 0.4],
        "random_erasing": [0.0, 0.4],
    },
}


class Range(Part):
    """From ``low`` to ``high``, both included; ``log``: each factor is as likely as any other of its size."""

    low: float = Field(description="Included.")
    high: float = Field(description="Included.")
    log: bool = Field(default=False, description="Whether each factor is as likely as any other of its size.")
    whole: bool = Field(default=False, description="Whether only whole numbers are tried.")

    @property
    def ends(self) -> Sequence[Value]:
        """What of it a recipe may have no room for, if anything."""
        return [int(self.low), int(self.high)] if self.whole else [self.low, self.high]


class Choices(Part):
    """One of these."""

    choices: list[Value] = Field(description="Each as likely as the others.")

    @property
    def ends(self) -> Sequence[Value]:
        return self.choices


Parameter = Range | Choices


@dataclass(frozen=True)
class Domain:
    """What a field may be: a number, ``whole`` or not, or one of ``choices``."""

    whole: bool = False
    choices: Sequence[Value] | None = None


def tunable() -> dict[str, Domain]:
    """The fields that may be tuned, by name."""
    properties = RecipeSpec.model_json_schema()["properties"]
    found = {name: _domain(schema) for name, schema in properties.items() if name not in _FIXED}
    return {name: domain for name, domain in found.items() if domain is not None}


def _domain(schema: Mapping[str, Any]) -> Domain | None:
    """Of a field by its JSON schema; None of one that is neither a number nor a choice."""
    for form in schema.get("anyOf", [schema]):
        match form:
            case {"enum": choices}:
                return Domain(choices=choices)
            case {"type": "boolean"}:
                return Domain(choices=[False, True])
            case {"type": "integer"}:
                return Domain(whole=True)
            case {"type": "number"}:
                return Domain()
    return None


def read_search(search: str | Mapping[str, Any], recipe: RecipeSpec, *, augment: bool) -> dict[str, Parameter]:
    """The values to be tried of each field, by name: those of a preset, or as people write them.

    Args:
        search: the name of a preset, or by field ``[low, high]``, ``[low, high, "log"]`` or the choices.
        recipe: what all trials have in common.
        augment: whether training images may be changed at all.

    Raises:
        InvalidSpec: a field that does not exist, is given to all trials already, or values that it cannot have; ``param`` is
            ``search`` or ``search.FIELD``.
    """
    if isinstance(search, str):
        if search not in PRESETS:
            raise UnknownName("preset", search, PRESETS, param="search")
        taken = recipe.model_fields_set | (set() if augment else {*AUGMENTATIONS})
        written: Mapping[str, Any] = {name: values for name, values in PRESETS[search].items() if name not in taken}
    else:
        written = search
    if not written:
        raise InvalidSpec(
            f"Nothing is to be tried. Name a preset ({', '.join(PRESETS)}), or fields of the recipe with their values, such as "
            '{"learning_rate": [0.0001, 0.1, "log"]}.',
            param="search",
        )
    return {name: _parameter(name, values, recipe) for name, values in sorted(written.items())}


def _parameter(name: str, values: Any, recipe: RecipeSpec) -> Parameter:
    at = f"search.{name}"
    domains = tunable()
    if name not in domains:
        raise UnknownName("field of a recipe that can be tuned", name, domains, param=at)
    if name in recipe.model_fields_set and getattr(recipe, name) is not None:
        raise InvalidSpec(f"{name} is given to all trials, and is to be tried too: leave one of the two out.", param=at)
    domain = domains[name]
    parameter = _range(at, values, domain) if domain.choices is None else _choices(at, values, domain.choices)
    for value in parameter.ends:
        _check(name, value)
    return parameter


def _choices(at: str, values: Any, known: Sequence[Value]) -> Choices:
    if not isinstance(values, list) or len(values) < 2:
        raise InvalidSpec("Give the choices as a list, two at least.", param=at)
    for place, value in enumerate(values):
        if value not in known:
            raise InvalidSpec(
                f"There is no {value!r:.50} to choose; there are {', '.join(map(repr, known))}.", param=at
            )
        if value in values[:place]:
            raise InvalidSpec(f"{value!r} is given twice.", param=at)
    return Choices(choices=values)


def _range(at: str, values: Any, domain: Domain) -> Range:
    match values:
        case [low, high] | [low, high, "log" | "linear"] if _is_number(low) and _is_number(high):
            log = values[2:] == ["log"]
        case _:
            raise InvalidSpec(f'Write a range as [low, high] or [low, high, "log"], not {values!r:.100}.', param=at)
    if low >= high:
        raise InvalidSpec(f"The low end, {low:g}, must be below the high end, {high:g}.", param=at)
    if log and low <= 0:
        raise InvalidSpec(f"A range with log must begin above 0, not at {low:g}.", param=at)
    if domain.whole and not (float(low).is_integer() and float(high).is_integer()):
        raise InvalidSpec(f"The ends must be whole numbers, not {low:g} and {high:g}.", param=at)
    return Range(low=low, high=high, log=log, whole=domain.whole)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _check(name: str, value: Value) -> None:
    """Raises InvalidSpec where the field cannot have that value."""
    try:
        RecipeSpec.model_validate({name: value})
    except ValidationError as error:
        raise InvalidSpec(f"{value!r:.50}: {error.errors()[0]['msg']}.", param=f"search.{name}") from error


def check_together(search: Mapping[str, Parameter], recipe: RecipeSpec, images: int, *, augment: bool) -> None:
    """Whether the values fit each other and what all trials have in common, at their ends.

    Raises:
        InvalidSpec: two of them do not.
    """
    tried = [(name, value) for name, parameter in search.items() for value in parameter.ends]
    for (first, one), (second, other) in combinations_with_replacement(tried, 2):
        if first != second or one == other:
            try:
                left_open(recipe.model_copy(update={first: one, second: other}), images, augment=augment)
            except InvalidSpec as error:
                told = f"{first} {one!r}" if first == second else f"{first} {one!r} with {second} {other!r}"
                raise InvalidSpec(f"{told} cannot be tried. {error.message}", param=f"search.{second}") from error
