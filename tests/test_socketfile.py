# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""UNIX sockets: those that are left over, and those that are in use."""

import os
import socket
import tempfile
from pathlib import Path

from twisted.internet.defer import succeed
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from quantum.socketfile import LONGEST, SocketFile, is_too_long, remove_stale


class Witness:
    """An endpoint that notes whether the path was free when it listened."""

    def __init__(self, path):
        self.path = path
        self.seen = []

    def listen(self, factory):
        self.seen.append(self.path.exists())
        return succeed(factory)


class SocketFileTests(SynchronousTestCase):
    """What is removed before a socket is made."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="quantum-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "socket"

    def bound(self):
        """Have a socket on the path."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.path))
        return listener

    def test_left_over(self):
        """A socket that nobody listens on any more is replaced."""
        self.bound().close()
        witness = Witness(self.path)
        factory = Factory()
        answer = SocketFile(witness, self.path).listen(factory)
        self.assertIs(factory, self.successResultOf(answer))
        self.assertEqual([False], witness.seen)

    def test_in_use(self):
        """A socket that somebody listens on stays, however busy he is."""
        listener = self.bound()
        listener.listen(0)
        callers = [socket.socket(socket.AF_UNIX) for _ in range(5)]
        for caller in callers:
            self.addCleanup(caller.close)
            caller.setblocking(False)
            caller.connect_ex(str(self.path))
        remove_stale(self.path)
        self.assertTrue(self.path.is_socket())

    def test_nothing_there(self):
        """Where nothing is there is nothing to do."""
        remove_stale(self.path)
        remove_stale(self.path / "deeper")

    def test_what_is_no_socket(self):
        """A file, or a link to a socket, is not ours to remove."""
        self.path.touch()
        remove_stale(self.path)
        self.assertTrue(self.path.is_file())
        link = self.path.with_name("link")
        link.symlink_to(self.path)
        remove_stale(link)
        self.assertTrue(link.is_symlink())

    def test_too_long(self):
        """The kernel takes exactly as long a path as we believe."""
        folder = str(self.path.parent)
        fits = folder + "/" + "x" * (LONGEST - len(folder) - 1)
        self.assertEqual([False, True], [is_too_long(fits), is_too_long(fits + "x")])
        for path in (fits, fits + "x"):
            with socket.socket(socket.AF_UNIX) as one:
                if is_too_long(path):
                    self.assertRaises(OSError, one.bind, path)
                else:
                    one.bind(path)
        self.assertTrue(is_too_long(os.fsdecode(b"\xc3\xa4" * 60)))
