# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""By what a hypervisor shall reach others, as its database and we say."""

from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge
from quantum.channel.ovsdb.reach import Reach, reach
from quantum.channel.ovsdb.replica import Replica
from tests.channel.database import apply, dump, mapping

WANTED = WantedBridge(
    "br-int",
    "tcp:127.0.0.1:6653",
    tunnel_addresses={"host1": "192.0.2.1"},
    underlay_mtu=1500,
    physical_networks={"external": "br-ex", "lab": ""},
)
BARE = evolve(WANTED, tunnel_addresses={}, physical_networks={})


def said(wanted: WantedBridge = WANTED, /, **ids: str) -> Reach:
    """What follows from some ``external_ids`` of the hypervisor."""
    replica = Replica()
    apply(replica, **dump())
    own = {"modify": {"external_ids": mapping(**ids)}}
    apply(replica, Open_vSwitch={1: own})
    return reach(replica, wanted)


def names(found: Reach) -> list[tuple[str, ...]]:
    """The ports of each uplink."""
    return [tuple(cable.name for cable in uplink.cables) for uplink in found.uplinks]


class TunnelTests(SynchronousTestCase):
    """The tunnel's address and its port."""

    def test_configured(self) -> None:
        """The configuration's address is taken where the database has none."""
        found = said()
        self.assertEqual((bytes([192, 0, 2, 1]), ""), (found.address, found.problem))
        assert found.tunnel is not None
        self.assertEqual(
            ("quantum-tun", "vxlan"), (found.tunnel.name, found.tunnel.type)
        )
        self.assertEqual(
            {"key": "flow", "remote_ip": "flow", "local_ip": "192.0.2.1"},
            found.tunnel.options,
        )

    def test_own(self) -> None:
        """The database's own address comes first."""
        found = said(quantum_tunnel_ip=" 192.0.2.7 ")
        self.assertEqual(bytes([192, 0, 2, 7]), found.address)

    def test_unknown(self) -> None:
        """Without an address there is no tunnel and, on a lone machine, no alarm."""
        found = said(BARE)
        self.assertEqual(
            (b"", None, []), (found.address, found.tunnel, found.complaints)
        )
        self.assertIn("quantum-tunnel-ip", found.problem)

    def test_bad(self) -> None:
        """What is no IPv4 address of a machine makes no tunnel, and says so."""
        for written in (
            *("2001:db8::1", "192.0.2.256", "0.0.0.1", "127.0.0.1", "224.0.0.1"),
            *("255.255.255.255", "flow", "192.0.2.1/24", "\0", "é", "1" * 100_000),
        ):
            found = said(quantum_tunnel_ip=written)
            self.assertEqual((b"", None), (found.address, found.tunnel), written[:20])
            self.assertEqual([found.problem], found.complaints)
            self.assertIn("only IPv4 underlays", found.problem)
            self.assertLess(len(found.problem), 200)

    def test_mtu(self) -> None:
        """The underlay's MTU is told; one that is too small or none is an alarm."""
        self.assertEqual((9000, []), self.mtu("9000"))
        self.assertEqual(1400, self.mtu("1400")[0])
        self.assertIn("smaller than the configured", self.mtu("1400")[1][0])
        for written in ("0", "-1", "70000", "9" * 5000, "x", "1e3", "²"):
            mtu, complaints = self.mtu(written)
            self.assertEqual((0, 1), (mtu, len(complaints)), written[:20])

    def mtu(self, written: str) -> tuple[int, list[str]]:
        """What follows from an MTU."""
        found = said(quantum_underlay_mtu=written)
        return found.mtu, found.complaints

    def test_waiting(self) -> None:
        """An Open vSwitch that waits for its flows is doubtful."""
        replica = Replica()
        apply(replica, **dump())
        for value, expected in (("true", 1), ("false", 0), ("true", 1)):
            pairs = mapping(flow_restore_wait=value)
            apply(replica, Open_vSwitch={1: {"modify": {"other_config": pairs}}})
            self.assertEqual(expected, len(reach(replica, WANTED).doubts), value)


class UplinkTests(SynchronousTestCase):
    """Physical networks and their targets."""

    def test_bridge(self) -> None:
        """A target that is a bridge is reached by a cable with two ends."""
        (uplink,) = said().uplinks
        here, there = uplink.cables
        self.assertEqual(("br-int", "br-ex"), (here.bridge, there.bridge))
        self.assertEqual({"peer": there.name}, here.options)
        self.assertEqual({"peer": here.name}, there.options)
        self.assertEqual(here.mark, there.mark)

    def test_interface(self) -> None:
        """Any other target is itself a port."""
        found = said(quantum_physical_networks="lab:eth3, external:")
        self.assertEqual([("eth3",)], names(found))

    def test_overridden(self) -> None:
        """What the database says of a network replaces what we say, of no other."""
        found = said(quantum_physical_networks="external:eth0")
        self.assertEqual([("eth0",)], names(found))
        found = said(quantum_physical_networks="lab:eth3")
        self.assertEqual(2, len(found.uplinks))

    def test_refused(self) -> None:
        """Targets that cannot be, are complained of; the others are used."""
        for written, words in (
            ("lab:br-int", "integration bridge itself"),
            ("lab:br-ex", "carries physical network external"),
            ("lab:quantum-tun", "Quantum's own"),
            ("lab:quantum-to-lab", "Quantum's own"),
            ("lab:" + "x" * 5000, "no bridge"),
            ("lab", "NAME:TARGET"),
            ("unheard-of:eth3", "configured physical network"),
            ("lab:eth3,lab:eth4", "named twice"),
            ("a,b,c", "and 2 more"),
        ):
            found = said(quantum_physical_networks=written)
            self.assertEqual(1, len(found.complaints), written[:20])
            self.assertIn(words, found.complaints[0])
            self.assertLess(len(found.complaints[0]), 300)
            self.assertIn(
                ("quantum-to-external", "quantum-from-external"), names(found)
            )

    @given(*[st.text() | st.sampled_from(["lab:eth3", "external:x,", ":", ","])] * 3)
    def test_nonsense(self, address: str, mtu: str, networks: str) -> None:
        """Whatever is written there, it is read, and complaints stay short."""
        ids: dict[str, Any] = {
            "quantum_tunnel_ip": address,
            "quantum_underlay_mtu": mtu,
            "quantum_physical_networks": networks,
        }
        found = said(**ids)
        self.assertLessEqual(len(found.uplinks), 2)
        self.assertLessEqual(len(found.complaints), 5)
