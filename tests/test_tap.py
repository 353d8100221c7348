# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The composition root: a command line becomes a daemon, or a sentence."""

import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.python import usage
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from quantum.config import ConfigError, load
from quantum.makers import NoSuchPlugin
from quantum.tap import Options, assemble, makeService

ROOT = Path(__file__).parents[1]
# Klein itself imports the reactor.
IMPORT_ALL_BUT_THE_API = """
import pkgutil, sys, quantum, ryu_apps
APART = "quantum.api", "quantum.tap", "quantum.testing", "quantum.storage.migrations"
for package in (quantum, ryu_apps):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.startswith(APART):
            __import__(module.name)
print(*{"twisted.internet.reactor", "eventlet"} & sys.modules.keys())
"""


class OptionsTests(SynchronousTestCase):
    """What ``twistd quantum`` understands."""

    def parsed(self, *words):
        """Parse command line words."""
        options = Options()
        options.parseOptions(words)
        return options

    def test_nothing(self):
        """Without options there is the default configuration."""
        self.assertEqual(load(), self.parsed().load())

    def test_set_is_repeatable(self):
        """Every ``--set`` counts."""
        words = ("--set", "plugin.name=memory", "--set", "api.body_limit=7")
        config = self.parsed(*words).load()
        self.assertEqual("memory", config.plugin.name)
        self.assertEqual(7, config.api.body_limit)

    def test_file(self):
        """``--config`` and ``-c`` read a file."""
        path = str(ROOT / "etc/quantum.toml")
        self.assertEqual(load(), self.parsed("--config", path).load())
        self.assertEqual(load(), self.parsed("-c", path).load())

    def test_stray_word(self):
        """A word that is no option is not ignored."""
        self.assertRaises(usage.UsageError, self.parsed, "plugin.name=memory")

    def test_refusal(self):
        """What cannot be used is refused when it is loaded."""
        self.assertRaises(ConfigError, self.parsed("--set", "a.b=1").load)


class MakeServiceTests(SynchronousTestCase):
    """Mistakes of the operator's end the process with a sentence."""

    def message(self, *words):
        """Make a service that cannot be; what the operator reads."""
        options = Options()
        options.parseOptions(words)
        return str(self.assertRaises(SystemExit, makeService, options))

    def test_bad_option(self):
        """A misspelt option is named."""
        message = self.message("--set", "api.lisen=tcp:1")
        self.assertTrue(
            message.startswith("quantum: no such option api.lisen; did you")
        )

    def test_bad_plugin(self):
        """So is a plugin that does not exist; nothing was made for it."""
        state = self.mktemp()
        words = ("--set", f"daemon.state_dir={state}", "--set", "plugin.name=memry")
        self.assertIn("did you mean memory?", self.message(*words))
        self.assertFalse(Path(state).exists())

    def test_bad_state_directory(self):
        """A state directory that cannot be made is named with its option."""
        file = Path(self.mktemp())
        file.touch()
        words = ("--set", f"daemon.state_dir={file}/state")
        self.assertIn("daemon.state_dir: ", self.message(*words))

    def test_plugin_file(self):
        """``twistd`` finds the options and the service under ``quantum``."""
        maker = namedAny("twisted.plugins.quantum_plugin.quantum")
        self.assertEqual("quantum", maker.tapname)
        self.assertIs(Options, maker.options)
        self.assertIs(makeService, maker.makeService)


class AssembleTests(SynchronousTestCase):
    """The parts are put together, and nothing runs yet."""

    def test_memory(self):
        """With the memory plugin there is a daemon in a state directory of its own."""
        state = Path(self.mktemp()) / "deep"
        config = load(None, [f"daemon.state_dir={state}", "plugin.name=memory"])
        reactor = MemoryReactorClock()
        daemon = assemble(config, reactor, self.fail)
        self.addCleanup(daemon.stopService)
        self.assertEqual(0o700, state.stat().st_mode & 0o777)
        self.assertEqual([], reactor.tcpServers)

    def test_operators_socket(self):
        """Operators have a socket of their own, for the daemon's user only."""
        with tempfile.TemporaryDirectory(prefix="quantum-") as state:
            daemon, reactor = self.started(state)
            self.assertEqual(1, len(reactor.tcpServers))
            ((address, _, _, mode, lock),) = reactor.unixServers
            self.assertEqual(f"{state}/operator.sock", address)
            self.assertEqual((0o600, False), (mode, lock))
            daemon.stopService()

    def test_state_directory_too_deep_for_a_socket(self):
        """Where no socket can be, there is none, and the API works all the same."""
        daemon, reactor = self.started(Path(self.mktemp()) / ("deep" * 30))
        self.assertEqual(1, len(reactor.tcpServers))
        self.assertEqual([], reactor.unixServers)
        daemon.stopService()

    def started(self, state):
        """Start a daemon on a reactor of memory; both."""
        config = load(None, [f"daemon.state_dir={state}", "plugin.name=memory"])
        reactor = MemoryReactorClock()
        daemon = assemble(config, reactor, self.fail)
        daemon.startService()
        return daemon, reactor

    def test_no_such_plugin(self):
        """A plugin that does not exist is refused."""
        config = load(None, ["plugin.name=none-such"])
        self.assertRaises(NoSuchPlugin, assemble, config, None, self.fail)

    def test_nothing_imports_the_reactor(self):
        """Importing installs no reactor, and no eventlet comes along."""
        found = subprocess.run(
            [sys.executable, "-c", IMPORT_ALL_BUT_THE_API],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        )
        self.assertEqual("", found.stdout.strip())
