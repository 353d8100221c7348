# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Every path of the API, and the verb of the plugin behind it.

One set of routes serves both versions; what differs between them is in
`quantum.api.dialects`.  `route` is Klein's ``@app.route`` for a path that may end
in ``.json`` or ``.xml``.
"""

# mypy: disable-error-code="func-returns-value"
# (what a verb answers without a value may still be something to wait for)

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import wraps
from typing import Any

from attrs import define
from msgspec import UNSET, UnsetType
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from werkzeug.exceptions import HTTPException

from quantum.api import bodies, filters, versions, wire
from quantum.api.answers import answer
from quantum.api.exchange import Exchange, announced, exchange, form_of
from quantum.api.faults import NotHere
from quantum.api.negotiation import SUFFIXES
from quantum.api.paths import PlainPaths
from quantum.api.resources import NETWORK, PORT, View, attachment
from quantum.api.steps import Steps, walked
from quantum.errors import NetworkNotFound, QuantumError
from quantum.interfaces import IQuantumPlugin
from quantum.model import Network

NETWORKS = "/<version>/tenants/<tenant>/networks"
ONE_NETWORK = NETWORKS + "/<network>"
PORTS = ONE_NETWORK + "/ports"
ONE_PORT = PORTS + "/<port>"
ATTACHMENT = ONE_PORT + "/attachment"
EXTENSIONS = "/<version>/extensions"

Operation = Callable[..., Steps | bytes]
Endpoint = Callable[..., bytes | Deferred[bytes]]
app = PlainPaths()


def route(path: str, method: str) -> Callable[[Operation], Endpoint]:
    """
    Declare the operation that a method on a path is, in every version.

    Where the last segment is a word there is a route for each suffix; where it
    is an id the suffix is taken off the id, so that routes are plain segments.
    """
    last = path.rpartition("/")[2].strip("<>")
    is_id = path.endswith(">")

    def declare(operation: Operation) -> Endpoint:
        @wraps(operation)
        def endpoint(
            self: "Api", request: IRequest, version: str, **ids: str
        ) -> bytes | Deferred[bytes]:
            try:
                talk = exchange(request, version)
                if is_id and talk.is_suffixed:
                    ids[last] = ids[last].removesuffix(talk.form.suffix)
                if "tenant" in ids:
                    bodies.text(ids["tenant"], "The tenant id")
                answered = operation(self, talk, **ids)
                return answered if isinstance(answered, bytes) else walked(answered)
            except QuantumError as error:
                # `refused` would answer the same, by way of a Deferred.
                return answer(request, error)

        for suffix in ("",) if is_id else ("", *SUFFIXES):
            app.route(path + suffix, methods=[method])(endpoint)
        return endpoint

    return declare


@define(eq=False)
class Api:
    """
    The Quantum API 1.0 and 1.1.

    ``Api(plugin).app`` is a Klein application like any other.
    """

    _plugin: IQuantumPlugin
    app = app

    @app.route("/", methods=["GET"])
    def index(self, request: IRequest) -> bytes:
        """Tell which versions there are."""
        form = form_of(request)
        document = versions.document(form, versions.base_of(request))
        return announced(request, form, document)

    @route(EXTENSIONS, "GET")
    def extensions(self, talk: Exchange) -> bytes:
        """Tell which extensions there are: none so far."""
        document = wire.many(talk.form, ("extensions", "extension"), [], "")
        return announced(talk.request, talk.form, document)

    @route(EXTENSIONS + "/<alias>", "GET")
    def extension(self, talk: Exchange, alias: str) -> bytes:  # noqa: ARG002
        """Tell about one extension."""
        raise NotHere(f"Extension with alias {alias} does not exist")

    @route(NETWORKS, "GET")
    def networks(self, talk: Exchange, tenant: str) -> Steps:
        """List a tenant's networks."""
        return self._networks(talk, View.REFERENCE, tenant)

    @route(NETWORKS + "/detail", "GET")
    def networks_detail(self, talk: Exchange, tenant: str) -> Steps:
        """List a tenant's networks with names."""
        return self._networks(talk, View.SUMMARY, tenant)

    @route(NETWORKS, "POST")
    def create_network(self, talk: Exchange, tenant: str) -> Steps:
        """Make a network."""
        name = bodies.name_of(talk.form, talk.body())
        network = yield self._plugin.create_network(tenant, name)
        return talk.created(NETWORK, network)

    @route(ONE_NETWORK, "GET")
    def network(self, talk: Exchange, tenant: str, network: str) -> Steps:
        """Show a network."""
        found = yield self._plugin.network(tenant, network)
        (mtu,) = yield from self._mtus(talk, View.SUMMARY, [found])
        return talk.show(NETWORK, View.SUMMARY, found, told=mtu)

    @route(ONE_NETWORK + "/detail", "GET")
    def network_detail(self, talk: Exchange, tenant: str, network: str) -> Steps:
        """Show a network with its ports and what is plugged into them."""
        found = yield self._plugin.network(tenant, network)
        ports = yield self._plugin.ports(tenant, network)
        (mtu,) = yield from self._mtus(talk, View.DETAIL, [found])
        return talk.show(NETWORK, View.DETAIL, found, ports, mtu)

    @route(ONE_NETWORK, "PUT")
    def rename_network(self, talk: Exchange, tenant: str, network: str) -> Steps:
        """Give a network another name."""
        name = bodies.name_of(talk.form, talk.body())
        yield self._plugin.rename_network(tenant, network, name)
        return talk.done()

    @route(ONE_NETWORK, "DELETE")
    def delete_network(self, talk: Exchange, tenant: str, network: str) -> Steps:
        """Delete a network and its ports."""
        yield self._plugin.delete_network(tenant, network)
        return talk.done()

    @route(PORTS, "GET")
    def ports(self, talk: Exchange, tenant: str, network: str) -> Steps:
        """List a network's ports."""
        return self._ports(talk, View.REFERENCE, tenant, network)

    @route(PORTS + "/detail", "GET")
    def ports_detail(self, talk: Exchange, tenant: str, network: str) -> Steps:
        """List a network's ports with their states."""
        return self._ports(talk, View.SUMMARY, tenant, network)

    @route(PORTS, "POST")
    def create_port(self, talk: Exchange, tenant: str, network: str) -> Steps:
        """Make a port."""
        state = bodies.new_state_of(talk.form, talk.body())
        port = yield self._plugin.create_port(tenant, network, state)
        return talk.created(PORT, port)

    @route(ONE_PORT, "GET")
    def port(self, talk: Exchange, tenant: str, network: str, port: str) -> Steps:
        """Show a port."""
        found = yield self._plugin.port(tenant, network, port)
        return talk.show(PORT, View.SUMMARY, found)

    @route(ONE_PORT + "/detail", "GET")
    def port_detail(
        self, talk: Exchange, tenant: str, network: str, port: str
    ) -> Steps:
        """Show a port with what is plugged into it."""
        found = yield self._plugin.port(tenant, network, port)
        return talk.show(PORT, View.DETAIL, found)

    @route(ONE_PORT, "PUT")
    def set_port_state(
        self, talk: Exchange, tenant: str, network: str, port: str
    ) -> Steps:
        """Ask that a port carries frames, or that it does not."""
        state = bodies.state_of(talk.form, talk.body())
        yield self._plugin.set_port_state(tenant, network, port, state)
        return talk.done()

    @route(ONE_PORT, "DELETE")
    def delete_port(
        self, talk: Exchange, tenant: str, network: str, port: str
    ) -> Steps:
        """Delete a port."""
        yield self._plugin.delete_port(tenant, network, port)
        return talk.done()

    @route(ATTACHMENT, "GET")
    def attachment(self, talk: Exchange, tenant: str, network: str, port: str) -> Steps:
        """Show what is plugged into a port."""
        found = yield self._plugin.port(tenant, network, port)
        return talk.show_row("attachment", attachment(found.attachment))

    @route(ATTACHMENT, "PUT")
    def plug(self, talk: Exchange, tenant: str, network: str, port: str) -> Steps:
        """Plug an interface into a port."""
        interface = bodies.interface_of(talk.form, talk.body())
        yield self._plugin.plug(tenant, network, port, interface)
        return talk.done()

    @route(ATTACHMENT, "DELETE")
    def unplug(self, talk: Exchange, tenant: str, network: str, port: str) -> Steps:
        """Leave nothing plugged into a port."""
        yield self._plugin.unplug(tenant, network, port)
        return talk.done()

    @app.handle_errors(HTTPException)
    def no_route(self, request: IRequest, failure: Failure) -> bytes:  # noqa: ARG002
        """Answer whatever no route matches, or none with this method."""
        method = request.method.decode("ascii", "replace")
        path = request.path.decode("utf-8", "replace")
        return answer(request, NotHere(f"There is no {method} {path}"))

    @app.handle_errors(Exception)
    def refused(self, request: IRequest, failure: Failure) -> bytes:
        """Answer what an operation or the plugin refused, or did not foresee."""
        error: Any = failure.value
        return answer(request, error)

    def _networks(self, talk: Exchange, view: View, tenant: str) -> Steps:
        """List networks, those that the query string asks for."""
        networks = yield self._plugin.networks(tenant)
        if talk.request.args:
            query = filters.network_query(talk.request.args)
            networks = [found for found in networks if query.is_met_by(found)]
            if query.of_ports:
                networks = yield from self._with_ports(tenant, query, networks)
        if not talk.tells(NETWORK, view):
            return talk.show_many(NETWORK, view, networks)
        networks = list(networks)
        mtus = yield from self._mtus(talk, view, networks)
        return talk.show_many(NETWORK, view, networks, mtus)

    def _mtus(
        self, talk: Exchange, view: View, networks: Sequence[Network]
    ) -> Generator[Any, Any, list[int | UnsetType]]:
        """Ask for what is known of networks' MTUs, where it is shown."""
        mtus: list[int | UnsetType] = [UNSET] * len(networks)
        if talk.tells(NETWORK, view):
            for index, network in enumerate(networks):
                mtu: Any = self._plugin.mtu(network)
                if mtu is not None and type(mtu) is not int:
                    mtu = yield mtu
                if mtu is not None:
                    mtus[index] = mtu
        return mtus

    def _with_ports(
        self, tenant: str, query: filters.Query, networks: Iterable[Network]
    ) -> Generator[Any, Any, list[Network]]:
        """Choose networks by their ports."""
        chosen = []
        for network in networks:
            try:
                ports = yield self._plugin.ports(tenant, network.id)
            except NetworkNotFound:
                continue  # deleted while a plugin that waits was asked of another
            if query.is_met_by_ports(list(ports)):
                chosen.append(network)
        return chosen

    def _ports(self, talk: Exchange, view: View, tenant: str, network: str) -> Steps:
        """List ports, those that the query string asks for."""
        ports = yield self._plugin.ports(tenant, network)
        if talk.request.args:
            ports = filters.wanted_ports(talk.request.args, ports)
        return talk.show_many(PORT, view, ports)
