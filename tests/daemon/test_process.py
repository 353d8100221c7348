# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator sees of the process: it serves, it ends, it says why not."""

import json
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.process import ROOT, command, run, running

NETWORKS = "/v1.1/tenants/acme/networks"


class ProcessTests(SynchronousTestCase):
    """``twistd -n quantum`` in an empty folder."""

    def setUp(self):
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)

    def running(self):
        """Run the daemon without a switch."""
        words = command("plugin.name=memory")
        return running(words, self.folder, PYTHONPATH=str(ROOT))

    def test_serves_and_remembers(self):
        """What was answered is still there after a restart."""
        with self.running() as daemon:
            body = json.dumps({"network": {"name": "blue"}})
            status, text = daemon.ask("POST", NETWORKS, body)
            self.assertEqual(202, status)
            created = json.loads(text)["network"]["id"]
            self.assertNotIn("Traceback", daemon.end())
        with self.running() as daemon:
            _, text = daemon.ask("GET", NETWORKS)
            self.assertEqual([{"id": created}], json.loads(text)["networks"])

    def test_leaves_nothing_in_the_folder(self):
        """The state directory is all that a daemon leaves behind."""
        with self.running() as daemon:
            daemon.end()
        self.assertEqual(["state"], [path.name for path in self.folder.iterdir()])

    def test_port_in_use(self):
        """A taken port is named, and the exit status is one of failure."""
        for runner in ("twistd", "twist"):
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
                listen = f"api.listen=tcp:{port}:interface=127.0.0.1"
                words = ("plugin.name=memory", listen)
                status, text = run(*words, folder=self.folder, runner=runner)
            self.assertEqual(1, status, text)
            self.assertIn(f"Couldn't listen on 127.0.0.1:{port}", text)
            self.assertNotIn("Traceback", text)

    def test_bad_configuration(self):
        """A mistake in the configuration is one sentence, not a traceback."""
        for runner in ("twistd", "twist"):
            status, text = run("api.lisen=1", folder=self.folder, runner=runner)
            self.assertEqual(1, status, text)
            self.assertEqual(1, len(text.splitlines()), text)
            self.assertIn("did you mean listen?", text)

    def test_second_daemon(self):
        """Two daemons do not write one database."""
        with self.running():
            words = ("plugin.name=memory", "api.listen=unix:second")
            status, text = run(*words, folder=self.folder)
        self.assertEqual(1, status, text)
        self.assertIn("another daemon has it", text)
        self.assertNotIn("Traceback", text)
