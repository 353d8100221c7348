# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a person starts it."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]


class DemoTests(SynchronousTestCase):
    """It tells the truth, ends by itself and leaves nothing behind."""

    def setUp(self) -> None:
        """Start it, with a folder of its own for temporary files."""
        folder = tempfile.TemporaryDirectory(prefix="demo-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.demo"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "TMPDIR": folder.name},
            text=True,
        )
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.terminate)

    def assert_nothing_left(self) -> None:
        """No file is left, and no process that was given one."""
        self.assertEqual([], list(self.folder.iterdir()))
        mark = str(self.folder).encode()
        found = []
        for words in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found += [words] if mark in words.read_bytes() else []
            except (FileNotFoundError, ProcessLookupError):
                continue
        self.assertEqual([], found)

    def test_whole(self) -> None:
        """Its exit status is 0, with every line right."""
        output, _ = self.process.communicate()
        self.assertEqual(0, self.process.returncode, output)
        self.assertNotIn("WRONG", output)
        self.assertIn("everything is as it must be", output)
        self.assert_nothing_left()

    def test_interrupted(self) -> None:
        """Ctrl-C in the middle takes everything away."""
        for line in self.process.stdout:
            if "detached" in line:
                self.process.send_signal(signal.SIGINT)
                break
        self.process.stdout.read()
        self.assertEqual(1, self.process.wait())
        self.assert_nothing_left()
