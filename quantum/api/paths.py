# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Klein for paths that mean what they say.

Two slashes are not one, nothing is redirected, and a path or a host that cannot
be understood is answered in the caller's own format.
"""

from typing import Any

from klein import Klein
from klein.resource import KleinResource
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException

from quantum.api.answers import answer
from quantum.errors import Malformed, QuantumError


class PlainPaths(Klein):
    """A Klein application that has one path for each thing."""

    def __init__(self) -> None:
        super().__init__()
        self.url_map.merge_slashes = False
        self.url_map.strict_slashes = True

    def resource(self) -> KleinResource:
        """Give the resource that routes requests."""
        return _PlainPathsResource(self)

    def refuse(self, request: IRequest, error: QuantumError) -> bytes:
        """Answer what cannot even be routed."""
        return answer(request, error)


class _PlainPathsResource(KleinResource):
    """Klein's resource, but for what Klein answers in words of its own."""

    def __init__(self, app: PlainPaths) -> None:
        super().__init__(app)
        self._refuse = app.refuse

    def render(self, request: IRequest) -> Any:
        """Route a request whose path and host are sound."""
        try:
            b"/".join(request.postpath).decode()
        except UnicodeDecodeError:
            return self._refuse(request, Malformed("The path is not UTF-8"))
        try:
            return super().render(request)
        except (HTTPException, UnicodeDecodeError):
            return self._refuse(request, Malformed("The Host header names no host"))
