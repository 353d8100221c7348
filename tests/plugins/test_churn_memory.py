# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What came and went leaves nothing behind."""

from attrs import fields, has
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import AdminState
from quantum.openflow.facts import SeenInterface

from .site import TENANT, Site, by_tunnel, tap

ROUNDS = 100
PORTS = 100
OURS = ("quantum.openflow.", "quantum.plugins.openvswitch.")


def contents(thing, path: str = "") -> dict[str, int]:
    """Count what is in every container that hangs below an object of ours."""
    found = {}
    for attribute in fields(type(thing)):
        value = getattr(thing, attribute.name)
        where = f"{path}.{attribute.name}"
        kind = type(value)
        if has(kind) and kind.__module__.startswith(OURS):
            found.update(contents(value, where))
        elif hasattr(value, "__len__") and not isinstance(value, str | bytes):
            found[where] = len(value)
    return found


class MemoryTests(SynchronousTestCase):
    """Ten thousand interfaces come and go."""

    def setUp(self) -> None:
        """Make a site with two switches that reach each other."""
        self.site = Site()
        for number in (2, 1):
            self.site.underlay(number, by_tunnel(number, ("external", 20)))
            self.datapath = self.site.connect(number)
            self.site.sync(number)
        self.network = self.site.ask(self.site.plugin.create_network, TENANT, "blue").id
        self.before = self.weight()

    def weight(self) -> dict[str, int]:
        """Count everything that is kept."""
        fabric = self.site.fabric
        found = contents(fabric, "fabric")
        for number in (1, 2):
            found |= contents(fabric.switches[number], f"switch {number}")
            found[f"flows {number}"] = len(self.site.tables[number].flows())
        found["progress"] = len(self.site.rounds._progress)
        return found

    def test_interfaces(self) -> None:
        """Nothing is kept of interfaces that are gone, however they were in between."""
        self.site.port("v1", self.network)
        for number in range(ROUNDS):
            seen = [tap(f"v{n}", n + 1 + number) for n in range(PORTS)]
            self.site.change(1, *seen)
            self.site.change(1, SeenInterface("tap-v1", "v2", 900))
            if number % 10 == 0:
                self.datapath.close()
                self.datapath = self.site.connect(1)
            self.site.change(1, gone=[one.name for one in seen])
        self.site.rounds()
        self.assertEqual(self.before, self.weight() | {"progress": 0})

    def test_networks(self) -> None:
        """Nothing is kept of networks that are gone."""
        plugin = self.site.plugin
        for number in range(ROUNDS):
            self.site.change(1, tap("v", number + 1))
            port = self.site.port("v")
            where = (TENANT, port.network_id)
            self.site.ask(plugin.set_port_state, *where, port.id, AdminState.DOWN)
            self.site.ask(plugin.unplug, *where, port.id)
            self.site.ask(plugin.delete_network, *where)
        self.site.change(1, gone=["tap-v"])
        self.site.rounds()
        self.assertEqual(self.before, self.weight() | {"progress": 0})

    def test_spanning(self) -> None:
        """Nothing is kept of what others had in networks that spanned them."""
        plugin = self.site.plugin
        for number in range(ROUNDS):
            network = self.site.ask(plugin.create_network, TENANT, "red").id
            if number % 2:
                self.site.ask(plugin.bind_vlan, network, "external", None)
            where = (TENANT, network)
            for port in [self.site.port(name, network) for name in ("v", "w")]:
                for switch in (1, 2):
                    self.site.change(switch, tap(port.attachment, number + 1))
                self.site.ask(plugin.unplug, *where, port.id)
            self.site.ask(plugin.delete_network, *where)
            self.site.underlay(2, by_tunnel(3 + number))
            for _ in range(2):
                self.site.rounds()
        self.site.underlay(2, by_tunnel(2, ("external", 20)))
        for switch in (1, 2):
            self.site.change(switch, gone=["tap-v", "tap-w"])
        self.assertEqual(self.before, self.weight() | {"progress": 0})

    def test_bridges(self) -> None:
        """Nothing is kept of bridges that were deleted."""
        for number in range(3, ROUNDS):
            datapath = self.site.connect(number)
            self.site.underlay(number, by_tunnel(number))
            self.site.sync(number, tap("v", 1))
            datapath.close()
            self.site.testimony.switch_gone(f"hv{number}", number)
        self.site.rounds()
        self.assertEqual(self.before, self.weight() | {"progress": 0})
