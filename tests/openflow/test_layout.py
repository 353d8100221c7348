# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The compiler: what a change touches is all that changes."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.openflow.flow import encode
from quantum.openflow.layout import LocalPort, difference
from quantum.openflow.messages import MAX_FRAME, add_flow, bundled
from quantum.openflow.pipeline import FLOOD_MEMBERS, Table

from .strategies import layout_of, local_ports, mac, ofports, port_maps

changes = st.dictionaries(ofports, st.one_of(st.none(), local_ports()), max_size=4).map(
    lambda ports: {
        ofport: port and LocalPort(ofport, port.segment, port.mac)
        for ofport, port in ports.items()
    }
)


class ChangeTests(SynchronousTestCase):
    """Compiling a change equals compiling everything twice."""

    @given(ports=port_maps, changed=changes)
    def test_same_as_all(self, ports, changed) -> None:
        """The steps of a change are the difference between the whole plans."""
        layout = layout_of(ports)
        before = list(layout.plan())
        steps = layout.change(changed)
        after = list(layout.plan())
        whole = difference(before, after)
        self.assertEqual(set(whole.remove), set(steps.remove))
        self.assertEqual(set(whole.add), set(steps.add))
        self.assertEqual(len(after) - len(before), steps.growth)

    @given(ports=port_maps)
    def test_keys(self, ports) -> None:
        """No two flows of a plan have the same table, priority and match."""
        keys = [flow.key for flow in layout_of(ports).plan()]
        self.assertEqual(len(set(keys)), len(keys))


class LargeNetworkTests(SynchronousTestCase):
    """A network of more ports than one message can name."""

    def setUp(self) -> None:
        """Make a network of every port that a switch can have."""
        self.ports = {n: LocalPort(n, 1, None) for n in range(1, 0xFF00)}
        self.layout = layout_of(self.ports)

    def flood(self) -> list:
        """Compile the flooding."""
        return [flow for flow in self.layout.plan() if flow.shape.table >= Table.FLOOD]

    def test_complete(self) -> None:
        """Every port is in exactly one part, and every part leads to the next."""
        parts = self.flood()
        ports = [port for flow in parts for port in flow.outputs]
        self.assertEqual(sorted(self.ports), ports)
        tables = [flow.shape.table for flow in parts]
        self.assertEqual([*tables[1:], None], [flow.shape.goto for flow in parts])

    def test_fits(self) -> None:
        """Every part fits into a message."""
        for flow in self.flood():
            message = bundled(1, add_flow(1, encode(flow)))
            self.assertLessEqual(len(message), MAX_FRAME)

    def test_small_change(self) -> None:
        """One port less rewrites one part."""
        steps = self.layout.change({9000: None})
        floods = [flow for flow in steps.add if flow.shape.table >= Table.FLOOD]
        self.assertEqual([9000 // FLOOD_MEMBERS], [f.shape.table - 40 for f in floods])


class AddressTests(SynchronousTestCase):
    """Addresses that two ports of a network have."""

    def test_flooded(self) -> None:
        """An address of two ports has no flow of its own: both get its frames."""
        ports = {n: LocalPort(n, 1, mac(1)) for n in (1, 2)}
        shapes = {flow.shape.name for flow in layout_of(ports).plan()}
        self.assertNotIn("unicast", shapes)
