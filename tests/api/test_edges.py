# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is refused, by which fault, and that it changed nothing."""

from typing import Any

from lxml import etree
from twisted.trial.unittest import SynchronousTestCase

from tests.api.client import XML, ApiMixin, Client, OnCompiled, OnKlein, Reply

FAULTS = {
    "NetworkNotFound": (420, 404),
    "NetworkInUse": (421, 409),
    "PortNotFound": (430, 404),
    "RequestedStateInvalid": (431, 400),
    "PortInUse": (432, 409),
    "AlreadyAttached": (440, 409),
    "malformed": (400, 400),
}
NO_NETWORK, NO_PORT, IN_USE = "NetworkNotFound", "PortNotFound", "PortInUse"
BAD_STATE, TAKEN, BAD = "RequestedStateInvalid", "AlreadyAttached", "malformed"
NAMED = {"network": {"name": "n"}}
ACTIVE = {"port": {"state": "ACTIVE"}}
VIF = {"attachment": {"id": "new"}}

Edge = tuple[str, str, Any, str]

# Of acme: network N with ports P (free) and U (in use by "vif"), and network E.
# Of rival: network R with port S, in use by "their-vif".
EDGES: list[Edge] = [
    ("create, wrong member", "POST /networks", {"network": {"bad": 1}}, BAD),
    ("create, wrong root", "POST /networks", {"net": {"name": "n"}}, BAD),
    ("create, array", "POST /networks", [NAMED], BAD),
    ("create, null", "POST /networks", b"null", BAD),
    ("create, null root", "POST /networks", {"network": None}, BAD),
    ("create, text", "POST /networks", {"network": "n"}, BAD),
    ("create, empty body", "POST /networks", b"", BAD),
    ("create, unparsable", "POST /networks", b"{", BAD),
    ("create, empty name", "POST /networks", {"network": {"name": ""}}, BAD),
    ("create, object", "POST /networks", {"network": {"name": {}}}, BAD),
    ("create, number", "POST /networks", {"network": {"name": 5}}, BAD),
    ("create, null name", "POST /networks", {"network": {"name": None}}, BAD),
    ("rename, wrong member", "PUT /networks/N", {"network": {"id": "x"}}, BAD),
    ("rename, empty body", "PUT /networks/N", b"", BAD),
    ("rename, unknown", "PUT /networks/X", NAMED, NO_NETWORK),
    ("rename, another's", "PUT /networks/R", NAMED, NO_NETWORK),
    ("show, unknown", "GET /networks/X", b"", NO_NETWORK),
    ("show, another's", "GET /networks/R", b"", NO_NETWORK),
    ("detail, unknown", "GET /networks/X/detail", b"", NO_NETWORK),
    ("detail, another's", "GET /networks/R/detail", b"", NO_NETWORK),
    ("delete, in use", "DELETE /networks/N", b"", "NetworkInUse"),
    ("delete, unknown", "DELETE /networks/X", b"", NO_NETWORK),
    ("delete, another's", "DELETE /networks/R", b"", NO_NETWORK),
    ("ports, unknown", "GET /networks/X/ports", b"", NO_NETWORK),
    ("ports, another's", "GET /networks/R/ports", b"", NO_NETWORK),
    ("ports, detail", "GET /networks/X/ports/detail", b"", NO_NETWORK),
    ("create port, unknown", "POST /networks/X/ports", b"", NO_NETWORK),
    ("create port, another's", "POST /networks/R/ports", b"", NO_NETWORK),
    ("create port, root", "POST /networks/N/ports", {"bad": {}}, BAD),
    ("create port, null", "POST /networks/N/ports", {"port": None}, BAD),
    ("create port, array", "POST /networks/N/ports", b"[]", BAD),
    *[
        (f"{verb}, state {state!r}", f"{method} /networks/N/ports{port}",
         {"port": {"state": state}}, BAD_STATE)
        for verb, method, port in (("create port", "POST", ""), ("set", "PUT", "/P"))
        for state in ("BADSTATE", "active", "", 5, True, ["ACTIVE"], {}, 1.5)
    ],
    ("set, unknown net", "PUT /networks/X/ports/P", ACTIVE, NO_NETWORK),
    ("set, unknown port", "PUT /networks/N/ports/X", ACTIVE, NO_PORT),
    ("set, other network's", "PUT /networks/E/ports/P", ACTIVE, NO_PORT),
    ("set, both unknown", "PUT /networks/X/ports/X", ACTIVE, NO_NETWORK),
    ("set, another's", "PUT /networks/R/ports/S", ACTIVE, NO_NETWORK),
    ("set, empty body", "PUT /networks/N/ports/P", b"", BAD),
    ("set, no member", "PUT /networks/N/ports/P", {"port": {}}, BAD),
    ("set, null", "PUT /networks/N/ports/P", {"port": {"state": None}}, BAD),
    ("set, others", "PUT /networks/N/ports/P", {"port": {"id": "P"}}, BAD),
    ("show port, unknown", "GET /networks/N/ports/X", b"", NO_PORT),
    ("show port, elsewhere", "GET /networks/E/ports/P", b"", NO_PORT),
    ("show port, both", "GET /networks/X/ports/X", b"", NO_NETWORK),
    ("show port, another's", "GET /networks/N/ports/S", b"", NO_PORT),
    ("port detail, unknown", "GET /networks/N/ports/X/detail", b"", NO_PORT),
    ("port detail, no net", "GET /networks/X/ports/P/detail", b"", NO_NETWORK),
    ("delete port, in use", "DELETE /networks/N/ports/U", b"", IN_USE),
    ("delete port, unknown", "DELETE /networks/N/ports/X", b"", NO_PORT),
    ("delete port, no net", "DELETE /networks/X/ports/P", b"", NO_NETWORK),
    ("delete port, another's", "DELETE /networks/R/ports/S", b"", NO_NETWORK),
    *[
        (f"{method}, {what}", f"{method} /networks/{where}/attachment", VIF, fault)
        for method in ("GET", "PUT", "DELETE")
        for what, where, fault in (
            ("no network", "X/ports/P", NO_NETWORK),
            ("no port", "N/ports/X", NO_PORT),
            ("neither", "X/ports/X", NO_NETWORK),
            ("another's", "R/ports/S", NO_NETWORK),
        )
    ],
    ("plug, no id", "PUT /networks/N/ports/P/attachment", {"attachment": {}}, BAD),
    ("plug, wrong root", "PUT /networks/N/ports/P/attachment", ACTIVE, BAD),
    ("plug, no body", "PUT /networks/N/ports/P/attachment", b"", BAD),
    *[
        (f"plug, id {bad!r}", "PUT /networks/N/ports/P/attachment",
         {"attachment": {"id": bad}}, BAD)
        for bad in ("", None, 7, [], "a\nb", "x" * 256)
    ],
    ("plug, same again", "PUT /networks/N/ports/U/attachment",
     {"attachment": {"id": "vif"}}, IN_USE),
    ("plug, occupied", "PUT /networks/N/ports/U/attachment", VIF, IN_USE),
    ("plug, elsewhere", "PUT /networks/N/ports/P/attachment",
     {"attachment": {"id": "vif"}}, TAKEN),
    ("plug, at another's", "PUT /networks/N/ports/P/attachment",
     {"attachment": {"id": "their-vif"}}, TAKEN),
]  # fmt: skip


def fault_of(reply: Reply, version: str) -> dict[str, Any]:
    """Read a fault document of either format, whatever it says it is."""
    if reply.headers["content-type"] == XML:
        return _xml_fault(reply, version)
    (root, members), *more = reply.json.items()
    assert not more, reply
    if version == "v1.1":
        assert root == "QuantumError", reply
        assert set(members) == {"type", "message", "detail"}, reply
        return {**members, "name": members["type"]}
    assert set(members) == {"code", "message", "detail"}, reply
    assert members["code"] == reply.code, reply
    return {**members, "name": root}


def _xml_fault(reply: Reply, version: str) -> dict[str, Any]:
    name = etree.QName(reply.xml)
    assert name.namespace == f"http://openstack.org/quantum/api/{version}", reply
    members = {etree.QName(child).localname: child.text for child in reply.xml}
    if version == "v1.1":
        assert name.localname == "QuantumError", reply
        assert not reply.xml.attrib, reply
        assert list(members) == ["type", "message", "detail"], reply
        return {**members, "name": members["type"]}
    assert dict(reply.xml.attrib) == {"code": str(reply.code)}, reply
    assert list(members) == ["message", "detail"], reply
    return {**members, "name": name.localname}


class EdgesMixin(ApiMixin):
    """The rows of the edge behaviour table, each in both versions and formats."""

    def setUp(self) -> None:
        super().setUp()
        rival = self.client("v1.0", "rival")
        self.ids = {"N": self.v1_0.network("n"), "E": self.v1_0.network("e")}
        self.ids["P"] = self.v1_0.port(self.ids["N"])
        self.ids["U"] = self.v1_0.port(self.ids["N"], "vif")
        self.ids["R"] = rival.network("r")
        self.ids["S"] = rival.port(self.ids["R"], "their-vif")
        self.before = self.recorded()

    def recorded(self) -> Any:
        return dict(self.plugin.all_networks), dict(self.plugin.all_ports)

    def check(self, client: Client, edge: Edge, suffix: str = "") -> None:
        what, request, body, fault = edge
        method, path = request.split()
        where = "/".join(self.ids.get(part, part) for part in path.split("/"))
        reply = client(method, where + suffix, body)
        v1_0, v1_1 = FAULTS[fault]
        is_old = client.version == "v1.0"
        name = fault[0].lower() + fault[1:] if is_old else fault
        if fault == BAD:
            name = "malformedRequest" if is_old else "QuantumServiceFault"
        found = fault_of(reply, client.version)
        said = (what, reply)
        self.assertEqual((v1_0 if is_old else v1_1, name), (reply.code, name), said)
        self.assertEqual(name, found["name"], said)
        self.assertEqual(name, reply.phrase, said)
        self.assertTrue(found["message"] and found["detail"], said)
        self.assertEqual(self.before, self.recorded(), said)

    def test_json(self) -> None:
        """Each is refused by its fault, in the dialect of the version."""
        for edge in EDGES:
            for client in (self.v1_0, self.v1_1):
                self.check(client, edge)

    def test_faults_in_xml(self) -> None:
        """What has no body is refused in XML just so."""
        for version in ("v1.0", "v1.1"):
            for what, request, body, fault in EDGES:
                if request.startswith(("GET", "DELETE")) or body == b"":
                    edge = what, request, b"", fault
                    self.check(self.client(version), edge, ".xml")

    def test_bodies_in_xml(self) -> None:
        """XML that says the same wrong things is refused just so."""
        attach = "PUT /networks/N/ports/P/attachment"
        edges: list[Edge] = [
            (body.decode(), request, body, fault)
            for request, body, fault in (
                ("POST /networks", b"<net name='n'/>", BAD),
                ("POST /networks", b"<network/>", BAD),
                ("POST /networks", b"<network name=''/>", BAD),
                ("POST /networks", b"<network><name/></network>", BAD),
                ("POST /networks", b"<network><name><x/></name></network>", BAD),
                ("POST /networks", b"<network>text</network>", BAD),
                ("POST /networks", b"<network name='n'", BAD),
                ("PUT /networks/X", b"<network name='n'/>", NO_NETWORK),
                ("POST /networks/N/ports", b"<port state='on'/>", BAD_STATE),
                ("POST /networks/N/ports", b"<prt/>", BAD),
                ("PUT /networks/N/ports/P", b"<port/>", BAD),
                ("PUT /networks/N/ports/P", b"<port state='down'/>", BAD_STATE),
                ("PUT /networks/N/ports/P", b"<port><state/></port>", BAD_STATE),
                (attach, b"<attachment/>", BAD),
                (attach, b"<attachment id=''/>", BAD),
                (attach, b"<attachment><id>vif</id></attachment>", TAKEN),
            )
        ]
        for edge in edges:
            for version in ("v1.0", "v1.1"):
                self.check(self.client(version, form=XML), edge)

    def test_another_tenants_port_stays_unknown(self) -> None:
        """Who holds an interface is told to nobody but its own tenant."""
        path = f"/networks/{self.ids['N']}/ports/{self.ids['P']}/attachment"
        theirs = self.v1_1("PUT", path, {"attachment": {"id": "their-vif"}})
        ours = self.v1_1("PUT", path, {"attachment": {"id": "vif"}})
        self.assertNotIn(self.ids["S"].encode(), theirs.body)
        self.assertIn(self.ids["U"].encode(), ours.body)


class EdgesOnKleinTests(EdgesMixin, OnKlein, SynchronousTestCase):
    """Klein refuses so."""


class EdgesOnCompiledTests(EdgesMixin, OnCompiled, SynchronousTestCase):
    """So does the compiled resource."""
