# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How each error is answered, foreseen or not."""

from typing import Any

from lxml import etree
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from quantum import errors
from quantum.api.answers import Answer, answer_to
from quantum.api.faults import NotHere, TooLarge, TooSlow
from tests.api.client import ApiMixin, OnCompiled, OnKlein
from tests.api.memory import Instead, refusing
from tests.api.test_edges import fault_of

FAULT = "QuantumServiceFault"
TABLE: list[tuple[Exception, int, str, int, str, str]] = [
    (errors.NetworkNotFound("N"), 420, "networkNotFound", 404, "NetworkNotFound", "N"),
    (errors.NetworkInUse("N"), 421, "networkInUse", 409, "NetworkInUse", "N"),
    (errors.PortNotFound("P", "N"), 430, "portNotFound", 404, "PortNotFound", "P"),
    (
        errors.StateInvalid("ON"),
        431,
        "requestedStateInvalid",
        400,
        "RequestedStateInvalid",
        "ON",
    ),
    (errors.PortInUse("P", "N", "A"), 432, "portInUse", 409, "PortInUse", "'A'"),
    (
        errors.AlreadyAttached("A", "P", "N", "P2"),
        440,
        "alreadyAttached",
        409,
        "AlreadyAttached",
        "P2",
    ),
    (
        errors.AlreadyAttached("A", "P", "N"),
        440,
        "alreadyAttached",
        409,
        "AlreadyAttached",
        "another port",
    ),
    (errors.Malformed("why"), 400, "malformedRequest", 400, FAULT, "why"),
    (errors.FabricRefused("why"), 501, "notImplemented", 501, FAULT, "why"),
    (
        errors.SegmentsExhausted("VLANs 5-9 of lab", 5, 3, 2),
        503,
        "serviceUnavailable",
        503,
        FAULT,
        "All 5 of the pool of VLANs 5-9 of lab are taken: 3 by networks, 2 by deleted",
    ),
    (
        errors.PhysicalNetworkUnknown("lap", ("external", "lab")),
        404,
        "physicalNetworkUnknown",
        404,
        FAULT,
        "names no physical network lap; there are: external, lab",
    ),
    (
        errors.VlanNotAllowed("lab", 4, "5-9"),
        400,
        "vlanNotAllowed",
        400,
        FAULT,
        "VLAN 4 of lab is not in its pool: 5-9",
    ),
    (errors.VlanInUse("lab", 5), 409, "vlanInUse", 409, FAULT, "VLAN 5 of lab"),
    (
        errors.AlreadyBound("N", "lab", 5),
        409,
        "alreadyBound",
        409,
        FAULT,
        "Network N runs over VLAN 5 of lab",
    ),
    (
        errors.SwitchNotFound("00000000000000aa"),
        404,
        "switchNotFound",
        404,
        FAULT,
        "Switch 00000000000000aa was never heard of",
    ),
    (
        errors.SwitchInReach("00000000000000aa"),
        409,
        "switchInReach",
        409,
        FAULT,
        "Switch 00000000000000aa, or its hypervisor",
    ),
    (errors.Overloaded(7), 503, "serviceUnavailable", 503, FAULT, "7 s"),
    (
        errors.RecordFailed("disk /var/secret is full"),
        503,
        "serviceUnavailable",
        503,
        FAULT,
        "Nothing was changed",
    ),
    (NotHere("why"), 404, "itemNotFound", 404, FAULT, "why"),
    (TooLarge(1048576), 413, "requestTooLarge", 413, FAULT, "1048576 bytes"),
    (TooSlow(60.0), 408, "requestTimeout", 408, FAULT, "60 seconds"),
]
PATH = "/v1.%d/tenants/acme/networks"


class Peculiar(errors.PortNotFound):
    """An error that a plugin made of one of ours."""


class AnswerToTests(SynchronousTestCase):
    """Answers to errors, for whoever has no request yet to write them to."""

    def answers(self, error: Exception) -> list[tuple[int, Answer]]:
        return [
            (minor, answer_to((PATH % minor + suffix).encode(), None, None, error))
            for minor in (0, 1)
            for suffix in (".json", ".xml")
        ]

    def test_table(self) -> None:
        """Each error has its code and name in each dialect, and useful words."""
        for error, code, name, new_code, kind, words in TABLE:
            for minor, found in self.answers(error):
                expected = (new_code, kind) if minor else (code, name)
                self.assertEqual(expected, (found.code, found.reason.decode()))
                self.assertIn(kind if minor else name, found.body.decode())
                self.assertIn(words, found.body.decode())
                self.assertNotIn("secret", found.body.decode())

    def test_kind_of_an_error(self) -> None:
        """An error derived from one in the table is answered like it."""
        self.assertEqual(
            [430, 430, 404, 404],
            [found.code for _, found in self.answers(Peculiar("P", "N"))],
        )

    def test_retry_after(self) -> None:
        """Who is told to come back is told when."""
        for _, found in self.answers(errors.Overloaded(7)):
            self.assertIn((b"retry-after", b"7"), found.headers)

    def test_outside_a_version(self) -> None:
        """Where there is no dialect there is plain text."""
        for path in (b"", b"/", b"*", b"/v1.0", b"/v2.0/networks.json", b"\xff"):
            found = answer_to(path, b"application/json", None, TooLarge(5))
            self.assertEqual(413, found.code)
            self.assertEqual(b"requestTooLarge", found.reason)
            self.assertEqual(((b"content-type", b"text/plain"),), found.headers)
            self.assertIn(b"5 bytes", found.body)

    def test_unset_state(self) -> None:
        """Even a state that is no text at all can be quoted."""
        for _, found in self.answers(errors.StateInvalid(UNSET)):
            self.assertIn(b"UNSET", found.body)

    def test_lone_surrogates(self) -> None:
        """Words that no encoding can hold are made harmless."""
        for _, found in self.answers(errors.Malformed("a\ud800b\x00")):
            self.assertIn("a\ufffdb\ufffd", found.body.decode())


class RefusingMixin(ApiMixin):
    """A plugin that refuses everything, each way a plugin can."""

    def serve(self, plugin: Any) -> None:
        self.make_plugin = lambda: plugin  # type: ignore[method-assign]
        ApiMixin.setUp(self)

    def failing_later(self, error: Exception) -> Instead:
        async def fail() -> None:
            raise error

        return Instead(lambda _: fail())

    def test_refusals(self) -> None:
        """What the plugin refuses now or later is answered by its fault."""
        for error, code, name, new_code, kind, words in TABLE:
            for plugin in (refusing(error), self.failing_later(error)):
                self.serve(plugin)
                for client, status, called in (
                    (self.v1_0, code, name),
                    (self.v1_1, new_code, kind),
                ):
                    for suffix in (".json", ".xml"):
                        reply = client("GET", "/networks/N/ports/P" + suffix)
                        self.assertEqual(status, reply.code, reply)
                        self.assertEqual(called, reply.phrase)
                        self.assertEqual(len(reply.body), reply.length)
                        fault = fault_of(reply, client.version)
                        self.assertEqual(called, fault["name"])
                        self.assertIn(words, fault["detail"])
        self.assertEqual([], self.flushLoggedErrors())

    def test_overload(self) -> None:
        """A full queue says when to come back."""
        self.serve(refusing(errors.Overloaded(3)))
        reply = self.v1_1("POST", "/networks", {"network": {"name": "n"}})
        self.assertEqual("3", reply.headers["retry-after"])

    def test_incident(self) -> None:
        """What nobody foresaw is logged once, under the id the caller is given."""
        private = "/srv/secret.py"
        for error in (RuntimeError(private), KeyError(private), errors.QuantumError()):
            for plugin in (refusing(error), self.failing_later(error)):
                self.serve(plugin)
                for client in (self.v1_0, self.v1_1):
                    reply = client("GET", "/networks/N")
                    fault = fault_of(reply, client.version)
                    self.assertEqual(500, reply.code)
                    self.assertEqual("quantumservicefault", fault["name"].lower())
                    self.assertNotIn(b"secret", reply.body)
                    self.assertNotIn(b"Traceback", reply.body)
                    incident = reply.headers["x-openstack-request-id"]
                    self.assertIn(incident, fault["detail"])
                    logged = self.flushLoggedErrors()
                    self.assertEqual([error], [failure.value for failure in logged])

    def test_plugin_answers_nonsense(self) -> None:
        """A plugin that answers what is no network makes an incident, not a mess."""
        self.serve(Instead(lambda _: object()))
        for path in ("/networks", "/networks/N", "/networks/N/detail.xml"):
            reply = self.v1_0("GET", path)
            self.assertEqual((500, "quantumServiceFault"), (reply.code, reply.phrase))
            self.assertEqual(1, len(self.flushLoggedErrors()))

    def test_old_clients_find_their_words(self) -> None:
        """The 2012 client indexes the fault by name and joins two texts."""
        for error, code, name, *_ in TABLE:
            self.serve(refusing(error))
            fault = self.v1_0("GET", "/networks/N").json[name]
            self.assertEqual(code, fault["code"])
            self.assertTrue(fault["message"] + "\n" + fault["detail"])
            xml = etree.fromstring(self.v1_0("GET", "/networks/N.xml").body)
            self.assertTrue(all(child.text for child in xml))


class RefusingOnKleinTests(RefusingMixin, OnKlein, SynchronousTestCase):
    """Klein refuses so."""


class RefusingOnCompiledTests(RefusingMixin, OnCompiled, SynchronousTestCase):
    """So does the compiled resource."""
