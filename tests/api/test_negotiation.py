# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Which format a request is read in and answered in."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.api.negotiation import JSON, XML, chosen
from tests.api.client import ApiMixin, OnCompiled, OnKlein

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CASES = [
    (b"/x.json", None, None, JSON),
    (b"/x.xml", None, None, XML),
    (b"/x.json", b"application/xml", b"application/xml", JSON),
    (b"/x.xml", b"application/json", b"application/json", XML),
    (b"/x.txt", None, None, JSON),
    (b"/x.xml/y", None, None, JSON),
    (b"/x.XML", None, None, JSON),
    (b"/x", None, None, JSON),
    (b"/x", b"", b"", JSON),
    (b"/x", b"application/xml", None, XML),
    (b"/x", b"Application/XML ; charset=utf-8", b"application/json", XML),
    (b"/x", b"application/json", b"application/xml", JSON),
    (b"/x", b"text/xml", None, JSON),
    (b"/x", b"application/x-www-form-urlencoded", b"application/xml", XML),
    (b"/x", None, b"*/*", JSON),
    (b"/x", None, b"application/xml", XML),
    (b"/x", None, b"application/xml, application/json", JSON),
    (b"/x", None, b"application/json;q=0.5, application/xml", XML),
    (b"/x", None, b"application/xml;q=0.5, application/*", JSON),
    (b"/x", None, b"application/json;q=0.2, application/*;q=0.5", XML),
    (b"/x", None, b"application/json;q=0, */*;q=0.1", XML),
    (b"/x", None, b"application/xml;q=0", JSON),
    (b"/x", None, b"application/xml;q=much", JSON),
    (b"/x", None, b"APPLICATION/XML;level=1; Q=1.0", XML),
    (b"/x", None, b"image/png", JSON),
    (b"/x", None, b"application/atom+xml", JSON),
    (b"/x", None, b"\xff;;q=,=;,", JSON),
    (b"/x", None, BROWSER, XML),
]


class ChosenTests(SynchronousTestCase):
    """Suffix before Content-Type before Accept before JSON."""

    def test_table(self) -> None:
        """The first that says anything we know decides."""
        for path, content_type, accept, form in CASES:
            self.assertIs(
                form, chosen(path, content_type, accept), (path, content_type, accept)
            )

    @settings(deadline=None)
    @given(st.binary(), st.none() | st.binary(), st.none() | st.binary())
    def test_anything(
        self, path: bytes, content_type: bytes | None, accept: bytes | None
    ) -> None:
        """Whatever a client sends, there is a format."""
        self.assertIn(chosen(path, content_type, accept), (JSON, XML))


class NegotiationMixin(ApiMixin):
    """The format that was negotiated is that of answers and of faults."""

    def test_answers(self) -> None:
        """Every kind of answer is in the format that was asked for."""
        network = self.v1_1.network()
        base = "/v1.1/tenants/acme/networks"
        for form in (JSON, XML):
            media_type = form.media_type.decode()
            for method, path, code in (
                ("GET", "", 200),
                ("GET", "/detail", 200),
                ("GET", f"/{network}", 200),
                ("GET", "/nope", 404),
                ("GET", f"/{network}/nope", 404),
                ("PATCH", f"/{network}", 404),
                ("PUT", f"/{network}", 400),
                ("DELETE", f"/{network}/ports/nope", 404),
            ):
                for suffix, headers in (
                    (form.suffix, {}),
                    ("", {"content_type": media_type}),
                    ("", {"accept": media_type}),
                ):
                    reply = self.v1_1.send(method, base + path + suffix, **headers)
                    said = (method, path, suffix, headers, reply)
                    self.assertEqual(code, reply.code, said)
                    self.assertEqual(media_type, reply.headers["content-type"], said)

    def test_form_encoded_body(self) -> None:
        """A body of a type nobody knows is read as JSON, and is none."""
        reply = self.v1_1.send(
            "POST",
            "/v1.1/tenants/acme/networks",
            b"name=n",
            content_type="application/x-www-form-urlencoded",
        )
        self.assertEqual(400, reply.code)
        self.assertIn("not JSON", reply.json["QuantumError"]["detail"])

    def test_suffix_is_no_part_of_an_id(self) -> None:
        """Only a suffix that is a format is taken off an id."""
        network = self.v1_1.network()
        self.assertEqual(200, self.v1_1("GET", f"/networks/{network}.json").code)
        self.assertEqual(404, self.v1_1("GET", f"/networks/{network}.txt").code)
        self.assertEqual(404, self.v1_1("GET", f"/networks/{network}.json.json").code)


class NegotiationOnKleinTests(NegotiationMixin, OnKlein, SynchronousTestCase):
    """Klein answers so."""


class NegotiationOnCompiledTests(NegotiationMixin, OnCompiled, SynchronousTestCase):
    """So does the compiled resource."""
