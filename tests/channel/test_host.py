# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Applications written for os-ken, on the reactor's thread."""

import subprocess
import sys
from types import MappingProxyType

from os_ken.base import app_manager
from os_ken.controller import dpset
from os_ken.controller.handler import set_ev_cls
from os_ken.ofproto import ofproto_protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.host import HostError, RyuHost
from tests.channel import sample
from tests.channel.corpus import VALID, flow, frame, part, tlv
from tests.channel.sample import recorder
from tests.channel.sample.recorder import Recorder, Seen
from tests.channel.terminal import HostCase, Switch


class EventTests(HostCase):
    """What applications are told."""

    def test_order(self) -> None:
        """An event that a handler causes is handled after it, not within it."""
        self.switch().say(frame(21, xid=1) * 2)
        self.assertEqual(
            ["barrier begins", "barrier ends", "gossip"] * 2, self.seen[-6:]
        )

    def test_failing_handler(self) -> None:
        """A handler that fails is logged, and the switch stays."""
        switch = self.switch()
        switch.say(VALID["packet-in"], frame(21, xid=1))
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertIn("barrier ends", self.seen)

    def test_lazy_flows(self) -> None:
        """A flow dump has all that os-ken's own has, its entries when looked at."""
        data = part(1, flow(cookie=8) + flow(), xid=9, flags=1)
        self.switch().say(data)
        message = self.seen[-1]
        self.assertEqual(
            (data, 4, 19, len(data), 9, 1, 1),
            (
                message.buf,
                message.version,
                message.msg_type,
                message.msg_len,
                message.xid,
                message.flags,
                message.type,
            ),
        )
        self.assertNotIn("body", vars(message))
        self.assertEqual([8, 5], [entry.cookie for entry in message.body])
        parser = message.datapath.ofproto_parser
        header = (4, 19, len(data), 9)
        own = parser.msg_parser(message.datapath, *header, data)
        self.assertEqual(own.to_jsondict(), message.to_jsondict())
        self.assertEqual(str(own), str(message))
        self.assertIsInstance(message, parser.OFPFlowStatsReply)

    def test_unreadable_flows(self) -> None:
        """Entries that os-ken cannot read fail who looks at them."""
        self.switch().say(part(1, flow(tlv(4, bytes(4) + tlv(13, bytes(4))))))
        with self.assertRaises(ValueError):
            _ = self.seen[-1].body

    def test_bundle(self) -> None:
        """The answer to a bundle's control message is an event of its own class."""
        self.switch().say(VALID["bundle"])
        self.assertEqual(
            ("ONFBundleCtrlMsg", 1, 5),
            (type(self.seen[-1]).__name__, self.seen[-1].bundle_id, self.seen[-1].type),
        )

    def test_experimenter_error(self) -> None:
        """An experimenter's error is an event like any other error."""
        self.switch().say(VALID["experimenter error"])
        self.assertEqual((0xFFFF, 2302), (self.seen[-1].type, self.seen[-1].exp_type))

    def test_unknown_experimenter(self) -> None:
        """So is a message that os-ken has no class for."""
        self.switch().say(VALID["unknown experimenter"])
        self.assertEqual(0xABCD, self.seen[-1].experimenter)

    def test_waiting(self) -> None:
        """An application that would wait for ever is told so."""
        (app,) = (
            app for app in app_manager.SERVICE_BRICKS.values() if app.name == "Recorder"
        )
        with self.assertRaises(RuntimeError):
            app.ask_for_ever()


class RunTests(SynchronousTestCase):
    """Loading applications, and leaving no trace."""

    def test_by_module(self) -> None:
        """A module or its name will do, and contexts are made as os-ken makes them."""
        for application in (recorder, recorder.__name__):
            host = RyuHost(Clock())
            host.run([application])
            app = app_manager.lookup_service_brick("Recorder")
            self.assertEqual((Seen, ["started"]), (type(app.seen), app.seen))
            self.assertIsInstance(app, Recorder)
            host.close()

    def test_shared_service(self) -> None:
        """A context that is itself an application of os-ken's works as usual."""
        told = []

        class Census(app_manager.OSKenApp):
            """Counts switches, by os-ken's own list of them."""

            _CONTEXTS = MappingProxyType({"dpset": dpset.DPSet})

            def __init__(self, *args, **kwargs) -> None:
                super().__init__(*args, **kwargs)
                self.dpset = kwargs["dpset"]

            @set_ev_cls(dpset.EventDP)
            def counted(self, ev) -> None:
                told.append((ev.enter, ev.dp.id, len(self.dpset.get_all())))

        clock = Clock()
        host = RyuHost(clock)
        host.run([Census])
        self.addCleanup(host.close)
        switch = Switch(host.connection(None)).connect().introduce()
        switch.hang_up()
        self.assertEqual([(True, 0x1234, 1), (False, 0x1234, 0)], told)

    def test_restored(self) -> None:
        """os-ken's registries are afterwards as they were before."""
        before = set(ofproto_protocol._supported_versions)
        host = RyuHost(Clock())
        host.run([Recorder])
        self.assertEqual({4}, ofproto_protocol._supported_versions)
        host.close()
        self.assertEqual(before, ofproto_protocol._supported_versions)
        self.assertEqual({}, app_manager.SERVICE_BRICKS)
        self.assertIsNone(app_manager.AppManager._instance)

    def test_one_at_a_time(self) -> None:
        """A second host in the process is refused, and the first not disturbed."""
        first = RyuHost(Clock())
        first.run([Recorder])
        self.addCleanup(first.close)
        second = RyuHost(Clock())
        with self.assertRaises(HostError):
            second.run([Recorder])
        second.close()
        self.assertIn("Recorder", app_manager.SERVICE_BRICKS)

    def test_no_application(self) -> None:
        """A module without an application, or that does not exist, is refused."""
        for name in (sample.__name__, "tests.channel.sample.nothing"):
            host = RyuHost(Clock())
            with self.assertRaises((HostError, ImportError)):
                host.run([name])
            self.assertEqual({}, app_manager.SERVICE_BRICKS)

    def test_no_openflow(self) -> None:
        """An application that handles no OpenFlow event is refused."""

        class Deaf(app_manager.OSKenApp):
            """Handles nothing."""

        with self.assertRaises(HostError):
            RyuHost(Clock()).run([Deaf])

    def test_other_version(self) -> None:
        """An application that does not speak OpenFlow 1.3 is refused."""

        class Newer(Recorder):
            """Speaks OpenFlow 1.5 only."""

            OFP_VERSIONS = (6,)

        with self.assertRaises(HostError):
            RyuHost(Clock()).run([Newer])

    def test_given_context_stays_open(self) -> None:
        """A context that was given is its giver's to close."""

        class Closable(Seen):
            """Notes that it was closed."""

            def close(self) -> None:
                self.append("closed")

        given = Closable()
        host = RyuHost(Clock())
        host.run([Recorder], {"seen": given})
        host.close()
        self.assertEqual(["started"], given)

    def test_not_running(self) -> None:
        """There are no connections without an application."""
        with self.assertRaises(HostError):
            RyuHost(Clock()).connection(None)


THREADLESS = """
import sys, threading
from twisted.internet.task import Clock
from quantum.channel.host import RyuHost
host = RyuHost(Clock())
host.run(["tests.channel.sample.recorder"])
assert [t.name for t in threading.enumerate()] == ["MainThread"], threading.enumerate()
assert "eventlet" not in sys.modules
assert "twisted.internet.reactor" not in sys.modules
host.close()
print("fine")
"""


class ProcessTests(SynchronousTestCase):
    """What hosting does to its process."""

    def test_threads(self) -> None:
        """No thread is started, no eventlet loaded, no global reactor chosen."""
        done = subprocess.run(
            [sys.executable, "-c", THREADLESS],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(("fine\n", 0), (done.stdout, done.returncode), done.stderr)
