"""The query of a request, held against what its route takes: a parameter that is misspelled would be ignored, and one that is given
twice half ignored. As a dependency of the application it looks at every route, also at those to come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from api.errors import Invalid
from api.names import ADVISED, SHOWN, sentence, unknown


class KnownParameters:
    """Looks at the names in the query of each request. What a route takes is asked once: routes stay as long as their application."""

    def __init__(self) -> None:
        self._taken: dict[int, Mapping[str, Query]] = {}

    async def __call__(self, request: Request) -> None:
        """Holds a request against its route.

        Raises:
            Invalid: the route has no such parameter, or takes it once.
        """
        route = request.scope.get("route")
        if request.scope["query_string"] and isinstance(route, APIRoute):
            _hold(request, self._parameters(route))

    def _parameters(self, route: APIRoute) -> Mapping[str, Query]:
        """Query parameters of a route and of all that it depends on, by name."""
        known = self._taken.get(id(route))
        if known is None:
            known = self._taken[id(route)] = parameters(route)
        return known


def parameters(route: APIRoute) -> Mapping[str, Query]:
    """The same, asked anew."""
    fields = get_flat_params(route.dependant)
    return {field.alias: field.field_info for field in fields if isinstance(field.field_info, Query)}


def _hold(request: Request, taken: Mapping[str, Query]) -> None:
    given = Counter(name for name, _ in request.query_params.multi_items())
    strange = [name for name in given if name not in taken]
    errors = [{"parameter": name[:SHOWN], "detail": unknown(name, taken, "parameter")} for name in strange[:ADVISED]]
    errors += [
        {"parameter": name, "detail": f"Given {times} times; give it once"}
        for name, times in given.items()
        if times > 1 and name in taken and not _takes_several(taken[name].annotation)
    ]
    if errors:
        first = errors[0]
        raise Invalid(sentence(first["parameter"], first["detail"]), errors=errors)


def _takes_several(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(map(_takes_several, get_args(annotation)))
    return get_origin(annotation) is list
