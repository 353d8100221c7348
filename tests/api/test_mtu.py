# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A network's MTU, where the plugin knows it."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantum.model import Network
from quantum.testing import MemoryPlugin
from tests.api.client import XML, ApiMixin, OnCompiled, OnKlein
from tests.api.memory import Instead, as_coroutine, as_deferred

NAMESPACE = "{http://openstack.org/quantum/api/v1.1}"


class Sized(MemoryPlugin):
    """A plugin that knows the MTU of some networks."""

    def mtu(self, network: Network) -> int | None:
        return {"blue": 1450, "jumbo": 9000}.get(network.name)


class MtuMixin(ApiMixin):
    """Version 1.1 shows it."""

    def make_plugin(self) -> Any:
        return Sized()

    def test_one(self) -> None:
        """A network is shown with its MTU, in detail too."""
        network = self.v1_1.network()
        path = f"/networks/{network}"
        shown = {"id": network, "name": "blue", "op-status": "UP", "mtu": 1450}
        self.assertEqual({"network": shown}, self.v1_1("GET", path).json)
        shown["ports"] = []
        self.assertEqual({"network": shown}, self.v1_1("GET", path + "/detail").json)

    def test_list(self) -> None:
        """A detailed list has an MTU for each network; a plain list has none."""
        for name in ("blue", "unknown", "jumbo"):
            self.v1_1.network(name)
        found = self.v1_1("GET", "/networks/detail").json["networks"]
        shown = {network["name"]: network.get("mtu", "none") for network in found}
        self.assertEqual({"blue": 1450, "unknown": "none", "jumbo": 9000}, shown)
        found = self.v1_1("GET", "/networks").json["networks"]
        self.assertEqual([{"id"}] * 3, [network.keys() for network in found])

    def test_filtered_list(self) -> None:
        """Each MTU is that of its network, whichever networks were chosen."""
        for name in ("unknown", "jumbo", "blue"):
            self.v1_1.network(name)
        found = self.v1_1("GET", "/networks/detail?name=jumbo").json["networks"]
        self.assertEqual([9000], [network["mtu"] for network in found])

    def test_nothing_to_list(self) -> None:
        """A detailed list may be empty."""
        self.assertEqual({"networks": []}, self.v1_1("GET", "/networks/detail").json)

    def test_xml(self) -> None:
        """In XML it is an attribute."""
        network = self.v1_1.network()
        client = self.client("v1.1", form=XML)
        root = client("GET", f"/networks/{network}").xml
        self.assertEqual("1450", root.get("mtu"))
        (child,) = client("GET", "/networks/detail").xml
        self.assertEqual((NAMESPACE + "network", "1450"), (child.tag, child.get("mtu")))

    def test_version_1_0(self) -> None:
        """Version 1.0 is as it always was."""
        network = self.v1_0.network()
        expected = {"id": network, "name": "blue"}
        for path in (f"/networks/{network}", "/networks/detail"):
            answer = self.v1_0("GET", path).json
            self.assertIn(expected, [*answer.get("networks", []), *answer.values()])


class OnKleinTests(MtuMixin, OnKlein, SynchronousTestCase):
    """By Klein's own resource."""


class OnCompiledTests(MtuMixin, OnCompiled, SynchronousTestCase):
    """By what is compiled from Klein's routes."""


class LaterTests(MtuMixin, OnCompiled, SynchronousTestCase):
    """By a plugin that answers with Deferreds."""

    def make_plugin(self) -> Any:
        return Instead(as_deferred, Sized())


class CoroutineTests(MtuMixin, OnCompiled, SynchronousTestCase):
    """By a plugin that answers with coroutines."""

    def make_plugin(self) -> Any:
        return Instead(as_coroutine, Sized())
