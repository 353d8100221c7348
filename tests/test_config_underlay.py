# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What the configuration may say of tunnels and physical networks."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.config import ConfigError, load

NETWORKS = "openvswitch.physical_networks"


class UnderlayTests(SynchronousTestCase):
    """The underlay, the pools and the ways out."""

    def refusal(self, *settings):
        """Load what cannot be used; the message."""
        return str(self.assertRaises(ConfigError, load, None, settings))

    def physical(self, content, name="external"):
        """Load a physical network; the configuration."""
        return load(None, [f'{NETWORKS}={{"{name}"={content}}}'])

    def physical_refusal(self, content, name="external"):
        """Load a physical network that cannot be; the message."""
        return str(self.assertRaises(ConfigError, self.physical, content, name))

    def test_segments(self):
        """The pool of segments is a range within what 24 bits can tell apart."""
        self.assertEqual(2**24 - 2, len(load().openvswitch.segment_pool))
        config = load(None, ["openvswitch.segments='5000-5999'"])
        pool = config.openvswitch.segment_pool
        self.assertEqual((1000, "5000-5999"), (len(pool), str(pool)))
        for word, expected in (
            ("0-5", "goes beyond 1-16777214"),
            ("1-16777215", "goes beyond 1-16777214"),
            ("9-3", "'9-3' goes down: write 3-9"),
            ("many", "'many' is no range: write 1-16777214"),
            ("", "'' is no range"),
            ("1-", "no range"),
            ("-5", "no range"),
            ("\u0661-\u0665", "no range"),
        ):
            message = self.refusal(f"openvswitch.segments='{word}'")
            self.assertTrue(message.startswith("openvswitch.segments: "), message)
            self.assertIn(expected, message)
            self.assertIn("allowed: ranges within 1-16777214", message)

    def test_vlans(self):
        """VLANs are ranges within 1 to 4094 that do not overlap."""
        config = self.physical("{vlans=['200-201', '7', '100 - 101']}")
        pool = config.openvswitch.physical_networks["external"].pool
        self.assertEqual([7, 100, 101, 200, 201], list(pool))
        for vlans, expected in (
            ("['0']", "'0' goes beyond 1-4094"),
            ("['4000-4095']", "'4000-4095' goes beyond 1-4094"),
            ("['1-10', '10-20']", "1-10 and 10-20 overlap"),
            ("['5', '1-9']", "1-9 and 5 overlap"),
            ("['ten']", "'ten' is no range: write 1-4094 or 1"),
        ):
            message = self.physical_refusal(f"{{vlans={vlans}}}")
            self.assertTrue(message.startswith(f"{NETWORKS}.external.vlans: "), message)
            self.assertIn(expected, message)

    def test_values_of_a_physical_network(self):
        """A wrong value is shown with its place, what would be right, the default."""
        where = f"{NETWORKS}.external"
        for content, expected in (
            ("{vlans='1-2'}", f"{where}.vlans cannot be '1-2': Expected array, got"),
            ("{vlans=[7]}", f"{where}.vlans cannot be [7]: Expected str, got int"),
            ("{mtu=1300}", f"{where}.mtu cannot be 1300: Expected int >= 1330 (the"),
            ("{mtu=99999}", f"{where}.mtu cannot be 99999: Expected int <= 65535"),
            ("{target=5}", f"{where}.target cannot be 5: Expected str, got int"),
            ("{target='a b'}", f"{where}.target: it cannot be 'a b': it is the name"),
            ("{target='br-int'}", "that is openvswitch.integration_bridge"),
            ("{tarjet='x'}", f"no such option {where}.tarjet; did you mean target?"),
            ("5", f"{where} must be a [{where}], not a value"),
        ):
            self.assertIn(expected, self.physical_refusal(content))
        self.assertIn("cannot be 5", self.refusal(f"{NETWORKS}=5"))

    def test_names_of_physical_networks(self):
        """A name is what can be written in a hypervisor's database, and in a path."""
        for name in ("a", "Lab-2.site_3", "x" * 64):
            self.physical("{}", name)
        for name in ("", "a b", "a:b", "a,b", "\u00e4", "x" * 65):
            self.assertIn("has 1 to 64 letters", self.physical_refusal("{}", name))

    def test_targets_are_not_shared(self):
        """Two physical networks are two; without a target each hypervisor says."""
        message = self.refusal(
            f"{NETWORKS}={{a={{target='eth1'}},b={{target='eth1'}}}}"
        )
        self.assertIn("a and b cannot both have 'eth1'", message)
        load(None, [f"{NETWORKS}={{a={{}}, b={{}}}}"])

    def test_tunnel_addresses(self):
        """A tunnel ends at one IPv4 address of one machine."""
        table = "openvswitch.tunnel_addresses"
        config = load(None, [f"{table}={{hv1='192.0.2.1', hv2='192.0.2.2'}}"])
        self.assertEqual("192.0.2.2", config.openvswitch.tunnel_addresses["hv2"])
        for address, expected in (
            ("2001:db8::1", "is IPv6, and tunnels run over IPv4 underlays only"),
            ("hv1.example.org", "'hv1.example.org' is no IPv4 address"),
            ("192.0.2", "no IPv4 address"),
            ("0.0.0.0", "the address of no one machine"),  # noqa: S104  # refused
            ("239.1.1.1", "the address of no one machine"),
            ("255.255.255.255", "the address of no one machine"),
        ):
            message = self.refusal(f"{table}={{hv1='{address}'}}")
            self.assertTrue(message.startswith(f"{table}.hv1: "), message)
            self.assertIn(expected, message)
        self.assertIn("hv1 must be a string", self.refusal(f"{table}={{hv1=1}}"))
        message = self.refusal(f"{table}={{a='192.0.2.1', b='192.0.2.1'}}")
        self.assertIn("a and b cannot both have '192.0.2.1'", message)

    def test_tunnels(self):
        """The kind of tunnel and the underlay's MTU are bounded."""
        message = self.refusal("openvswitch.tunnel_type=gre")
        self.assertIn("openvswitch.tunnel_type cannot be 'gre'", message)
        message = self.refusal("openvswitch.underlay_mtu=1329")
        self.assertIn("openvswitch.underlay_mtu cannot be 1329: Expected int", message)
