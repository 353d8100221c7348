# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What the API shows of a network and a port: one description, two dialects.

Each resource is a list of fields: the name on the wire, the attribute of the
model it comes from, the views it appears in and the dialect that introduced it.
From this each combination of view and dialect is compiled once into a layout,
which makes rows: small structs that `quantum.api.wire` can write in any format.
"""

from collections.abc import Callable, Iterable
from enum import Flag, auto
from itertools import repeat, starmap
from operator import attrgetter
from typing import Any

from attrs import frozen
from msgspec import UNSET, Struct, UnsetType, defstruct

from quantum.api.dialects import DIALECTS, V1_0, V1_1, Dialect


class View(Flag):
    """How much of a resource is shown."""

    REFERENCE = auto()
    """In a plain list, and what a create answers."""
    SUMMARY = auto()
    """When asked for itself, and in a detailed list."""
    DETAIL = auto()
    """With what it holds: a network's ports, a port's attachment."""


FULL = View.SUMMARY | View.DETAIL
ALWAYS = View.REFERENCE | FULL


class Attachment(Struct, frozen=True, gc=False):
    """What is plugged into a port; a free port's attachment has no id."""

    id: str | UnsetType = UNSET


def attachment(interface: str | None) -> Attachment:
    """Show a port's attachment as a resource of its own."""
    return Attachment(interface or UNSET)


def _attachment_if_any(interface: str | None) -> Attachment | UnsetType:
    """Show a port's attachment inside the port, where a free port has none."""
    return Attachment(interface) if interface else UNSET


@frozen
class Field:
    """
    A member of a resource.

    Without a ``source`` it is not in the model: whoever shows the resource tells
    it, if it is known at all.  Such a field is a resource's last.
    """

    name: str
    source: str
    views: View
    since: Dialect = V1_0
    shown: Callable[[Any], object] | None = None


@frozen
class Resource:
    """A kind of thing the API shows; in detail with all it holds."""

    name: str
    collection: str
    fields: tuple[Field, ...]
    holds: "Resource | None" = None


PORT = Resource(
    "port",
    "ports",
    (
        Field("id", "id", ALWAYS),
        Field("state", "admin_state", FULL),
        Field("op-status", "status.op_status", FULL, since=V1_1),
        Field("attachment", "attachment", View.DETAIL, shown=_attachment_if_any),
    ),
)
NETWORK = Resource(
    "network",
    "networks",
    (
        Field("id", "id", ALWAYS),
        Field("name", "name", FULL),
        Field("op-status", "status.op_status", FULL, since=V1_1),
        Field("mtu", "", FULL, since=V1_1),
    ),
    holds=PORT,
)


class Layout:
    """
    A resource in one view of one dialect.

    Everything that can be is done by the interpreter's own C code: a list of
    a hundred networks is one `starmap` over one `attrgetter`.
    """

    def __init__(self, resource: Resource, view: View, dialect: Dialect) -> None:
        fields = [
            field
            for field in resource.fields
            if view in field.views and field.since.generation <= dialect.generation
        ]
        names = [field.name for field in fields]
        self.name = resource.name
        self.collection = resource.collection
        self._held = None
        if resource.holds is not None and view is View.DETAIL:
            self._held = Layout(resource.holds, view, dialect)
            names.append(resource.holds.collection)
        self._row = _row_class(resource.name, names)
        self.is_told = not fields[-1].source
        """Whether it has a member that is not in the model."""
        fields = fields[:-1] if self.is_told else fields
        self._is_single = len(fields) == 1
        self._values: Callable[[Any], Any] = attrgetter(
            *(field.source for field in fields)
        )
        shown = [field.shown for field in fields]
        if any(shown):
            self._values = _showing(self._values, shown)

    def rows(
        self, sources: Iterable[object], told: Iterable[object] = ()
    ) -> list[Struct]:
        """Show each of many, none of which holds anything."""
        if self.is_told:
            values = zip(
                map(self._values, sources), told or repeat(UNSET), strict=False
            )
            return [self._row(*known, more) for known, more in values]
        if self._is_single:
            return list(map(self._row, map(self._values, sources)))
        return list(starmap(self._row, map(self._values, sources)))

    def row(
        self, source: object, held: Iterable[object] = (), told: object = UNSET
    ) -> Struct:
        """Show one, in detail with what it holds."""
        if self._is_single:
            return self._row(self._values(source))
        more = (told,) if self.is_told else ()
        if self._held is None:
            return self._row(*self._values(source), *more)
        return self._row(*self._values(source), *more, self._held.rows(held))


def _row_class(name: str, members: list[str]) -> Callable[..., Struct]:
    """Make the struct whose encoded members have these names, in this order."""
    return defstruct(
        name,
        [(member.replace("-", "_"), Any) for member in members],
        rename=lambda member: member.replace("_", "-"),
        frozen=True,
        gc=False,
    )


def _showing(
    values: Callable[[Any], Any], shown: list[Callable[[Any], object] | None]
) -> Callable[[Any], Any]:
    """Get values as before, each by way of its own presentation if it has one."""

    def show(source: object) -> list[object]:
        return [
            value if how is None else how(value)
            for value, how in zip(values(source), shown, strict=True)
        ]

    return show


_LAYOUTS = {
    (resource.name, view, dialect.version): Layout(resource, view, dialect)
    for resource in (NETWORK, PORT)
    for view in View
    for dialect in DIALECTS.values()
}


def layout(resource: Resource, view: View, dialect: Dialect) -> Layout:
    """Find how a dialect lays a resource out in a view."""
    return _LAYOUTS[resource.name, view, dialect.version]
