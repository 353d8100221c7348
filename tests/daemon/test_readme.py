# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The first ten minutes of the README, pasted as they stand."""

import os
import re
import subprocess

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.process import ROOT
from tests.lab.daemon import Daemon
from tests.lab.hypervisor import Hypervisor

pytestmark = pytest.mark.root

BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "== end of block"
PRIVATE_NETNS = "mkdir -p /run/netns && mount -t tmpfs none /run/netns\n"
UNHURRIED = "sleep() { command sleep 5; }\n"
"""A reader is told to wait for two seconds; a busy machine is given more."""
UP = '"op-status":"UP"'


class ReadmeTests(SynchronousTestCase):
    """A reader pastes block after block into one terminal."""

    def paste(self, blocks):
        """Run all blocks in one shell beside a daemon; the statuses and outputs."""
        with Hypervisor.running("readme") as hypervisor:
            daemon = Daemon(hypervisor)
            self.addCleanup(daemon.stop)
            daemon.start()
            hypervisor.await_bridge()
            pasted = "".join(f"{block}echo {END} $?\n" for block in blocks)
            script = PRIVATE_NETNS + UNHURRIED + pasted
            shell = ("unshare", "--mount", "bash", "-c", script)
            command = [*hypervisor.namespace.prefix, *shell]
            said = subprocess.run(
                command,
                env={**os.environ, "OVS_RUNDIR": str(hypervisor.ovs.rundir)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
                text=True,
            ).stdout
            daemon.end()
        parts = re.split(rf"^{END} (\d+)\n", said, flags=re.MULTILINE)
        return list(map(int, parts[1::2])), parts[0::2]

    def test_first_ten_minutes(self):
        """Two machines reach each other, then not, then again; nothing is left."""
        blocks = BLOCK.findall((ROOT / "README.md").read_text("utf-8"))
        statuses, said = self.paste(blocks)
        asked, plugged, down, again, gone, _ = said
        # The last command of the third block is a ping that nobody answers.
        self.assertEqual([0, 0, 1, 0, 0], statuses, said)
        self.assertEqual(0, asked.count(UP), asked)
        self.assertEqual(3, plugged.count(UP), plugged)
        self.assertIn("100% packet loss", down)
        self.assertNotIn("100% packet loss", plugged + again)
        self.assertEqual("", gone.strip())
