# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a query string leaves of a list."""

from typing import Any

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from quantum.errors import NetworkNotFound
from quantum.model import UP, Port
from quantum.testing import MemoryPlugin
from tests.api.client import ApiMixin, OnCompiled, OnKlein
from tests.api.memory import Instead, as_deferred
from tests.api.test_edges import fault_of

# Networks: red has a port R (ACTIVE, UP, "vif"), a free one F (DOWN, DOWN);
# blue has a free port B (DOWN, DOWN); bare has none.
NETWORKS = [
    ("", "red blue bare"),
    ("?", "red blue bare"),
    ("?name=red", "red"),
    ("?name=Red", ""),
    ("?name=", ""),
    ("?name=blue&name=red", "red"),
    ("?name=%72ed", "red"),
    ("?op-status=UP", "red blue bare"),
    ("?op-status=DOWN", ""),
    ("?port-op-status=UP", "red"),
    ("?port-op-status=DOWN", "red blue"),
    ("?port-state=ACTIVE", "red"),
    ("?port-state=active", ""),
    ("?port-state=ACTIVE&port-op-status=DOWN", "red"),
    ("?has-attachment=true", "red"),
    ("?has-attachment=TRUE", "red"),
    ("?has-attachment=false", "blue bare"),
    ("?has-attachment=1", "blue bare"),
    ("?has-attachment=", "blue bare"),
    ("?attachment=vif", "red"),
    ("?attachment=", ""),
    ("?attachment=nope", ""),
    ("?port=B", "blue"),
    ("?port=nope", ""),
    ("?name=red&port=B", ""),
    ("?unknown=1", "red blue bare"),
    ("?unknown=%FF&%FF=1", "red blue bare"),
    ("?unknown=1&name=blue", "blue"),
]
PORTS = [
    ("", "R F"),
    ("?", "R F"),
    ("?state=ACTIVE", "R"),
    ("?state=Active", ""),
    ("?op-status=UP", "R"),
    ("?op-status=DOWN", "F"),
    ("?has-attachment=True", "R"),
    ("?has-attachment=no", "F"),
    ("?attachment=vif", "R"),
    ("?attachment=nope", ""),
    ("?attachment=", ""),
    ("?state=DOWN&attachment=vif", ""),
    ("?name=red", "R F"),
    ("?a=1", "R F"),
]


class Vanishing(MemoryPlugin):
    """A plugin in which one network is gone as soon as it was listed."""

    vanished = ""

    def ports(self, tenant_id: str, network_id: str) -> list[Port]:
        if network_id == self.vanished:
            raise NetworkNotFound(network_id)
        return super().ports(tenant_id, network_id)


class FiltersMixin(ApiMixin):
    """Filters of lists, in both versions."""

    def make_plugin(self) -> Any:
        self.memory = Vanishing()
        return self.memory

    def setUp(self) -> None:
        super().setUp()
        client = self.v1_1
        self.names = {name: client.network(name) for name in ("red", "blue", "bare")}
        red, blue = self.names["red"], self.names["blue"]
        self.names["R"] = client.port(red, "vif", "ACTIVE")
        self.names["F"] = client.port(red)
        self.names["B"] = client.port(blue)
        ports = self.memory.all_ports
        ports[self.names["R"]] = replace(ports[self.names["R"]], status=UP)
        # Some plugins record an empty attachment for none.
        ports[self.names["B"]] = replace(ports[self.names["B"]], attachment="")

    def check(self, path: str, query: str, wanted: str, kind: str) -> None:
        for client in (self.v1_0, self.v1_1):
            for view in ("", ".json", "/detail", "/detail.json"):
                query = query.replace("=B", "=" + self.names["B"])
                reply = client("GET", path + view + query)
                found = [member["id"] for member in reply.json[kind]]
                expected = [self.names[name] for name in wanted.split()]
                self.assertEqual(expected, found, (client.version, view, query))

    def test_networks(self) -> None:
        """Conditions are joined; those on ports may be met by different ports."""
        for query, wanted in NETWORKS:
            self.check("/networks", query, wanted, "networks")

    def test_ports(self) -> None:
        """A port has to meet every condition itself."""
        for query, wanted in PORTS:
            self.check(f"/networks/{self.names['red']}/ports", query, wanted, "ports")

    def test_single_resources_are_not_filtered(self) -> None:
        """What is asked for by its id is shown, whatever the query says."""
        path = f"/networks/{self.names['red']}"
        for view in ("", "/detail", f"/ports/{self.names['F']}"):
            self.assertEqual(200, self.v1_1("GET", path + view + "?name=no").code)
        detail = self.v1_1("GET", path + "/detail?has-attachment=true").json
        self.assertEqual(2, len(detail["network"]["ports"]))

    def test_value_that_is_not_utf8(self) -> None:
        """A condition that is no text is refused."""
        for path in (
            "/networks?name=%FF",
            f"/networks/{self.names['red']}/ports?state=%FF",
        ):
            reply = self.v1_0("GET", path)
            self.assertEqual("malformedRequest", fault_of(reply, "v1.0")["name"])

    def test_network_deleted_meanwhile(self) -> None:
        """A network that goes while its ports are looked at is not listed."""
        self.memory.vanished = self.names["red"]
        self.check("/networks", "?has-attachment=true", "", "networks")
        self.check("/networks", "?has-attachment=false", "blue bare", "networks")


class FiltersOnKleinTests(FiltersMixin, OnKlein, SynchronousTestCase):
    """Klein filters so."""


class FiltersOnCompiledTests(FiltersMixin, OnCompiled, SynchronousTestCase):
    """So does the compiled resource."""


class FiltersByDeferredTests(FiltersMixin, OnCompiled, SynchronousTestCase):
    """So they do over a plugin that answers with Deferreds."""

    def make_plugin(self) -> Any:
        self.memory = Vanishing()
        return Instead(as_deferred, self.memory)
