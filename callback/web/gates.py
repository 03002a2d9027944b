"""Which gates stand before a route: dependencies that say what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

T = TypeVar("T")


def of_route(route: BaseRoute, kind: type[T]) -> Iterator[T]:
    """Give the dependencies of this kind that a route has, also those of its dependencies."""
    if isinstance(route, APIRoute):
        yield from _of(route.dependant, kind)


def _of(dependant: Dependant, kind: type[T]) -> Iterator[T]:
    if isinstance(dependant.call, kind):
        yield dependant.call
    for one in dependant.dependencies:
        yield from _of(one, kind)
