# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What operators may ask, on a socket of their own: JSON, four paths, no version.

Whoever can connect may do all of it, with the networks of every tenant; who can
connect is decided by the socket's owner and mode, not here.  It is no part of
the Quantum API, and no tenant reaches it.
"""

# mypy: disable-error-code="misc"
# (Klein's decorators have no types)

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import msgspec
from attrs import define
from msgspec import Meta, Struct
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.http import NO_CONTENT
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException

from quantum.api.answers import answer, answer_in_json
from quantum.api.exchange import announced
from quantum.api.faults import NotHere
from quantum.api.negotiation import JSON
from quantum.api.paths import PlainPaths
from quantum.api.steps import Steps, walked
from quantum.api.wire import shown
from quantum.errors import Malformed, QuantumError, SwitchNotFound
from quantum.interfaces import ISwitches
from quantum.model import Network, Vlan

Operation = Callable[..., Steps]
Endpoint = Callable[..., bytes | Deferred[bytes]]


class OperatorPaths(PlainPaths):
    """Paths whose errors are JSON, whatever was asked for."""

    def refuse(self, request: IRequest, error: QuantumError) -> bytes:
        """Answer what cannot even be routed."""
        return answer(request, error, answer_in_json)


class ShownNetwork(Struct, frozen=True):
    """A network as operators see it."""

    id: str
    tenant_id: str
    name: str
    op_status: str
    segment_id: int
    mtu: int | None
    vlan: Vlan | None


class WantedVlan(Struct, frozen=True, forbid_unknown_fields=True):
    """The VLAN that a network shall have; without ``vlan_id`` any free one."""

    physical_network: Annotated[str, Meta(min_length=1, max_length=64)]
    vlan_id: Annotated[int, Meta(ge=1, le=4094)] | None = None


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The body that asks for a VLAN."""

    vlan: WantedVlan


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Wanted).decode
EXAMPLE = '{"vlan": {"physical_network": "NAME", "vlan_id": 100}}'
app = OperatorPaths()


def route(path: str, method: str) -> Callable[[Operation], Endpoint]:
    """Declare the operation that a method on a path is."""

    def declare(operation: Operation) -> Endpoint:
        @wraps(operation)
        def endpoint(
            self: "Operators", request: IRequest, **ids: str
        ) -> bytes | Deferred[bytes]:
            try:
                return walked(operation(self, request, **ids))
            except QuantumError as error:
                return answer(request, error, answer_in_json)

        app.route(path, methods=[method])(endpoint)
        return endpoint

    return declare


@define(eq=False)
class Operators:
    """
    The operators' paths, as a Klein application.

    The plugin provides `IQuantumPlugin` and `IProviderNetworks`; if it provides
    `ISwitches` too, there are switches to be listed and forgotten.
    """

    _plugin: Any
    app = app

    @route("/networks/<network>", "GET")
    def network(self, request: IRequest, network: str) -> Steps:
        """Show a network, of whichever tenant."""
        found = yield self._plugin.any_network(network)
        return (yield from self._show(request, found))

    @route("/networks/<network>/vlan", "PUT")
    def bind_vlan(self, request: IRequest, network: str) -> Steps:
        """Let a network run over a VLAN."""
        wanted = _wanted(request.content.read())
        bound = yield self._plugin.bind_vlan(
            network, wanted.physical_network, wanted.vlan_id
        )
        return (yield from self._show(request, bound))

    @route("/switches", "GET")
    def switches(self, request: IRequest) -> Steps:
        """List how the switches stand."""
        plugin = self._plugin
        statuses: Any = ()
        if ISwitches.providedBy(plugin):
            statuses = yield plugin.switch_statuses()
        return _written(request, {"switches": list(statuses)})

    @route("/switches/<switch>", "DELETE")
    def forget_switch(self, request: IRequest, switch: str) -> Steps:
        """Forget a switch that will not come back."""
        plugin = self._plugin
        if not ISwitches.providedBy(plugin):
            raise SwitchNotFound(switch)
        yield plugin.forget_switch(switch)
        request.setResponseCode(NO_CONTENT)
        return b""

    @app.handle_errors(HTTPException)
    def no_route(self, request: IRequest, failure: Failure) -> bytes:  # noqa: ARG002
        """Answer whatever no route matches, or none with this method."""
        method = request.method.decode("ascii", "replace")
        path = request.path.decode("utf-8", "replace")
        return answer(request, NotHere(f"There is no {method} {path}"), answer_in_json)

    @app.handle_errors(Exception)
    def refused(self, request: IRequest, failure: Failure) -> bytes:
        """Answer what the plugin refused, or did not foresee."""
        error: Any = failure.value
        return answer(request, error, answer_in_json)

    def _show(self, request: IRequest, network: Network) -> Steps:
        """Show a network."""
        mtu = yield self._plugin.mtu(network)
        row = ShownNetwork(
            id=network.id,
            tenant_id=network.tenant_id,
            name=network.name,
            op_status=network.status.op_status.value,
            segment_id=network.segment_id,
            mtu=mtu,
            vlan=network.vlan,
        )
        return _written(request, {"network": row})


def _wanted(body: bytes) -> WantedVlan:
    """
    Read which VLAN is asked for.

    :raise Malformed: It cannot be understood.
    """
    try:
        return _decode(body).vlan
    except RecursionError:
        raise Malformed("The body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        words = shown(str(problem)).replace("`", "")
        raise Malformed(f"The body must be like {EXAMPLE}: {words}") from None


def _written(request: IRequest, document: dict[str, object]) -> bytes:
    """Answer with a document."""
    return announced(request, JSON, _encode(document) + b"\n")
