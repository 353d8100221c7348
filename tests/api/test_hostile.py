# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Bodies and paths that mean harm, or nothing, and the words that refuse them."""

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.api.client import JSON, XML, ApiMixin, OnCompiled, OnKlein
from tests.api.test_edges import fault_of

DEEP = 200_000
LAUGHS = b"""<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<network name="&b;"/>"""
OUTSIDE = b"""<!DOCTYPE n [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<network><name>&f;</name></network>"""
HIDDEN = "<!DOCTYPE n [<!ENTITY e 'n'>]><network name='&e;'/>"
UTF_7 = HIDDEN.replace("<", "+ADw-").encode()
NAMESPACE = "http://openstack.org/quantum/api/v1.0"

REFUSED_JSON: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b" \r\n\t", "empty"),
    (b"{", "not JSON"),
    (b'{"network":{"name":"n"}} x', "not JSON"),
    (b'\xef\xbb\xbf{"network":{"name":"n"}}', "not JSON"),
    ('{"network":{"name":"n"}}'.encode("utf-16"), "not JSON"),
    (b"<network name='n'/>", "not JSON"),
    (b"name=n", "not JSON"),
    (b"null", "must be an object, not null"),
    (b"true", "must be an object, not a boolean"),
    (b'"network"', "must be an object, not a string"),
    (b"[]", "must be an object, not an array"),
    (b"1e5", "must be an object, not a number"),
    (b"{}", "network not found"),
    (b'{"Network":{"name":"n"}}', "network not found"),
    (b'{"network":[]}', "network must be an object, not an array"),
    (b'{"network":null}', "network must be an object, not null"),
    (b'{"network":7}', "network must be an object, not a number"),
    (b'{"network":{}}', "name not specified"),
    (b'{"network":{"NAME":"n"}}', "name not specified"),
    (b'{"network":{"name":null}}', "name must be a string, not null"),
    (b'{"network":{"name":7}}', "name must be a string, not a number"),
    (b'{"network":{"name":7.5}}', "name must be a string, not a number"),
    (b'{"network":{"name":true}}', "name must be a string, not a boolean"),
    (b'{"network":{"name":["n"]}}', "name must be a string, not an array"),
    (b'{"network":{"name":{}}}', "name must be a string, not an object"),
    (b'{"network":{"name":' + b"9" * 50_000 + b"}}", "name must be a string"),
    (b'{"network":{"name":1e999}}', "name must be a string"),
    (b'{"network":{"name":NaN}}', "not JSON"),
    (b'{"network":{"name":-Infinity}}', "not JSON"),
    (b'{"network":{"name":"n","x":NaN}}', "not JSON"),
    (b'{"network":{"name":""}}', "name must not be empty"),
    (b'{"network":{"name":"' + b"x" * 256 + b'"}}', "at most 255 characters, not 256"),
    (b'{"network":{"name":"' + b"x" * 1_000_000 + b'"}}', "at most 255"),
    (b'{"network":{"name":"a\\u0000b"}}', "U+0000 at position 1"),
    (b'{"network":{"name":"a\\nb"}}', "U+000A at position 1"),
    (b'{"network":{"name":"\\u007f"}}', "U+007F at position 0"),
    (b'{"network":{"name":"\\u0085"}}', "U+0085 at position 0"),
    (b'{"network":{"name":"\\uffff"}}', "U+FFFF at position 0"),
    (b'{"network":{"name":"a\nb"}}', "not JSON"),
    (b'{"network":{"name":"\\ud800"}}', "surrogate"),
    (b'{"network":{"name":"\\udc00x"}}', "surrogate"),
    (b'{"network":{"name":"\xff"}}', "not JSON"),
    (b'{"network":{"name":"a","name":"b"}}', "name is given 2 times"),
    (b'{"network":{"name":"a","n\\u0061me":"b"}}', "name is given 2 times"),
    (b'{"network":{"name":"a"},"network":{}}', "network is given 2 times"),
    (b"[" * DEEP, "must be an object, not an array"),
    (b'{"network":' * DEEP, "too deeply"),
    (b'{"network":{"name":' + b"[" * DEEP, "too deeply"),
    (b'{"network":{"name":"n","x":' + b"[" * DEEP, "too deeply"),
    (b'{"network":{"name":"n","x":' + b'{"x":' * DEEP, "too deeply"),
]
REFUSED_XML: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"<network name='n'", "not XML"),
    (b"<network name='n'/><network name='m'/>", "not XML"),
    (b"<network name='n' name='m'/>", "not XML"),
    (b"<network name=n/>", "not XML"),
    (b"<network name='&undefined;'/>", "not XML"),
    (b"<network name='a&#0;b'/>", "not XML"),
    (b"<network name='\xff'/>", "not XML"),
    (b'{"network":{"name":"n"}}', "not XML"),
    ("<network name='n'/>".encode("utf-16"), "must be UTF-8"),
    (b"<?xml version='1.0' encoding='UTF-7'?>+ADw-network name='n'/+AD4-", "not XML"),
    (b"<?xml version='1.0' encoding='UTF-7'?>" + UTF_7, "not XML"),
    (f"<?xml version='1.0' encoding='cp037'?>{HIDDEN}".encode("cp037"), "not XML"),
    (f"<?xml version='1.0' encoding='UTF-16BE'?>{HIDDEN}".encode(), "document type"),
    (HIDDEN.encode("utf-32"), "must be UTF-8"),
    (LAUGHS, "document type"),
    (OUTSIDE, "document type"),
    (b"<!DOCTYPE network SYSTEM 'http://127.0.0.1/x.dtd'><network/>", "document type"),
    (b"<network><!DOCTYPE x></network>", "document type"),
    (b"<net name='n'/>", "network not found"),
    (b"<network xmlns='urn:other' name='n'/>", "urn:other"),
    (b"<network/>", "name not specified"),
    (b"<network>  </network>", "name not specified"),
    (b"<network>n</network>", "not text"),
    (b"<network><NAME>n</NAME></network>", "name not specified"),
    (b"<network xmlns:x='urn:x' x:name='n'/>", "name not specified"),
    (b"<network name=''/>", "name must not be empty"),
    (b"<network><name></name></network>", "name must not be empty"),
    (b"<network><name>a<b/></name></network>", "name must be a string"),
    (b"<network name='a'><name>b</name></network>", "name is given 2 times"),
    (b"<network><name>a</name><name>b</name></network>", "name is given 2 times"),
    (b"<network name='" + b"x" * 256 + b"'/>", "at most 255"),
    (b"<network><name>a&#10;b</name></network>", "U+000A"),
    (b"<network name='a&#x85;b'/>", "U+0085"),
    (b"<a>" * DEEP, "not XML"),
    (b"<a>" * 4000 + b"</a>" * 4000, "not"),
    (b"<network>" + b"<name>" * 90_000 + b"</name>" * 60_000, "not XML"),
]
ACCEPTED: list[tuple[str, bytes, str]] = [
    (JSON, b' {"network":{"name":"n"}}\n', "n"),
    (JSON, b'{"x":[{}],"network":{"x":{"name":1},"name":"n"}}', "n"),
    (JSON, b'{"network":{"name":"n","x":' + b"9" * 50_000 + b"}}", "n"),
    (JSON, b'{"network":{"name":"n","x":1,"x":2}}', "n"),
    (JSON, b'{"network":{"name":"say \\"name\\""}}', 'say "name"'),
    (JSON, b'{"network":{"name":"\\ud83d\\ude00"}}', "\N{GRINNING FACE}"),
    (JSON, '{"network":{"name":"\u00e9\U0001f600"}}'.encode(), "\u00e9\U0001f600"),
    (JSON, b'{"network":{"name":"' + b"x" * 255 + b'"}}', "x" * 255),
    (XML, b"<network name='n'/>", "n"),
    (XML, b"<network><name>n</name></network>", "n"),
    (XML, b"\n<network>\n <name>n</name>\n <x><y/></x>\n</network>\n", "n"),
    (XML, b"<?xml version='1.0' encoding='UTF-8'?><network name='n'/>", "n"),
    (XML, b"<!-- c --><?pi x?><network><name>n<!-- c -->m</name></network>", "nm"),
    (XML, f"<network xmlns='{NAMESPACE}' name='n'/>".encode(), "n"),
    (XML, b"<network xmlns='http://openstack.org/quantum/api/v1.1' name='n'/>", "n"),
    (XML, b"<network xmlns='http://netstack.org/quantum/api/v1.0' name='n'/>", "n"),
    (
        XML,
        f"<q:network xmlns:q='{NAMESPACE}'><q:name>n</q:name></q:network>".encode(),
        "n",
    ),
    (XML, b"<network nova_id='z' name='n'><x a='b'>t</x></network>", "n"),
    (XML, b"<network><name><![CDATA[a<b]]></name></network>", "a<b"),
    (XML, b"<network name='&lt;&#233;&quot;'/>", '<\u00e9"'),
]


class HostileMixin(ApiMixin):
    """Whatever is sent, the answer is a fault that says why, or what was meant."""

    def refuse(self, form: str, body: bytes, words: str) -> None:
        for version in ("v1.0", "v1.1"):
            reply = self.client(version, form=form)("POST", "/networks", body)
            said = (body[:60], reply)
            self.assertEqual(400, reply.code, said)
            self.assertEqual(form, reply.headers["content-type"], said)
            self.assertIn(words, fault_of(reply, version)["detail"], said)
            self.assertLess(len(reply.body), 1000)
        self.assertEqual({}, self.plugin.all_networks)

    def test_json(self) -> None:
        """Broken, deep, huge and mistyped JSON is refused, saying which part."""
        for body, words in REFUSED_JSON:
            self.refuse(JSON, body, words)

    def test_xml(self) -> None:
        """So is XML, and whatever a document type could do is not done."""
        for body, words in REFUSED_XML:
            self.refuse(XML, body, words)

    def test_accepted(self) -> None:
        """What is unusual but clear is understood."""
        for form, body, name in ACCEPTED:
            reply = self.client("v1.1", form=form)("POST", "/networks", body)
            self.assertEqual(202, reply.code, (body[:60], reply))
            network = self.plugin.all_networks.popitem()[1]
            self.assertEqual(name, network.name)

    def test_suffix_beats_content_type(self) -> None:
        """XML sent to a JSON path is malformed JSON."""
        client = self.client("v1.0", form=XML)
        reply = client("POST", "/networks.json", b"<network name='n'/>")
        self.assertEqual("malformedRequest", fault_of(reply, "v1.0")["name"])

    def test_tenant(self) -> None:
        """A tenant id is text that can be shown, of at most 255 characters."""
        for tenant in ("x" * 256, "a%00b", "a%0Ab", "%C2%85", "%EF%BF%BF"):
            for client in (self.client("v1.0", tenant), self.client("v1.1", tenant)):
                for method, body in (
                    ("GET", b""),
                    ("POST", b'{"network":{"name":""}}'),
                ):
                    reply = client(method, "/networks", body)
                    self.assertEqual(400, reply.code, reply)
                    self.assertIn("tenant", fault_of(reply, client.version)["detail"])

    def test_unusual_tenant(self) -> None:
        """A tenant may be called anything else, in whatever script."""
        for tenant in (
            "default",
            "%C3%A9%F0%9F%98%80",
            "a%20b",
            "x" * 255,
            "..",
            "%25",
        ):
            client = self.client("v1.1", tenant)
            network = client.network()
            self.assertEqual(
                {"networks": [{"id": network}]}, client("GET", "/networks").json
            )

    def test_path_that_is_not_utf8(self) -> None:
        """A path that is no text is refused in the caller's format."""
        for version in ("v1.0", "v1.1"):
            for form in (JSON, XML):
                for path in (
                    "/networks/%FF",
                    "/%C0%80/networks",
                    "/networks/%ED%A0%80",
                ):
                    reply = self.client(version, form=form)("GET", path)
                    self.assertEqual(400, reply.code)
                    self.assertEqual(form, reply.headers["content-type"])
                    self.assertIn("UTF-8", fault_of(reply, version)["detail"])
        self.assertEqual([], self.flushLoggedErrors())

    def test_ids_that_cannot_be_shown(self) -> None:
        """An unknown id is quoted in its fault, made harmless and short."""
        for version in ("v1.0", "v1.1"):
            client = self.client(version)
            for text, shown in (
                ("%00%1B%EF%BF%BF", "\ufffd\ufffd\ufffd"),
                ("%3Cb%3E%26%22", '<b>&"'),
                ("%C3%A9", "\u00e9"),
                ("x" * 10_000, "xxx..."),
            ):
                for suffix in (".json", ".xml"):
                    reply = client("GET", f"/networks/{text}{suffix}")
                    fault = fault_of(reply, version)
                    self.assertIn(shown, fault["detail"] + "...")
                    self.assertLess(len(reply.body), 2000)

    def test_state_that_cannot_be_shown(self) -> None:
        """An invalid state is quoted in its fault, made harmless and short."""
        path = f"/networks/{self.v1_1.network()}/ports"
        deep = b'{"port":{"state":' + b"[" * 900 + b"]" * 900 + b"}}"
        long = b'{"port":{"state":' + b"9" * 4000 + b"}}"
        texts = [
            json.dumps({"port": {"state": state}}).encode()
            for state in ("\x00\x1b", "x" * 100_000, ["x" * 1000], "\uffff")
        ]
        for body in (*texts, deep, long):
            reply = self.v1_1("POST", path, body)
            self.assertEqual("RequestedStateInvalid", fault_of(reply, "v1.1")["name"])
            self.assertLess(len(reply.body), 1000)


class HostileOnKleinTests(HostileMixin, OnKlein, SynchronousTestCase):
    """Klein holds."""


class HostileOnCompiledTests(HostileMixin, OnCompiled, SynchronousTestCase):
    """So does the compiled resource."""
