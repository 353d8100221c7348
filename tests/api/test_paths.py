# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What there is besides networks and ports, and what there is not."""

from twisted.trial.unittest import SynchronousTestCase

from tests.api.client import XML, ApiMixin, OnCompiled, OnKlein
from tests.api.test_edges import fault_of

LINK = "http://quantum.test:9696/"
NOWHERE = [
    "GET /networks/",
    "GET /networks//detail",
    "GET //networks",
    "GET /networks/{N}/",
    "GET /networks/{N}/edit",
    "GET /networks/{N}/edit.json",
    "GET /networks/{N}/ports/{P}/edit",
    "GET /networks/{N}/ports/{P}/attachment/x",
    "GET /networks.txt",
    "GET /subnets",
    "GET ",
    "GET /",
    "PUT /networks",
    "DELETE /networks",
    "PATCH /networks",
    "OPTIONS /networks",
    "POST /networks/{N}",
    "POST /networks/detail",
    "PATCH /networks/{N}",
    "DELETE /networks/{N}/detail",
    "PUT /networks/{N}/ports",
    "DELETE /networks/{N}/ports",
    "POST /networks/{N}/ports/{P}",
    "PUT /networks/{N}/ports/detail/detail",
    "POST /networks/{N}/ports/{P}/attachment",
    "FROB /networks",
]


class PathsMixin(ApiMixin):
    """Paths of the site."""

    def test_versions(self) -> None:
        """The root lists both versions, reached as the caller reached us."""
        self.assertEqual(
            {
                "versions": [
                    {
                        "id": version,
                        "status": "CURRENT",
                        "links": [{"rel": "self", "href": LINK + version}],
                    }
                    for version in ("v1.0", "v1.1")
                ]
            },
            self.v1_0.send("GET", "/").json,
        )

    def test_versions_in_xml(self) -> None:
        """In XML the document has no namespace."""
        reply = self.v1_0.send("GET", "/", accept=XML)
        versions = "".join(
            f'<version id="{version}" status="CURRENT"><links>'
            f'<link rel="self" href="{LINK}{version}"/></links></version>'
            for version in ("v1.0", "v1.1")
        )
        self.assertEqual(XML, reply.headers["content-type"])
        self.assertEqual(f"<versions>{versions}</versions>", reply.body.decode())

    def test_strange_host(self) -> None:
        """A host that is none is not repeated."""
        for host in ("a<b", "a b", 'x"', "a/b", "[::1", "h:port", "", "x" * 999 + "@"):
            reply = self.v1_0.send("GET", "/", host=host)
            self.assertNotIn((host or "//v1").encode(), reply.body)
            self.assertIn(reply.code, (200, 400))

    def test_nothing_else_outside_versions(self) -> None:
        """Any other path, and any other method, is nowhere: plain text says so."""
        for request in (
            "POST /",
            "DELETE /",
            "GET /v1.0",
            "GET /v1.1",
            "GET /v9.9/foo",
            "GET /v9.9/tenants/acme/networks",
            "GET /v9.9/extensions.json",
            "GET /anything",
            "GET /.json",
        ):
            method, path = request.split()
            reply = self.v1_0.send(method, path)
            self.assertEqual((404, "itemNotFound"), (reply.code, reply.phrase), request)
            self.assertEqual("text/plain", reply.headers["content-type"])
            self.assertEqual(len(reply.body), reply.length)

    def test_nowhere_inside_versions(self) -> None:
        """A wrong method is as nowhere as a wrong path: 404, never 405 or 30x."""
        for client in (self.v1_0, self.v1_1):
            network = client.network()
            port = client.port(network)
            for request in NOWHERE:
                method, path = request.split(" ")
                reply = client(method, path.format(N=network, P=port))
                self.assertEqual(404, reply.code, (request, reply))
                name = "itemNotFound" if client is self.v1_0 else "QuantumServiceFault"
                self.assertEqual(name, fault_of(reply, client.version)["name"])
                self.assertNotIn("allow", reply.headers)

    def test_words_that_could_be_ids(self) -> None:
        """``new`` is an id like any other, but ``detail`` is a view."""
        for client in (self.v1_0, self.v1_1):
            fault = fault_of(client("GET", "/networks/new"), client.version)
            self.assertEqual("networknotfound", fault["name"].lower())
            self.assertEqual(200, client("GET", "/networks/detail").code)

    def test_method_override(self) -> None:
        """A query string does not change a method."""
        network = self.v1_0.network()
        reply = self.v1_0("POST", f"/networks/{network}?_method=DELETE")
        self.assertEqual(404, reply.code)
        self.assertEqual(200, self.v1_0("GET", f"/networks/{network}").code)

    def test_head(self) -> None:
        """A HEAD is a GET without its body."""
        reply = self.v1_1("HEAD", "/networks")
        self.assertEqual((200, b""), (reply.code, reply.body))

    def test_extensions(self) -> None:
        """There are no extensions, and each unknown one is a fault."""
        for client in (self.v1_0, self.v1_1):
            base = f"/{client.version}/extensions"
            for path in (base, base + ".json"):
                self.assertEqual(b'{"extensions":[]}', client.send("GET", path).body)
            self.assertEqual(b"<extensions/>", client.send("GET", base + ".xml").body)
            for suffix in ("", ".json", ".xml"):
                reply = client.send("GET", f"{base}/Cisco%20qos{suffix}")
                fault = fault_of(reply, client.version)
                self.assertEqual(404, reply.code)
                self.assertIn("alias Cisco qos does not", fault["detail"])
            for method in ("POST", "PUT", "DELETE"):
                self.assertEqual(404, client.send(method, base).code)


class PathsOnKleinTests(PathsMixin, OnKlein, SynchronousTestCase):
    """Klein answers so."""


class PathsOnCompiledTests(PathsMixin, OnCompiled, SynchronousTestCase):
    """So does the compiled resource."""
