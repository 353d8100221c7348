# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The order in which the daemon's parts come and go."""

import resource

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from quantum.daemon import Daemon, Door, ExitStatus, allow_files
from quantum.errors import FabricRefused


class FilesTests(SynchronousTestCase):
    """A thousand connections need a thousand descriptors."""

    def test_raised(self):
        """The limit is raised as far as it may be, and never lowered."""
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        (_, most) = before
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
        allow_files(300)
        self.assertEqual((300, most), resource.getrlimit(resource.RLIMIT_NOFILE))
        allow_files(100)
        self.assertEqual((300, most), resource.getrlimit(resource.RLIMIT_NOFILE))
        allow_files(1 << 40)
        self.assertEqual((most, most), resource.getrlimit(resource.RLIMIT_NOFILE))


@define(eq=False)
class SlowPlugin(Service):
    """Is ready when told so, and gone when told so."""

    started: Deferred = field(factory=Deferred)
    stopped: Deferred = field(factory=Deferred)
    calls: list = field(factory=list)

    def startService(self):
        super().startService()
        self.calls.append("start")
        return self.started

    def stopService(self):
        super().stopService()
        self.calls.append("stop")
        return self.stopped


class TakenEndpoint:
    """Somebody else listens there."""

    def listen(self, factory):
        return fail(CannotListenError("127.0.0.1", 9696, OSError("in use")))


class DaemonTests(SynchronousTestCase):
    """Plugin first, then the API; at the end backwards."""

    def setUp(self):
        self.reactor = MemoryReactorClock()
        self.endings = []

    def daemon(self, plugin, endpoint=None):
        """Make a daemon on a reactor of memory."""
        endpoint = endpoint or TCP4ServerEndpoint(self.reactor, 9696)
        doors = [Door("The API", endpoint, Factory())]
        return Daemon(self.reactor, plugin, doors, lambda: self.endings.append(1))

    def test_listens_when_the_plugin_is_ready(self):
        """Nobody can connect before the plugin is ready."""
        plugin = SlowPlugin()
        daemon = self.daemon(plugin)
        daemon.startService()
        self.assertEqual([], self.reactor.tcpServers)
        plugin.started.callback(None)
        self.assertEqual(1, len(self.reactor.tcpServers))

    def test_plugin_without_a_life(self):
        """A plugin that opens nothing need not be a service."""
        daemon = self.daemon(object())
        daemon.startService()
        self.assertEqual(1, len(self.reactor.tcpServers))
        done = daemon.stopService()
        self.reactor.pump([0, 0, 0])
        self.successResultOf(done)

    def test_waits_for_the_plugin_to_stop(self):
        """What the plugin has promised is kept before the process ends."""
        plugin = SlowPlugin(succeed(None))
        daemon = self.daemon(plugin)
        daemon.startService()
        done = daemon.stopService()
        self.reactor.pump([0, 0, 0])
        self.assertNoResult(done)
        plugin.stopped.callback(None)
        self.reactor.pump([0, 0, 0])
        self.successResultOf(done)
        self.assertEqual(["start", "stop"], plugin.calls)

    def test_stopped_while_starting(self):
        """Stopped before the plugin was ready, the daemon never listens."""
        plugin = SlowPlugin(stopped=succeed(None))
        daemon = self.daemon(plugin)
        daemon.startService()
        done = daemon.stopService()
        plugin.started.callback(None)
        self.reactor.pump([0, 0, 0])
        self.successResultOf(done)
        self.assertEqual([], self.reactor.tcpServers)
        self.assertEqual([], self.endings)

    def test_port_in_use(self):
        """A taken port ends the daemon; the plugin is stopped on the way."""
        plugin = SlowPlugin(succeed(None), succeed(None))
        daemon = self.daemon(plugin, TakenEndpoint())
        daemon.startService()
        self.assertEqual([1], self.endings)
        done = daemon.stopService()
        self.reactor.pump([0, 0, 0])
        self.successResultOf(done)
        self.assertEqual(["start", "stop"], plugin.calls)

    def test_plugin_cannot_start(self):
        """A plugin that says why it cannot work ends the daemon without traceback."""
        daemon = self.daemon(SlowPlugin(fail(FabricRefused("no switch"))))
        daemon.startService()
        self.assertEqual([1], self.endings)
        self.assertEqual([], self.flushLoggedErrors())

    def test_mistake_in_the_plugin(self):
        """A mistake of the plugin's ends the daemon too, and is logged as one."""
        daemon = self.daemon(SlowPlugin(fail(ZeroDivisionError())))
        daemon.startService()
        self.assertEqual([1], self.endings)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


class ExitStatusTests(SynchronousTestCase):
    """What the shell is told."""

    def test_success(self):
        """Without a failure the process ends as it would anyway."""
        statuses = []
        ExitStatus(statuses.append).conclude()
        self.assertEqual([], statuses)

    def test_failure(self):
        """After a failure the status is 1."""
        statuses = []
        ExitStatus(statuses.append, failed=True).conclude()
        self.assertEqual([1], statuses)
