# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Klein's routes, without what Klein spends on every request.

A Klein application declares the routes; `CompiledKlein` looks them up in a tree
of path segments and calls the endpoint at once.  Whatever the tree is not sure
of (404, 405, HEAD, redirects, converters other than plain strings, paths that
are not UTF-8) goes to Klein itself, so the tree need only be right when it
answers, never complete.  Two things differ from Klein on purpose: a caller who
hangs up does not cancel what he asked for, because it may be half recorded; and
an answer that is known at once has a ``Content-Length``.
"""

import re
from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from klein import Klein, Response
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES
from twisted.web.iweb import IRenderable
from twisted.web.resource import IResource, getChildForRequest
from twisted.web.server import NOT_DONE_YET, Request
from twisted.web.template import renderElement
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule, UnicodeConverter
from zope.interface import implementer

_log = Logger()
_VARIABLE = re.compile(r"<(?:(?:string|default):)?([A-Za-z_][A-Za-z0-9_]*)>")
_SHOWN = object()
"""What a result becomes that writes its own answer."""


@frozen
class Route:
    """One rule's endpoint, and the names of the segments it is given."""

    call: Callable[..., Any]
    method: Callable[..., Any]
    """What `call` comes to for an application that is bound to an instance."""
    names: tuple[str, ...]
    segments: int


@define
class _Node:
    """What may follow after some segments of a path."""

    fixed: dict[str, "_Node"] = field(factory=dict)
    variable: "_Node | None" = None
    # Something here is more than a tree of segments can decide.
    is_opaque: bool = False
    ends_opaque: bool = False
    methods: dict[bytes, Route] = field(factory=dict)
    any_method: Route | None = None

    def route(self, method: bytes) -> Route | None:
        """Find the first rule for a method, as declared."""
        if self.ends_opaque:
            return None
        return self.methods.get(method, self.any_method)


@implementer(IResource)
class CompiledKlein:
    """
    A leaf resource that answers as ``app.resource()`` would.

    Routes that are declared after it was made are not seen.  The ``Host`` header
    is not looked at, and ``IKleinRequest(request).mapper`` is not set: build URLs
    with ``Klein.url_for``.

    :param app: The application, bound to its instance if it has one.
    """

    isLeaf = True

    def __init__(self, app: Klein) -> None:
        self._app = app
        self._instance = app._instance  # noqa: SLF001 - Klein has no accessor
        self._stock = app.resource()
        self._root = _compile(app)

    def getChildWithDefault(self, name: bytes, request: Any) -> IResource:
        """Be a leaf all the same when asked for a child."""
        request.postpath.insert(0, name)
        if request.prepath:
            request.prepath.pop()
        return self

    def putChild(self, path: bytes, _child: IResource) -> None:
        """Refuse: a leaf has no children."""
        raise TypeError(f"{path!r}: routes are declared on the Klein application")

    def render(self, request: Any) -> Any:
        """Call the endpoint, or leave it to Klein."""
        found = self._find(request)
        if found is None:
            return self._leave_to_klein(request)
        route, values = found
        request.prepath.extend(request.postpath[: route.segments])
        request.postpath = request.postpath[route.segments :]
        arguments = dict(zip(route.names, values, strict=True))
        try:
            if self._instance is None:
                result = route.call(None, request, **arguments)
            else:
                result = route.method(self._instance, request, **arguments)
        except Exception:  # noqa: BLE001 - handle_errors decides about it
            return self._finish(request, fail(Failure()))
        if type(result) is bytes:
            return _whole(request, result)
        if isinstance(result, Deferred):
            if result.called and not result.paused and type(result.result) is bytes:
                return _whole(request, result.result)
            return self._finish(request, result)
        return self._finish(request, maybeDeferred(lambda: result))

    def _find(self, request: Any) -> tuple[Route, list[str]] | None:
        """Look a request up; ``None`` if Klein has to."""
        method = request.method
        if method == b"HEAD" or request.prepath or not request.postpath:
            return None
        try:
            path = b"/".join(request.postpath).decode()
        except UnicodeDecodeError:
            return None
        node = self._root
        values = []
        # Klein takes decoded slashes for separators, and no notice of leading ones.
        for segment in path.lstrip("/").split("/"):
            following = node.fixed.get(segment)
            if following is None:
                following = node.variable
                if following is None or node.is_opaque or not segment:
                    return None
                values.append(segment)
            node = following
        route = node.route(method)
        return None if route is None else (route, values)

    def _leave_to_klein(self, request: Request) -> Any:
        try:
            return self._stock.render(request)
        except HTTPException:  # a bad Host header: Klein does not catch this one
            return self._finish(request, fail(Failure()))

    def _finish(self, request: Request, result: Deferred[Any]) -> int:
        """Write an answer as soon as it is there."""
        result.addBoth(self._arrive, request)
        return NOT_DONE_YET

    def _arrive(self, result: object, request: Any) -> None:
        """Write what an endpoint came to, or have somebody think about it."""
        if type(result) is bytes and not _is_over(request):
            body = _whole(request, result)
            if body is result and not request.startedWriting:
                request.render(_Whole(result))
                return
        finished = Deferred.fromCoroutine(self._write(request, result))
        finished.addErrback(
            lambda failure: _log.failure("answer not written", failure=failure)
        )

    async def _write(self, request: Request, result: object) -> None:
        """Write what may need to be shown, excused or thrown away."""
        try:
            body = _shown(request, await maybeDeferred(lambda: result))
        except Exception:  # noqa: BLE001 - handle_errors decides about it
            body = await self._sorry(request, Failure())
        if body is _SHOWN or _is_over(request):
            return
        if isinstance(body, str):
            body = body.encode()
        if isinstance(body, bytes):
            if not request.startedWriting and _whole(request, body) is body:
                request.render(_Whole(body))
                return
            request.write(body)
        if not _is_over(request):
            request.finish()

    async def _sorry(self, request: Request, failure: Failure) -> Any:
        """Ask those who handle errors, in the order in which they were declared."""
        for kinds, sorry in self._app._error_handlers:  # noqa: SLF001 - no accessor
            if _is_over(request):
                break
            if failure.check(*kinds):
                try:
                    return _shown(
                        request,
                        await maybeDeferred(sorry, self._instance, request, failure),
                    )
                except Exception:  # noqa: BLE001 - the next one decides about it
                    failure = Failure()
        if _is_over(request):
            _log.failure("failed after its caller had gone", failure=failure)
        elif isinstance(failure.value, HTTPException):
            return _http_exception(request, failure.value)
        else:
            request.processingFailed(failure)
        return _SHOWN


class _Whole:
    """A resource that was rendered already."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def render(self, _request: Request) -> bytes:
        return self._body


def _compile(app: Klein) -> _Node:
    """Grow the tree of an application's rules."""
    root = _Node()
    rules = list(app.url_map.iter_rules())
    redirecting = {rule.endpoint for rule in rules if rule.defaults}
    for rule in rules:
        node, names = root, []
        for segment in rule.rule.removeprefix("/").split("/"):
            variable = _VARIABLE.fullmatch(segment)
            if variable:
                node.variable = node.variable or _Node()
                node = node.variable
                names.append(variable[1])
            elif "<" in segment:
                node.is_opaque = True
                break
            else:
                node = node.fixed.setdefault(segment, _Node())
        else:
            if _is_plain(rule, app.url_map) and rule.endpoint not in redirecting:
                _declare(node, rule, app, tuple(names))
            else:
                node.ends_opaque = True
    return root


def _is_plain(rule: Rule, rules: Map) -> bool:
    """Say whether a rule means no more than its segments and methods."""
    strings = rules.converters["default"], rules.converters["string"]
    return strings == (UnicodeConverter, UnicodeConverter) and not (
        rules.host_matching
        or rule.subdomain
        or rule.host
        or rule.redirect_to
        or rule.alias
        or rule.websocket
        or rule.build_only
    )


def _declare(node: _Node, rule: Rule, app: Klein, names: tuple[str, ...]) -> None:
    """Let a rule end here, unless an earlier one takes its methods."""
    endpoint: Any = app.endpoints[rule.endpoint]
    method = getattr(endpoint, "__original__", endpoint)
    route = Route(endpoint, method, names, endpoint.segment_count)
    if node.any_method is None:
        for method in rule.methods or ():
            node.methods.setdefault(method.encode(), route)
        if rule.methods is None:
            node.any_method = route


def _is_over(request: Request) -> bool:
    """Say whether nothing more can be written to a request's caller."""
    return bool(request.finished or request._disconnected)  # noqa: SLF001 - no accessor


def _whole(request: Request, body: bytes) -> bytes | int:
    """Prepare for the site to write a whole body, or write that there is none."""
    if request.code in NO_BODY_CODES:
        request.finish()  # RFC 9110, 8.6: such answers have no Content-Length
        return NOT_DONE_YET
    if not body and request.defaultContentType is not None:
        headers = request.responseHeaders
        if not headers.hasHeader(b"Content-Type"):
            headers.setRawHeaders(b"Content-Type", [request.defaultContentType])
    return body


def _shown(request: Request, result: Any) -> Any:
    """Let a result that can show itself do so, as Klein would."""
    if isinstance(result, Response):
        result = result._applyToRequest(request)  # noqa: SLF001 - Klein's own way
    if IResource.providedBy(result):
        request.render(getChildForRequest(result, request))
        return _SHOWN
    if IRenderable.providedBy(result):
        renderElement(request, result)
        return _SHOWN
    return result


def _http_exception(request: Request, problem: HTTPException) -> bytes:
    """Answer with what Werkzeug has to say."""
    answer = problem.get_response({})
    request.setResponseCode(answer.status_code)
    for name, value in answer.headers:
        request.setHeader(name.encode(), value.encode())
    return b"".join(answer.iter_encoded())
