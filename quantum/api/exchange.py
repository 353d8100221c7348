# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One request and its answer, in one dialect and one format."""

from collections.abc import Iterable

from attrs import define
from msgspec import UNSET, Struct
from twisted.web.http import NO_CONTENT
from twisted.web.iweb import IRequest

from quantum.api import wire
from quantum.api.dialects import DIALECTS, Dialect
from quantum.api.faults import NotHere
from quantum.api.negotiation import Format, negotiated, suffixed
from quantum.api.resources import Resource, View, layout


@define(eq=False)
class Exchange:
    """
    What an operation needs of a request, and how it answers.

    Each way of answering sets status and headers and gives the body.
    """

    request: IRequest
    dialect: Dialect
    form: Format
    is_suffixed: bool

    def body(self) -> bytes:
        """Read what the client sent."""
        content: bytes = self.request.content.read()
        return content

    def tells(self, resource: Resource, view: View) -> bool:
        """Say whether a resource is shown with more than the model has."""
        return layout(resource, view, self.dialect).is_told

    def show(
        self,
        resource: Resource,
        view: View,
        source: object,
        held: Iterable[object] = (),
        told: object = UNSET,
    ) -> bytes:
        """Answer with one resource, in detail with what it holds."""
        row = layout(resource, view, self.dialect).row(source, held, told)
        return self.show_row(resource.name, row)

    def show_row(self, name: str, row: Struct) -> bytes:
        """Answer with a row that somebody else made."""
        body = wire.one(self.form, name, row, self.dialect.namespace)
        return announced(self.request, self.form, body)

    def show_many(
        self,
        resource: Resource,
        view: View,
        sources: Iterable[object],
        told: Iterable[object] = (),
    ) -> bytes:
        """Answer with a list of resources."""
        rows = layout(resource, view, self.dialect).rows(sources, told)
        names = (resource.collection, resource.name)
        body = wire.many(self.form, names, rows, self.dialect.namespace)
        return announced(self.request, self.form, body)

    def created(self, resource: Resource, source: object) -> bytes:
        """Answer that the resource was made, telling its id and no more."""
        self.request.setResponseCode(self.dialect.created)
        return self.show(resource, View.REFERENCE, source)

    def done(self) -> bytes:
        """Answer that what was asked is recorded; there is nothing to tell."""
        self.request.setResponseCode(NO_CONTENT)
        self.request.setHeader(b"content-type", self.form.media_type)
        return b""


def announced(request: IRequest, form: Format, body: bytes) -> bytes:
    """Set the headers that a body needs, so that it is not sent in chunks."""
    request.setHeader(b"content-type", form.media_type)
    request.setHeader(b"content-length", b"%d" % len(body))
    return body


def exchange(request: IRequest, version: str) -> Exchange:
    """
    Find out how to talk to whoever sent a request.

    :raise NotHere: There is no such version.
    """
    dialect = DIALECTS.get(version)
    if dialect is None:
        raise NotHere("GET / lists the versions of this API")
    form = suffixed(request.path)
    if form is not None:
        return Exchange(request, dialect, form, True)
    return Exchange(request, dialect, form_of(request), False)


def form_of(request: IRequest) -> Format:
    """Choose the format of a request whose path has no suffix."""
    return negotiated(request.getHeader(b"content-type"), request.getHeader(b"accept"))
