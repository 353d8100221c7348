# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What every operation answers when all is well."""

from typing import Any

from lxml import etree
from twisted.trial.unittest import SynchronousTestCase

from tests.api.client import JSON, XML, ApiMixin, Client, OnCompiled, OnKlein
from tests.api.memory import Instead, as_coroutine, as_deferred


def tree(element: Any) -> Any:
    """Turn XML into what can be compared: name, attributes, children."""
    return (
        etree.QName(element).localname,
        dict(element.attrib),
        [tree(child) for child in element],
    )


class OperationsMixin(ApiMixin):
    """Each operation, in both versions and both formats."""

    def shown(self, version: str, **members: str) -> dict[str, str]:
        """Leave out what a version does not show."""
        if version == "v1.0":
            members.pop("op_status", None)
        return {name.replace("_", "-"): value for name, value in members.items()}

    def each(self) -> list[Client]:
        return [self.v1_0, self.v1_1]

    def test_lists(self) -> None:
        """A plain list tells ids only, a detailed one also the rest."""
        for client in self.each():
            client.tenant = client.version
            network = client.network("red")
            summary = self.shown(client.version, id=network, name="red", op_status="UP")
            self.assertEqual(
                {"networks": [{"id": network}]}, client("GET", "/networks").json
            )
            self.assertEqual(
                {"networks": [summary]}, client("GET", "/networks/detail.json").json
            )
            self.assertEqual(
                ("networks", {}, [("network", {"id": network}, [])]),
                tree(client("GET", "/networks.xml").xml),
            )
            self.assertEqual(
                ("networks", {}, [("network", summary, [])]),
                tree(client("GET", "/networks/detail.xml").xml),
            )

    def test_empty_lists(self) -> None:
        """An unknown tenant has no networks; XML has no white space to say so."""
        for client in self.each():
            client.tenant = "nobody"
            for path in ("/networks", "/networks/detail"):
                self.assertEqual(b'{"networks":[]}', client("GET", path).body)
                self.assertEqual(
                    f'<networks xmlns="http://openstack.org/quantum/api/'
                    f'{client.version}"/>'.encode(),
                    client("GET", path + ".xml").body,
                )

    def test_create_network(self) -> None:
        """A create tells the id and nothing else: 200 in 1.0 and 202 in 1.1."""
        body = {"network": {"name": "n", "nova_id": "zone", "more": [{"a": None}]}}
        for client, code in ((self.v1_0, 200), (self.v1_1, 202)):
            reply = client("POST", "/networks", body)
            self.assertEqual(code, reply.code)
            self.assertEqual(["network"], list(reply.json))
            self.assertEqual(["id"], list(reply.json["network"]))
            self.assertNotIn("location", reply.headers)
            xml = client("POST", "/networks.xml", b'<network name="n"/>')
            self.assertEqual(code, xml.code)
            self.assertEqual(["id"], list(xml.xml.attrib))

    def test_show_network(self) -> None:
        """A network is shown without its ports, and in detail with them."""
        for client in self.each():
            network = client.network("red")
            free, taken = client.port(network), client.port(network, client.version)
            summary = self.shown(client.version, id=network, name="red", op_status="UP")
            ports = [
                self.shown(client.version, id=port, state="DOWN", op_status="DOWN")
                for port in (free, taken)
            ]
            plugged = {**ports[1], "attachment": {"id": client.version}}
            path = f"/networks/{network}"
            self.assertEqual({"network": summary}, client("GET", path).json)
            self.assertEqual(
                {"network": {**summary, "ports": [ports[0], plugged]}},
                client("GET", path + "/detail").json,
            )
            interface = ("attachment", {"id": client.version}, [])
            self.assertEqual(
                (
                    "network",
                    summary,
                    [
                        (
                            "ports",
                            {},
                            [
                                ("port", ports[0], []),
                                ("port", ports[1], [interface]),
                            ],
                        )
                    ],
                ),
                tree(client("GET", path + "/detail.xml").xml),
            )

    def test_network_without_ports(self) -> None:
        """The ports of a network are shown even if there are none."""
        for client in self.each():
            path = f"/networks/{client.network()}/detail"
            self.assertEqual([], client("GET", path).json["network"]["ports"])
            self.assertIn(b"<ports/>", client("GET", path + ".xml").body)

    def test_rename_network(self) -> None:
        """A network takes another name; an id beside it changes nothing."""
        for client in self.each():
            path = f"/networks/{client.network()}"
            body = {"network": {"id": "other", "name": "new", "op-status": "DOWN"}}
            reply = client("PUT", path, body)
            self.assertEqual((204, b""), (reply.code, reply.body))
            self.assertEqual(JSON, reply.headers["content-type"])
            self.assertEqual("new", client("GET", path).json["network"]["name"])

    def test_delete_network(self) -> None:
        """A network goes together with its free ports."""
        for client in self.each():
            network = client.network()
            client.port(network)
            reply = client("DELETE", f"/networks/{network}")
            self.assertEqual((204, b""), (reply.code, reply.body))
            self.assertEqual([], client("GET", "/networks").json["networks"])

    def test_ports(self) -> None:
        """No list of ports tells attachments; a port in detail does."""
        for client in self.each():
            network = client.network()
            port = client.port(network, client.version, "ACTIVE")
            path = f"/networks/{network}/ports"
            summary = self.shown(
                client.version, id=port, state="ACTIVE", op_status="UP"
            )
            plugged = {**summary, "attachment": {"id": client.version}}
            self.assertEqual({"ports": [{"id": port}]}, client("GET", path).json)
            self.assertEqual({"ports": [summary]}, client("GET", path + "/detail").json)
            self.assertEqual({"port": summary}, client("GET", f"{path}/{port}").json)
            self.assertEqual(
                {"port": plugged}, client("GET", f"{path}/{port}/detail").json
            )
            self.assertEqual(
                ("port", summary, [("attachment", {"id": client.version}, [])]),
                tree(client("GET", f"{path}/{port}/detail.xml").xml),
            )

    def test_free_port_in_detail(self) -> None:
        """A free port has no attachment member at all."""
        for client in self.each():
            network = client.network()
            path = f"/networks/{network}/ports/{client.port(network)}/detail"
            self.assertNotIn("attachment", client("GET", path).json["port"])
            self.assertNotIn(b"attachment", client("GET", path + ".xml").body)

    def test_create_port(self) -> None:
        """A port is DOWN unless its maker says otherwise."""
        given: list[tuple[Any, str]] = [
            (b"", "DOWN"),
            (b" \n", "DOWN"),
            ({"port": {}}, "DOWN"),
            ({"port": {"state": None}}, "DOWN"),
            ({"port": {"state": "ACTIVE"}}, "ACTIVE"),
            ({"port": {"state": "DOWN", "allowed_address_pairs": [{}]}}, "DOWN"),
        ]
        for client, code in ((self.v1_0, 200), (self.v1_1, 202)):
            path = f"/networks/{client.network()}/ports"
            for body, state in given:
                reply = client("POST", path, body)
                self.assertEqual(code, reply.code, reply)
                port = reply.json["port"].pop("id")
                found = client("GET", f"{path}/{port}").json["port"]
                self.assertEqual(state, found["state"])

    def test_create_port_without_members_in_xml(self) -> None:
        """An empty XML port is as good as none."""
        path = f"/networks/{self.v1_1.network()}/ports.xml"
        for body in (b"", b"<port/>", b"<port></port>", b"<port>\n</port>"):
            self.assertEqual(202, self.v1_1("POST", path, body).code)

    def test_set_port_state(self) -> None:
        """A port changes its state, and nothing else that is asked."""
        for client in self.each():
            network = client.network()
            path = f"/networks/{network}/ports/{client.port(network)}"
            body = {"port": {"id": "x", "state": "ACTIVE", "interface_id": "sneaky"}}
            self.assertEqual(204, client("PUT", path, body).code)
            self.assertEqual("ACTIVE", client("GET", path).json["port"]["state"])
            self.assertEqual(
                {"attachment": {}}, client("GET", path + "/attachment").json
            )

    def test_delete_port(self) -> None:
        """A free port is deleted."""
        for client in self.each():
            network = client.network()
            path = f"/networks/{network}/ports"
            self.assertEqual(
                204, client("DELETE", f"{path}/{client.port(network)}").code
            )
            self.assertEqual([], client("GET", path).json["ports"])

    def test_attachment(self) -> None:
        """An interface is plugged, shown, and unplugged as often as one likes."""
        for client in self.each():
            network = client.network()
            path = f"/networks/{network}/ports/{client.port(network)}/attachment"
            plugged = client("PUT", path, {"attachment": {"id": "vif"}})
            self.assertEqual((204, b""), (plugged.code, plugged.body))
            self.assertEqual({"attachment": {"id": "vif"}}, client("GET", path).json)
            self.assertEqual(
                ("attachment", {"id": "vif"}, []),
                tree(client("GET", path + ".xml").xml),
            )
            for _ in range(2):
                self.assertEqual(204, client("DELETE", path).code)
            self.assertEqual(b'{"attachment":{}}', client("GET", path).body)
            self.assertEqual({}, dict(client("GET", path + ".xml").xml.attrib))

    def test_xml_of_the_old_clients(self) -> None:
        """Child elements without a namespace do what attributes do."""
        client = self.client("v1.1", form=XML)
        made = client("POST", "/networks", b"<network><name>n</name></network>")
        network = made.xml.get("id")
        port = client("POST", f"/networks/{network}/ports").xml.get("id")
        path = f"/networks/{network}/ports/{port}"
        active = client("PUT", path, b"<port><state>ACTIVE</state></port>")
        plugged = client(
            "PUT", path + "/attachment", b"<attachment><id>vif</id></attachment>"
        )
        self.assertEqual((204, 204), (active.code, plugged.code))
        self.assertEqual(XML, plugged.headers["content-type"])
        found = client("GET", path + "/detail").xml
        self.assertEqual("ACTIVE", found.get("state"))
        self.assertEqual("vif", found[0].get("id"))

    def test_lengths(self) -> None:
        """Every body is announced by its length; an empty one is not chunked."""
        network = self.v1_1.network()
        for path in ("/networks", f"/networks/{network}", "/networks/nope"):
            reply = self.v1_1("GET", path)
            self.assertEqual(len(reply.body), reply.length)

    def test_bodies_of_reads_are_ignored(self) -> None:
        """Junk sent with GET or DELETE changes nothing."""
        path = f"/networks/{self.v1_1.network()}"
        self.assertEqual(200, self.v1_1("GET", path, b"{junk").code)
        self.assertEqual(204, self.v1_1("DELETE", path, b"<junk").code)


class OperationsOnKleinTests(OperationsMixin, OnKlein, SynchronousTestCase):
    """Klein answers so."""


class OperationsOnCompiledTests(OperationsMixin, OnCompiled, SynchronousTestCase):
    """So does the compiled resource."""


class OperationsByDeferredTests(OperationsMixin, OnCompiled, SynchronousTestCase):
    """A plugin may answer with Deferreds."""

    def make_plugin(self) -> Any:
        return Instead(as_deferred)


class OperationsByCoroutineTests(OperationsMixin, OnKlein, SynchronousTestCase):
    """A plugin may answer with coroutines."""

    def make_plugin(self) -> Any:
        return Instead(as_coroutine)
