# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Endpoint strings: who can reach them, and who cannot read them."""

from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from quantum.endpoint import (
    EndpointError,
    address,
    check_client,
    check_server,
    check_target,
    dials_this_machine,
    server,
)


class AddressTests(SynchronousTestCase):
    """Where a server endpoint listens."""

    def test_loopback(self):
        """Only addresses that no other machine can reach are loopback."""
        for text in (
            "tcp:9696:interface=127.0.0.1",
            "tcp:9696:127.0.0.1",
            "tcp:port=9696:interface=127.8.0.1",
            "tcp:9696:interface=localhost",
            "tcp6:9696:interface=\\:\\:1",
            "tcp:9696:interface=\\:\\:1:backlog=5",
            "unix:/run/quantum.sock:mode=660",
            "unix:address=/run/quantum.sock",
        ):
            check_server(text)
            self.assertTrue(address(text).is_loopback, text)

    def test_everywhere(self):
        """A missing interface means every interface; what is unknown is not safe."""
        for text in (
            "tcp:9696",
            "tcp:9696:interface=",
            "tcp:9696:interface=0.0.0.0",
            "tcp6:9696",
            "tcp:9696:interface=192.0.2.1",
            "tcp:9696:interface=127.0.0.1.example.org",
            "systemd:domain=INET:index=0",
        ):
            self.assertFalse(address(text).is_loopback, text)

    def test_target(self):
        """A switch of this machine can be told where we listen."""
        for expected, text in (
            ("tcp:127.0.0.1:6653", "tcp:6653:interface=127.0.0.1"),
            ("tcp:127.0.0.1:6653", "tcp:6653"),
            ("tcp:192.0.2.1:6653", "tcp:6653:interface=192.0.2.1"),
            ("tcp:[::1]:6653", "tcp6:6653:interface=\\:\\:1"),
            ("tcp:[::1]:6653", "tcp6:6653"),
            ("ssl:192.0.2.1:6653", "ssl:6653:interface=192.0.2.1:privateKey=k.pem"),
            ("unix:/run/quantum.sock", "unix:/run/quantum.sock"),
            (None, "tcp:0:interface=127.0.0.1"),
            (None, "systemd:domain=INET:index=0"),
        ):
            self.assertEqual(expected, address(text).target, text)


class CheckTests(SynchronousTestCase):
    """What is refused before anything is opened."""

    def test_server(self):
        """What Twisted cannot listen on is refused with an example."""
        for text in ("", "tpc:1", "tcp", "tcp:no", "tcp:1:face=2", "ssl:1", "fd:9"):
            problem = self.assertRaises(EndpointError, check_server, text)
            self.assertIn("an example is tcp:9696", str(problem))

    def test_backlog(self):
        """Many may knock at once, unless the string says how many."""
        for text, wanted in (
            ("tcp:0:interface=127.0.0.1", 1024),
            ("tcp:0:backlog=7", 7),
            ("unix:/tmp/x", 1024),
        ):
            reactor = MemoryReactorClock()
            self.successResultOf(server(reactor, text).listen(Factory()))
            (opened,) = reactor.tcpServers or reactor.unixServers
            self.assertIn(wanted, opened)

    def test_port_beyond_the_last(self):
        """A port number that no machine has is refused."""
        problem = self.assertRaises(EndpointError, check_server, "tcp:70000")
        self.assertIn("no port 70000", str(problem))

    def test_client(self):
        """A client string needs a host."""
        check_client("tcp:192.0.2.1:6640")
        check_client("unix:/run/openvswitch/db.sock")
        self.assertRaises(EndpointError, check_client, "tcp:6640")

    def test_dials_this_machine(self):
        """A client string stays here only if it says so."""
        for text in (
            "unix:/db.sock",
            "tcp:127.0.0.1:6640",
            "tcp:host=localhost:port=1",
        ):
            self.assertTrue(dials_this_machine(text), text)
        for text in ("tcp:192.0.2.1:6640", "tcp:h1:6640", "other:127.0.0.1:6640"):
            self.assertFalse(dials_this_machine(text), text)

    def test_switch_target(self):
        """A switch is told an address, not a name, and always a port."""
        for text in ("tcp:192.0.2.1:6653", "ssl:[2001:db8::1]:6653", "unix:/run/q"):
            check_target(text)
        for text in (
            "tcp:6653",
            "192.0.2.1:6653",
            "tcp:192.0.2.1",
            "tcp:example.org:6653",
            "tcp:[192.0.2.1:6653",
            "tcp:192.0.2.1:0",
            "tcp:192.0.2.1:65536",
            "ptcp:6653",
        ):
            self.assertRaises(EndpointError, check_target, text)
