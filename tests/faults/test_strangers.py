# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Who says that he is a switch and leaves is forgotten."""

import socket
import struct

from tests.daemon.test_hostile_switches import ready
from tests.faults.case import YardTests
from tests.faults.yard import PATIENCE


class StrangerTests(YardTests):
    """However far strangers come, nothing is kept of them."""

    def visit(self, words):
        """Connect, say something, listen for a moment, and leave."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(PATIENCE)
            wire.connect(str(self.yard.office.openflow))
            wire.sendall(words)
            wire.recv(65536)

    def test_introduced(self):
        """Who only says his number is not kept."""
        for number in range(0x9001, 0x9011):
            features = struct.pack("!QIBB2xII", number, 256, 254, 0, 0x4F, 0)
            hello = struct.pack("!BBHI", 4, 0, 8, 1)
            self.visit(hello + struct.pack("!BBHI", 4, 6, 32, 2) + features)
        self.await_forgotten()

    def test_joined(self):
        """Nor is he who finished his handshake."""
        for number in range(0x9101, 0x9111):
            self.visit(ready(number))
        self.await_forgotten()

    def await_forgotten(self):
        """Wait until only the hypervisors are known."""
        names = {host.name for host in self.yard.hosts}
        self.await_true(lambda: self.yard.switches().keys() == names, "no others")
