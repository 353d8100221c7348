# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Bad frames and bad databases, while a real switch is connected and the API used."""

import contextlib
import json
import random
import selectors
import shutil
import socket
import struct
import tempfile
import time
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from tests.channel.corpus import HELLO, MALFORMED, PORT, VALID, frame, part
from tests.daemon.scene import PATIENCE, Scene, await_true
from tests.lab.ovs import OpenVSwitch

SEED = 20261122
HEADERS = [struct.pack("!BBHI", 4, 2, length, 0) for length in (0, 1, 7, 65535)]
MESSAGE = b'{"id":%d,"error":null,"result":%b}'


def ready(number):
    """Say all that a switch of this number says in its handshake."""
    features = struct.pack("!QIBB2xII", number, 256, 254, 0, 0x4F, 0)
    return HELLO + frame(6, features, 2) + part(13, PORT, 3)


def frames():
    """List what bad switches say before and after their handshakes, in some order."""
    cuts = [text[:n] for text in VALID.values() for n in range(1, len(text), 17)]
    texts = [*MALFORMED.values(), *HEADERS, *cuts]
    chosen = random.Random(SEED)  # noqa: S311  # a test that can be repeated
    late = [ready(0x9000 + n) + text for n, text in enumerate(texts)]
    return chosen.sample(texts + late, 2 * len(texts))


class WorkingNetwork(SynchronousTestCase):
    """A network that works, and goes on to whoever else speaks to the daemon."""

    databases = ()

    def setUp(self):
        """Let a network of two ports be UP."""
        words = ["openflow.handshake_deadline=1", "openflow.echo_interval=0.5"]
        self.scene = Scene(words, OpenVSwitch.start())
        self.addCleanup(self.scene.strike)
        paths = [self.scene.ovs.socket, *self.databases]
        connect = json.dumps([f"unix:{path}" for path in paths])
        self.scene.settings = [*words, f"ovsdb.connect={connect}"]
        self.scene.start()
        await_true(lambda: "br-int" in self.vsctl("list-br"), "the bridge is there")
        client = self.scene.client()
        network = client.network()
        self.ports = [client.new_port(network) for _ in range(2)]
        for number, port in enumerate(self.ports):
            client.attach(port, f"vif{number}")
            words = ("type=dummy", f"external_ids:iface-id=vif{number}")
            name = f"p{number}"
            self.vsctl(
                "add-port", "br-int", name, "--", "set", "interface", name, *words
            )
        await_true(lambda: self.statuses() == {"UP"}, "the ports are UP")
        self.memory = self.scene.resident()

    def vsctl(self, *words):
        return self.scene.ovs.vsctl(*words)

    def statuses(self):
        """How the ports stand, asked on a connection of its own."""
        client = self.scene.client()
        with contextlib.closing(client):
            return {client.status(port) for port in self.ports}

    def assert_unharmed(self):
        """The switch was never disconnected, and the daemon is at rest again."""
        self.assertEqual({"UP"}, self.statuses())
        log = self.scene.log
        self.assertNotIn("Traceback", log)
        number = self.vsctl("get", "bridge", "br-int", "datapath_id").strip().strip('"')
        self.assertEqual(1, log.count(f"{number} at a Unix socket: is a switch"))
        self.assertNotIn(f"{number} at a Unix socket: dropped", log)
        await_true(self.is_at_rest, "the daemon rests")
        self.assertLess(self.scene.resident(), self.memory + 96)

    def is_at_rest(self):
        """Whether the daemon uses little of a processor."""
        before = self.scene.worked()
        time.sleep(0.5)
        return self.scene.worked() - before < 0.2


class HostileSwitchTests(WorkingNetwork):
    """What bad switches say concerns nobody else."""

    def connect(self):
        """Connect as a switch would."""
        wire = socket.socket(socket.AF_UNIX)
        wire.connect(str(self.scene.openflow))
        self.addCleanup(wire.close)
        return wire

    def test_frames(self):
        """Each connection with a bad or unfinished frame is ended by the daemon."""
        everyone = selectors.DefaultSelector()
        self.addCleanup(everyone.close)
        for text in frames():
            wire = self.connect()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                wire.sendall(text)
            wire.setblocking(False)
            everyone.register(wire, selectors.EVENT_READ, text)
            if len(everyone.get_map()) > 300:
                self.assertEqual({"UP"}, self.statuses())
                self.see_off(everyone)
        self.see_off(everyone)
        self.assert_unharmed()

    def see_off(self, everyone):
        """Wait until the daemon has hung up on everyone."""
        while everyone.get_map():
            heard = everyone.select(PATIENCE)
            left = [key.data[-60:] for key in everyone.get_map().values()]
            self.assertNotEqual([], heard, left[:3])
            for key, _ in heard:
                with contextlib.suppress(BlockingIOError, ConnectionResetError):
                    while key.fileobj.recv(65536):
                        pass
                    everyone.unregister(key.fileobj)

    def test_impostor(self):
        """A second switch with the number of one that lives is refused."""
        number = self.vsctl("get", "bridge", "br-int", "datapath_id").strip().strip('"')
        wire = self.connect()
        wire.settimeout(PATIENCE)
        wire.sendall(ready(int(number, 16)))
        while wire.recv(65536):
            pass
        self.assert_unharmed()

    def test_floods(self):
        """Whoever sends as fast as it can slows nobody down for long."""
        texts = [VALID["echo request"] * 1000, VALID["packet-in"] * 300]
        texts += [VALID["flows"] * 100, VALID["port status"] * 300]
        floods = [Thread(target=self.flood, args=(n, t)) for n, t in enumerate(texts)]
        for flood in floods:
            flood.start()
        for _ in range(30):
            self.assertEqual({"UP"}, self.statuses())
        for flood in floods:
            flood.join()
        self.assert_unharmed()

    def flood(self, number, text):
        """Send the same again and again, and read nothing."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(0.5)
            wire.connect(str(self.scene.openflow))
            wire.sendall(ready(0x8000 + number))
            for _ in range(100):
                wire.sendall(text)


def garbage(wire):
    """Say nothing that makes sense."""
    wire.sendall(random.Random(SEED).randbytes(100_000))  # noqa: S311


def endless(wire):
    """Say one thing of 100 MB."""
    wire.sendall(b'{"id":null,"method":"update","params":["')
    for _ in range(1600):
        wire.sendall(b"x" * 65536)


def deep(wire):
    """Nest objects."""
    wire.sendall(b'{"a":' * 1_000_000)


def deep_lists(wire):
    """Nest lists, and close them all."""
    nested = b"[" * 1_000_000 + b"]" * 1_000_000
    wire.sendall(MESSAGE % (1, nested))


def nothing(wire):
    """Answer each question with nothing."""
    for number in range(1, 9):
        wire.recv(65536)
        wire.sendall(MESSAGE % (number, b"null"))


def nonsense(wire):
    """Answer each question with something else."""
    for number in range(1, 9):
        wire.recv(65536)
        wire.sendall(MESSAGE % (number, b'{"Open_vSwitch":7}'))


def echoes(wire):
    """Ask for echoes and read none."""
    for _ in range(1000):
        wire.sendall(b'{"id":"echo","method":"echo","params":[]}' * 1000)


def silence(wire):
    """Never answer."""
    while wire.recv(65536):
        pass


class HostileDatabaseTests(WorkingNetwork):
    """What bad databases say, whom the daemon was told to dial, concerns them only."""

    VOICES = (garbage, endless, deep, deep_lists, nothing, nonsense, echoes, silence)

    def setUp(self):
        """Open all bad databases, and count who calls."""
        folder = Path(tempfile.mkdtemp(prefix="quantum-bad-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.calls = dict.fromkeys(self.VOICES, 0)
        self.databases = [folder / voice.__name__ for voice in self.VOICES]
        for voice, path in zip(self.VOICES, self.databases, strict=True):
            server = socket.socket(socket.AF_UNIX)
            self.addCleanup(server.close)
            server.bind(str(path))
            server.listen()
            Thread(target=self.speak, args=(voice, server), daemon=True).start()
        super().setUp()

    def speak(self, voice, server):
        """Let a bad database speak to whoever calls, one after the other."""
        while True:
            try:
                wire, _ = server.accept()
            except OSError:
                return
            self.calls[voice] += 1
            with contextlib.suppress(OSError), wire:
                wire.settimeout(PATIENCE)
                voice(wire)

    def test_databases(self):
        """The daemon hangs up on each bad database, and calls it again later."""
        again = {voice for voice in self.VOICES if voice not in {silence, echoes}}
        await_true(
            lambda: all(self.calls[voice] > 1 for voice in again), f"{self.calls}"
        )
        self.assertEqual({"UP"}, self.statuses())
        self.assertNotIn("Traceback", self.scene.log)
        self.assertIn("longer than 67108864 bytes", self.scene.log)
