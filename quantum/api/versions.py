# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The document at ``/``: which versions of the API there are, and where."""

import re

from msgspec import Struct
from twisted.web.iweb import IRequest

from quantum.api import wire
from quantum.api.dialects import DIALECTS
from quantum.api.negotiation import Format

_HOST = re.compile(rb"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class Link(Struct, frozen=True):
    """Where something is."""

    rel: str
    href: str


class Version(Struct, frozen=True):
    """One version of the API."""

    id: str
    status: str
    links: list[Link]


def document(form: Format, base: str) -> bytes:
    """List the versions; the document belongs to none, so it has no namespace."""
    rows = [
        Version(version, "CURRENT", [Link("self", f"{base}/{version}")])
        for version in DIALECTS
    ]
    return wire.many(form, ("versions", "version"), rows, "")


def base_of(request: IRequest) -> str:
    """
    Say how the client reached us.

    A ``Host`` header that could be no host is not repeated to anyone.
    """
    scheme = "https" if request.isSecure() else "http"
    host = request.getHeader(b"host") or b""
    if _HOST.fullmatch(host) is None:
        here = request.getHost()
        host = b"localhost:%d" % getattr(here, "port", 0)
    return f"{scheme}://{host.decode('ascii')}"
