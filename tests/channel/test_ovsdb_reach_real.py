# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Tunnel ports and uplinks in a real Open vSwitch with a simulated datapath."""

from attrs import evolve

from quantum.openflow.facts import Underlay
from tests.channel.test_ovsdb_real import WANTED, RealCase

ADDRESS = bytes([192, 0, 2, 11])
OPTIONS = '{key=flow, local_ip="192.0.2.11", remote_ip=flow}'
HERE, THERE = "quantum-to-external", "quantum-from-external"


class ReachCase(RealCase):
    """A hypervisor that has a tunnel address."""

    wanted = evolve(WANTED, physical_networks={"external": "", "lab": ""})

    def setUp(self) -> None:
        super().setUp()
        self.say("quantum-tunnel-ip=192.0.2.11")

    def say(self, *ids: str) -> None:
        """Let the hypervisor say something of itself."""
        self.ovs.vsctl("set", "open", ".", *(f"external_ids:{one}" for one in ids))

    def carry(self, *networks: str) -> None:
        """Let the hypervisor say where its physical networks are."""
        self.say(f'quantum-physical-networks="{",".join(networks)}"')

    def add_bridge(self, name: str, *first: str) -> None:
        """Make a bridge, as an operator would."""
        bridge = ("set", "bridge", name, "datapath_type=dummy", "fail_mode=secure")
        bridge += ("other_config:disable-in-band=true",)
        self.ovs.vsctl(*first, "add-br", name, "--", *bridge)

    @property
    def told(self) -> Underlay:
        """What was told last."""
        return self.listener.underlays[-1][1] if self.listener.underlays else Underlay()

    async def until_uplinks(self, *names: str) -> None:
        """Wait until just these physical networks are reached."""
        await self.until(lambda: tuple(name for name, _ in self.told.uplinks) == names)

    async def until_tunnel(self, port: int = 65000) -> None:
        """Wait until the tunnel has an OpenFlow port."""
        await self.until(lambda: self.told.tunnel == port)

    def ports(self, bridge: str) -> list[str]:
        """The ports of a bridge."""
        return self.ovs.vsctl("list-ports", bridge).split()


class TunnelTests(ReachCase):
    """The tunnel port."""

    async def test_made(self) -> None:
        """It is made with its options; a second connection changes nothing."""
        service = self.dial()
        await self.until_tunnel()
        self.assertEqual(Underlay(ADDRESS, 65000), self.told)
        self.assertEqual("vxlan", self.get("interface", "quantum-tun", "type"))
        self.assertEqual(OPTIONS, self.get("interface", "quantum-tun", "options"))
        self.assertEqual("65000", self.get("interface", "quantum-tun", "ofport"))
        await self.stop(service)
        before = self.history()
        self.listener.underlays.clear()
        self.listener.news()
        self.dial()
        await self.until_told("synced")
        told = [underlay for _, underlay in self.listener.underlays]
        self.assertEqual([Underlay(ADDRESS, 65000)], told)
        self.assertEqual((before, []), (self.history(), self.warnings))

    async def test_broken(self) -> None:
        """Whatever somebody does to it is undone."""
        self.dial()
        await self.until_tunnel()
        wrong = ("options:remote_ip=192.0.2.99", "options:in_key=7", "type=geneve")
        for words in (
            ("set", "interface", "quantum-tun", *wrong),
            ("del-port", "quantum-tun"),
        ):
            self.listener.underlays.clear()
            self.ovs.vsctl(*words)
            await self.until_tunnel()
            self.assertEqual("vxlan", self.get("interface", "quantum-tun", "type"))
            self.assertEqual(OPTIONS, self.get("interface", "quantum-tun", "options"))
            self.assertEqual(0, self.listener.underlays[0][1].tunnel)

    async def test_address(self) -> None:
        """It follows the address, and goes when there is none."""
        self.dial()
        await self.until_tunnel()
        self.say("quantum-tunnel-ip=192.0.2.12")
        moved = Underlay(bytes([192, 0, 2, 12]), 65000)
        await self.until(lambda: self.told == moved)
        local = self.get("interface", "quantum-tun", "options:local_ip")
        self.assertEqual("192.0.2.12", local)
        self.ovs.vsctl("remove", "open", ".", "external_ids", "quantum-tunnel-ip")
        await self.until(lambda: "quantum-tun" not in self.ports("br-int"))
        self.assertEqual((b"", 0), (self.told.address, self.told.tunnel))

    async def test_tenants_name(self) -> None:
        """A tenant's interface of that name stays what it is."""
        self.add_bridge("br-int")
        self.plug("quantum-tun", ofport=5)
        self.dial()
        await self.until(lambda: self.ofport("quantum-tun") == 5)
        await self.until(lambda: any("quantum-tun" in text for text in self.warnings))
        self.assertEqual(0, self.told.tunnel)
        self.ovs.vsctl("del-port", "quantum-tun")
        await self.until_tunnel()

    async def test_restarted(self) -> None:
        """It outlives ovs-vswitchd, and nothing else is told meanwhile."""
        self.dial()
        await self.until_tunnel()
        self.listener.underlays.clear()
        self.ovs.kill("ovs-vswitchd")
        self.ovs.start_vswitchd()
        self.plug("p")
        await self.until(lambda: self.ofport("p") > 0)
        self.assertEqual([], self.listener.underlays)
        self.assertEqual("65000", self.get("interface", "quantum-tun", "ofport"))


class UplinkTests(ReachCase):
    """Physical networks."""

    async def test_cable(self) -> None:
        """A bridge is reached by a cable, and otherwise left as it is."""
        self.add_bridge("br-ex")
        self.ovs.vsctl("set-fail-mode", "br-ex", "standalone")
        columns = ("--columns=fail_mode,controller,protocols,other_config", "list")
        before = self.ovs.vsctl(*columns, "bridge", "br-ex")
        self.carry("external:br-ex")
        self.dial()
        await self.until_uplinks("external")
        self.assertEqual([THERE], self.ports("br-ex"))
        self.assertIn(HERE, self.ports("br-int"))
        self.assertEqual(HERE, self.get("interface", THERE, "options:peer"))
        port = int(self.get("interface", HERE, "ofport"))
        self.assertEqual((("external", port),), self.told.uplinks)
        self.assertEqual(before, self.ovs.vsctl(*columns, "bridge", "br-ex"))
        self.carry("external:")
        await self.until(lambda: not self.ports("br-ex"))
        self.assertEqual((), self.told.uplinks)
        self.assertNotIn(HERE, self.ports("br-int"))

    async def test_cut(self) -> None:
        """An end that somebody removes is put back."""
        self.add_bridge("br-ex")
        self.carry("external:br-ex")
        self.dial()
        for end in (THERE, HERE):
            await self.until_uplinks("external")
            self.ovs.vsctl("del-port", end)
            await self.until_uplinks()
        await self.until_uplinks("external")

    async def test_bridge_made_again(self) -> None:
        """A bridge may be deleted and made again; nobody takes its name meanwhile."""
        self.add_bridge("br-ex")
        self.carry("external:br-ex")
        self.dial()
        await self.until_uplinks("external")
        self.ovs.vsctl("del-br", "br-ex")
        await self.until_uplinks()
        await self.until(lambda: any("br-ex is gone" in text for text in self.warnings))
        self.add_bridge("br-ex")
        await self.until_uplinks("external")
        self.assertEqual([THERE], self.ports("br-ex"))

    async def test_bridge_came(self) -> None:
        """The interface that stood for a bridge gives way to a cable."""
        self.carry("external:br-ex")
        self.dial()
        await self.until_uplinks("external")
        self.assertIn("br-ex", self.ports("br-int"))
        self.add_bridge("br-ex", "del-port", "br-ex", "--")
        await self.until(lambda: THERE in self.ports("br-ex"))
        await self.until_uplinks("external")
        self.assertNotIn("br-ex", self.ports("br-int"))

    async def test_interface(self) -> None:
        """An interface becomes a port; with another target that goes again."""
        self.carry("external:eth0", "lab:eth3")
        self.dial()
        await self.until_uplinks("external", "lab")
        self.carry("lab:eth0")
        await self.until_uplinks("lab")
        await self.until(lambda: "eth3" not in self.ports("br-int"))
        await self.until(lambda: "eth0" in self.ports("br-int"))

    async def test_left(self) -> None:
        """An interface of another bridge stays there; a tenant's is no uplink."""
        self.add_bridge("br-lan")
        self.ovs.vsctl("add-port", "br-lan", "eth0")
        self.add_bridge("br-int")
        self.plug("tap")
        self.carry("external:eth0", "lab:tap")
        self.dial()
        await self.until_told("synced")
        await self.until(lambda: len(self.warnings) >= 2)
        self.assertIn("eth0 is on another bridge", self.warnings[0])
        self.assertIn("tap is plugged in", self.warnings[1])
        self.assertEqual(((), ["eth0"]), (self.told.uplinks, self.ports("br-lan")))

    async def test_two_daemons(self) -> None:
        """Two of us that repair at once make each port once."""
        self.add_bridge("br-ex")
        self.add_bridge("br-int")
        self.carry("external:br-ex", "lab:eth3")
        self.dial()
        self.dial()
        await self.until_tunnel()
        await self.until_uplinks("external", "lab")
        self.assertEqual(
            sorted([HERE, "eth3", "quantum-tun"]), sorted(self.ports("br-int"))
        )
        self.assertEqual([], [text for text in self.warnings if "cannot set" in text])
