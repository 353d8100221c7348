# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The callers of 2011 and 2012, call by call, with the eyes they read with."""

import json
from functools import partial
from typing import Any
from xml.dom import minidom

from attrs import define
from twisted.trial.unittest import SynchronousTestCase

from tests.api.client import ApiMixin, Client, OnCompiled, OnKlein, Reply

LISTS = {"networks": "network", "ports": "port"}
OLD_FAULTS = {
    420: "networkNotFound",
    421: "networkInUse",
    430: "portNotFound",
    431: "requestedStateInvalid",
    432: "portInUse",
    440: "alreadyAttached",
}


def as_old_clients_read(node: Any) -> Any:
    """
    Read XML as the original client did.

    One text child makes a string, a known plural makes a list, and anything else
    a mapping of attributes and children.  Names are taken with their prefixes.
    """
    if len(node.childNodes) == 1 and node.childNodes[0].nodeType == node.TEXT_NODE:
        return node.childNodes[0].nodeValue
    if node.nodeName in LISTS:
        return [as_old_clients_read(child) for child in node.childNodes]
    found: dict[str, Any] = dict(node.attributes.items())
    found.pop("xmlns", None)
    for child in node.childNodes:
        found[child.nodeName] = as_old_clients_read(child)
    return found


@define
class Nova:
    """
    Nova's embedded client: JSON paths, the header on every request, no token.

    :ivar understood: The statuses whose bodies it decodes.
    """

    client: Client
    understood: tuple[int, ...]

    def call(self, method: str, path: str, body: Any = None, query: str = "") -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        reply = self.client(method, f"{path}.json{query}", data)
        assert reply.code in (200, 201, 202, 204), reply
        if not reply.body:
            return None
        return json.loads(reply.body) if reply.code in self.understood else reply.body


class ClientsMixin(ApiMixin):
    """What the callers of the time did."""

    def test_nova_2011(self) -> None:
        """Nova 2011.3 makes a network, boots a machine and ends it, in 1.0."""
        self.v1_0.tenant = "default"
        nova = Nova(self.v1_0, understood=(200,))
        network = nova.call("POST", "/networks", {"network": {"name": "private"}})
        at = f"/networks/{network['network']['id']}"
        self.assertEqual(
            network["network"]["id"], nova.call("GET", at)["network"]["id"]
        )
        made = nova.call("POST", f"{at}/ports", {"port": {"state": "ACTIVE"}})
        port = made["port"]["id"]
        plug = f"{at}/ports/{port}/attachment"
        self.assertIsNone(nova.call("PUT", plug, {"attachment": {"id": "vif-uuid"}}))
        found = [
            (one["id"], other["id"])
            for one in nova.call("GET", "/networks")["networks"]
            for other in nova.call("GET", f"/networks/{one['id']}/ports")["ports"]
            if nova.call("GET", f"/networks/{one['id']}/ports/{other['id']}/attachment")
            == {"attachment": {"id": "vif-uuid"}}
        ]
        self.assertEqual([(network["network"]["id"], port)], found)
        for path in (plug, f"{at}/ports/{port}", at):
            self.assertIsNone(nova.call("DELETE", path))
        self.assertEqual({"networks": []}, nova.call("GET", "/networks"))

    def test_nova_2012(self) -> None:
        """Nova 2012.1 sends more than we know, and finds ports by attachment."""
        nova = Nova(self.v1_1, understood=(200, 202))
        body: Any = {"network": {"name": "private", "nova_id": "zone"}}
        at = f"/networks/{nova.call('POST', '/networks', body)['network']['id']}"
        pairs = [{"mac_address": "02:00:00:00:00:01", "ip_address": "10.0.0.2"}]
        for vif in ("vif-1", "vif-2"):
            body = {
                "port": {
                    "state": "ACTIVE",
                    "vm_id": "vm",
                    "rxtx_factor": 1.0,
                    "nova_id": "zone",
                    "allowed_address_pairs": pairs,
                }
            }
            port = nova.call("POST", f"{at}/ports", body)["port"]["id"]
            plug = f"{at}/ports/{port}/attachment"
            nova.call("PUT", plug, {"attachment": {"id": vif}})
        found = nova.call("GET", f"{at}/ports", query="?attachment=vif-2")
        self.assertEqual({"ports": [{"id": port}]}, found)
        gateway = nova.call("GET", f"{at}/ports", query="?attachment=gw-0123")
        self.assertEqual({"ports": []}, gateway)
        for one in nova.call("GET", f"{at}/ports")["ports"]:
            path = f"{at}/ports/{one['id']}"
            self.assertIn("id", nova.call("GET", f"{path}/attachment")["attachment"])
            nova.call("DELETE", f"{path}/attachment")
            nova.call("DELETE", path)
        nova.call("DELETE", at)

    def read(self, reply: Reply) -> Any:
        document = minidom.parseString(reply.body)  # noqa: S318 - we wrote it
        root = document.childNodes[0]
        return {root.nodeName: as_old_clients_read(root)}

    def get(self, client: Client, path: str) -> Any:
        return self.read(client("GET", path + ".xml?"))

    def test_xml_client(self) -> None:
        """The XML client reads what we write, empty lists included."""
        for client in (self.client("v1.0", "one"), self.client("v1.1", "two")):
            get = partial(self.get, client)
            self.assertEqual({"networks": []}, get("/networks"))
            made = client("POST", "/networks.xml", b"<network><name>n</name></network>")
            network = self.read(made)["network"]["id"]
            path = f"/networks/{network}"
            self.assertEqual([], get(path + "/detail")["network"]["ports"])
            self.assertEqual({"ports": []}, get(path + "/ports"))
            port = self.read(client("POST", path + "/ports.xml"))["port"]["id"]
            path = f"{path}/ports/{port}"
            self.assertEqual({"attachment": {}}, get(path + "/attachment"))
            vif = f"<attachment><id>{client.version}</id></attachment>".encode()
            self.assertEqual(204, client("PUT", path + "/attachment.xml", vif).code)
            plugged = {"id": client.version}
            self.assertEqual({"attachment": plugged}, get(path + "/attachment"))
            self.assertEqual(plugged, get(path + "/detail")["port"]["attachment"])
            listed = get(f"/networks/{network}/detail")["network"]["ports"]
            self.assertEqual([plugged], [one["attachment"] for one in listed])

    def test_client_reads_faults(self) -> None:
        """The clients find name, message and detail where they look for them."""
        network = self.v1_0.network()
        free, taken = self.v1_0.port(network), self.v1_0.port(network, "vif")
        at = f"/networks/{network}"
        calls: list[tuple[str, str, Any]] = [
            ("GET", "/networks/nope", b""),
            ("DELETE", at, b""),
            ("GET", f"{at}/ports/nope", b""),
            ("PUT", f"{at}/ports/{free}", {"port": {"state": "BAD"}}),
            ("DELETE", f"{at}/ports/{taken}", b""),
            ("PUT", f"{at}/ports/{free}/attachment", {"attachment": {"id": "vif"}}),
        ]
        for (method, path, body), (code, name) in zip(
            calls, OLD_FAULTS.items(), strict=True
        ):
            old = self.v1_0(method, path, body)
            self.assertEqual(code, old.code)
            new = self.v1_1(method, path, body)
            self.assertEqual(name.lower(), new.json["QuantumError"]["type"].lower())
            for fault in (old.json[name], new.json["QuantumError"]):
                self.assertTrue(fault["message"] + "\n" + fault["detail"])
            if not body:
                for client, root in ((self.v1_0, name), (self.v1_1, "QuantumError")):
                    fault = self.read(client(method, path + ".xml"))[root]
                    self.assertTrue(fault["message"] + "\n" + fault["detail"])


class ClientsOnKleinTests(ClientsMixin, OnKlein, SynchronousTestCase):
    """They are served by Klein."""


class ClientsOnCompiledTests(ClientsMixin, OnCompiled, SynchronousTestCase):
    """So are they by the compiled resource."""
