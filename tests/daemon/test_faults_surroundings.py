# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon stands on gives way: its configuration, its folder, its disk."""

import re
import subprocess
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.process import run
from tests.daemon.scene import PATIENCE, Scene, await_true

SPOKEN = re.compile(r"(^quantum|Cannot start): ")
WRONG = {
    ("api.listen=junk",): "Unknown endpoint type: 'junk'",
    ("api.listen=unix:/nonexistent/api", "plugin.name=memory"): "/nonexistent/api",
    ("openflow.listen=unix:/nonexistent/of",): "/nonexistent/of",
    ("plugin.name=opnvswitch",): "did you mean openvswitch?",
    ("daemon.state_dir=/proc/quantum",): "daemon.state_dir: ",
    ("database.url=sqlite:////proc/quantum/db",): "cannot lock it",
}


class WrongSettingsTests(SynchronousTestCase):
    """The daemon says in one sentence why there is none."""

    def setUp(self):
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def test_settings(self):
        """A setting that cannot work ends the start, without a traceback."""
        for words, said in WRONG.items():
            free = (
                () if "api" in words[0] else ("api.listen=tcp:0:interface=127.0.0.1",)
            )
            status, text = run(*words, *free, folder=self.folder)
            self.assertEqual(1, status, text)
            self.assertNotIn("Traceback", text)
            (reason,) = [line for line in text.splitlines() if SPOKEN.search(line)]
            self.assertIn(said, reason)


@pytest.mark.root
class DiskTests(SynchronousTestCase):
    """The state directory is on a small disk that only the daemon sees."""

    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.strike)
        self.state = self.scene.folder / "state"
        self.state.mkdir()
        mount = (
            f"mount -t tmpfs -o size=512k none {self.state} && echo && exec sleep 1d"
        )
        holder = subprocess.Popen(
            ("unshare", "--mount", "sh", "-c", mount), stdout=subprocess.PIPE
        )
        self.addCleanup(holder.communicate)
        self.addCleanup(holder.kill)
        self.assertEqual(b"\n", holder.stdout.readline())
        self.scene.prefix = ("nsenter", f"--target={holder.pid}", "--mount", "--root")

    def inside(self, *command):
        """Run a command where the daemon's disk is."""
        subprocess.run([*self.scene.prefix, *command], check=True, capture_output=True)

    def fill(self, client):
        """Make networks until there is no room; their ids."""
        self.inside("fallocate", "-l", "200K", f"{self.state}/ballast")
        made = []
        while True:
            reply = client("POST", "/networks", {"network": {"name": "x" * 255}})
            if reply.code != 202:
                self.assertEqual(503, reply.code, reply)
                return made
            made.append(reply.json["network"]["id"])

    def listed(self, client):
        """Read the ids of all networks."""
        return [
            network["id"] for network in client("GET", "/networks").json["networks"]
        ]

    def test_full(self):
        """On a full disk nothing is recorded and all is readable; room heals it."""
        self.scene.start()
        client = self.scene.client()
        made = self.fill(client)
        self.assertEqual(sorted(made), sorted(self.listed(client)))
        refused = client("DELETE", f"/networks/{made[0]}")
        if refused.code == 204:  # what is deleted needs less room than a network
            made.pop(0)
        self.assertEqual(sorted(made), sorted(self.listed(client)))
        self.assertIn("disk is full", self.scene.log)
        self.assertNotIn("Traceback", self.scene.log)
        self.inside("rm", f"{self.state}/ballast")
        await_true(lambda: self.is_taken(client, made), "a write is taken")
        self.assertEqual(sorted(made), sorted(self.listed(client)))

    def is_taken(self, client, made):
        reply = client("POST", "/networks", {"network": {"name": "with room"}})
        if reply.code == 202:
            made.append(reply.json["network"]["id"])
        return reply.code == 202

    def test_full_and_killed(self):
        """A daemon that dies on a full disk remembers what it had answered."""
        self.scene.start()
        made = self.fill(self.scene.client())
        self.scene.kill()
        self.inside("rm", f"{self.state}/ballast")
        self.scene.start()
        self.assertEqual(sorted(made), sorted(self.listed(self.scene.client())))

    def test_read_only(self):
        """On a disk that cannot be written the daemon does not start, and says so."""
        self.scene.start()
        self.scene.client().network()
        self.scene.end()
        self.inside("mount", "-o", "remount,ro", str(self.state))
        self.scene.spawn()
        self.assertEqual(1, self.scene.process.wait(PATIENCE))
        self.assertIn("Read-only file system", self.scene.log)
        self.assertNotIn("Traceback", self.scene.log)
