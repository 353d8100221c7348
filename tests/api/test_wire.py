# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is written can be read again, in either format."""

import contextlib
import json
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from twisted.trial.unittest import SynchronousTestCase

from quantum.api import bodies, wire
from quantum.api.dialects import DIALECTS, V1_0, V1_1, spoken
from quantum.api.negotiation import JSON, XML
from quantum.api.resources import NETWORK, PORT, View, layout
from quantum.errors import Malformed, StateInvalid
from quantum.model import AdminState, Network, OpStatus, Port, Status
from tests.api.client import JSON as JSON_TYPE
from tests.api.client import XML as XML_TYPE
from tests.api.client import ApiMixin, OnCompiled

names = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs"), exclude_characters=("\ufffe", "\uffff")
    ),
    min_size=1,
    max_size=255,
)
anything = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF), max_size=300)
statuses = st.sampled_from(OpStatus).map(Status)
networks = st.builds(Network, names, names, names, st.integers(1, 9), statuses)
ports = st.builds(
    Port, names, names, st.sampled_from(AdminState), st.none() | names, statuses
)


class RoundTripTests(ApiMixin, OnCompiled, SynchronousTestCase):
    """A name survives being created in one format and listed in the other."""

    @settings(deadline=None)
    @given(name=names)
    def test_names(self, name: str) -> None:
        """Whichever way a valid name comes in, it comes out unchanged."""
        forms: list[tuple[str, bytes]] = [
            (JSON_TYPE, json.dumps({"network": {"name": name}}).encode()),
            (
                JSON_TYPE,
                json.dumps({"network": {"name": name}}, ensure_ascii=False).encode(),
            ),
            (XML_TYPE, f"<network name={quoteattr(name)}/>".encode()),
            (XML_TYPE, f"<network><name>{escape(name)}</name></network>".encode()),
        ]
        for form, body in forms:
            self.plugin.all_networks.clear()
            made = self.client("v1.1", form=form)("POST", "/networks", body)
            self.assertEqual(202, made.code, made)
            listed = self.v1_1("GET", "/networks/detail").json["networks"]
            self.assertEqual([name], [network["name"] for network in listed])
            in_xml = self.v1_1("GET", "/networks/detail.xml").xml
            self.assertEqual([name], [network.get("name") for network in in_xml])

    @settings(deadline=None)
    @given(interface=names)
    def test_attachments(self, interface: str) -> None:
        """So does the id of an interface, and a filter finds it."""
        network = self.v1_1.network()
        self.plugin.all_ports.clear()
        port = self.v1_1.port(network)
        path = f"/networks/{network}/ports/{port}"
        body = f"<attachment><id>{escape(interface)}</id></attachment>".encode()
        self.assertEqual(204, self.v1_1("PUT", f"{path}/attachment.xml", body).code)
        found = self.v1_1("GET", f"{path}/attachment").json
        self.assertEqual({"attachment": {"id": interface}}, found)
        self.assertEqual(
            interface, self.v1_1("GET", f"{path}/detail.xml").xml[0].get("id")
        )


class RowsTests(SynchronousTestCase):
    """Rows in JSON and XML say the same."""

    def read(self, body: bytes) -> Any:
        root = etree.fromstring(body)
        return etree.QName(root).localname, self.members(root)

    def members(self, element: Any) -> dict[str, Any]:
        found = dict(element.attrib)
        for child in element:
            name = etree.QName(child).localname
            is_list = name.endswith("s")
            found[name] = (
                [self.members(item) for item in child]
                if is_list
                else self.members(child)
            )
        return found

    @settings(deadline=None)
    @given(networks, st.lists(ports, max_size=3))
    def test_network_detail(self, network: Network, held: list[Port]) -> None:
        """A network with its ports is the same in both formats."""
        for dialect in DIALECTS.values():
            row = layout(NETWORK, View.DETAIL, dialect).row(network, held)
            in_json = json.loads(wire.one(JSON, "network", row, dialect.namespace))
            in_xml = self.read(wire.one(XML, "network", row, dialect.namespace))
            self.assertEqual({in_xml[0]: in_xml[1]}, in_json)
            self.assertEqual(
                [port.attachment for port in held],
                [
                    port.get("attachment", {}).get("id")
                    for port in in_json["network"]["ports"]
                ],
            )

    @settings(deadline=None)
    @given(st.lists(ports, max_size=5))
    def test_members_by_view(self, held: list[Port]) -> None:
        """Every view of each dialect has exactly its members."""
        expected = {
            View.REFERENCE: {"id"},
            View.SUMMARY: {"id", "state"},
            View.DETAIL: {"id", "state"},
        }
        for view, members in expected.items():
            for dialect in (V1_0, V1_1):
                is_new = dialect is V1_1 and view is not View.REFERENCE
                extra = {"op-status"} if is_new else set()
                rows = layout(PORT, view, dialect).rows(held)
                shown = json.loads(wire.many(JSON, ("ports", "port"), rows, ""))
                for port, source in zip(shown["ports"], held, strict=True):
                    if view is View.DETAIL and source.attachment:
                        self.assertIn("attachment", port)
                        del port["attachment"]
                    self.assertEqual(members | extra, set(port))

    @settings(deadline=None)
    @given(anything)
    def test_escaping(self, text: str) -> None:
        """Whatever a plugin recorded, the XML is well-formed."""
        written = f'<a b="{wire.escaped(text)}">{wire.escaped(text)}</a>'
        element = etree.fromstring(written.encode())
        self.assertEqual(wire.shown(text, 999), element.get("b"))
        self.assertEqual(wire.shown(text, 999), element.text or "")


class BodiesTests(SynchronousTestCase):
    """Reading bodies never does worse than refuse."""

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes(self, body: bytes) -> None:
        """Any bytes at all are read or refused."""
        for form in (JSON, XML):
            for read in (bodies.name_of, bodies.interface_of, bodies.state_of):
                with contextlib.suppress(Malformed, StateInvalid):
                    read(form, body)

    @settings(deadline=None)
    @given(st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | anything,
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["network", "name", "x"]), inner, max_size=3),
    ))  # fmt: skip
    def test_any_json(self, document: Any) -> None:
        """Any JSON is refused unless it names a network."""
        body = json.dumps(document).encode()
        try:
            name = bodies.name_of(JSON, body)
        except Malformed:
            return
        self.assertEqual(name, document["network"]["name"])
        self.assertTrue(1 <= len(name) <= 255)

    @settings(deadline=None)
    @given(anything)
    def test_both_formats_agree(self, name: str) -> None:
        """A name that can be said in XML is judged as in JSON."""
        in_json = json.dumps({"network": {"name": name}}).encode()
        try:
            in_xml = f"<network name={quoteattr(name)}/>".encode()
            etree.fromstring(in_xml)
        except (UnicodeEncodeError, etree.XMLSyntaxError):
            self.assertRaises(Malformed, bodies.name_of, JSON, in_json)
            return
        try:
            expected = bodies.name_of(JSON, in_json)
        except Malformed:
            self.assertRaises(Malformed, bodies.name_of, XML, in_xml)
        else:
            self.assertEqual(expected, bodies.name_of(XML, in_xml))


class SpokenTests(SynchronousTestCase):
    """Which dialect a path belongs to."""

    def test_paths(self) -> None:
        """Only what is below a version that exists is in a dialect."""
        for path, dialect in (
            (b"/v1.0/x", V1_0),
            (b"/v1.1/tenants/t/networks.json", V1_1),
            (b"/v1.0", None),
            (b"/v1.2/x", None),
            (b"/", None),
            (b"", None),
            (b"//v1.0/x", None),
            (b"/\xff/x", None),
        ):
            self.assertIs(dialect, spoken(path), path)
