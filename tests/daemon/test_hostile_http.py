# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Bad HTTP over real sockets, while a well-behaved client works beside it."""

import contextlib
import socket
from pathlib import Path
from threading import Event, Thread

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from tests.api.test_hostile import REFUSED_JSON, REFUSED_XML
from tests.daemon.process import ROOT, command, running
from tests.daemon.scene import PATIENCE, Scene, await_true

URL = "/v1.1/tenants/rude/networks"
HEAD = f"POST {URL} HTTP/1.1\r\nHost: x\r\n".encode()
LIST = f"GET {URL} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
CLOSE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
FORMS = (("application/json", REFUSED_JSON), ("application/xml", REFUSED_XML))
WIDE = {
    "members": b'{"network":{%b,"name":"n"}}'
    % b",".join(b'"a%d":%d' % (n, n) for n in range(70_000)),
    "arrays": b'{"network":{"x":[%b],"name":"n"}}' % b",".join([b"[]"] * 340_000),
    "children": b"<network name='n'>%b</network>" % (b"<a/>" * 250_000),
    "attributes": b"<network name='n' %b/>"
    % b" ".join(b"a%d=''" % n for n in range(90_000)),
    "prefixes": b"<network name='n' %b/>"
    % b" ".join(b"xmlns:a%d='u%d' a%d:x=''" % (n, n, n) for n in range(25_000)),
}
STRANGE = {
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "negative length": b"Content-Length: -1\r\n\r\n",
    "length of 8,000 digits": b"Content-Length: " + b"9" * 8000 + b"\r\n\r\n",
    "other transfer encoding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n",
    "chunk that is no number": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-5\r\n\r\n",
    "chunk extension": b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 100_000,
    "trailers": b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 100_000,
    "many headers": b"a: b\r\n" * 600 + b"\r\n",
    "long header": b"a: " + b"b" * 20_000 + b"\r\n\r\n",
    "header without colon": b"foo\r\n\r\n",
}


@define
class Neighbour:
    """A client that reads and writes all the time, and notes what went wrong."""

    scene: Scene
    troubles: list = field(factory=list)
    turns: int = 0
    _is_over: Event = field(factory=Event)
    _thread: Thread | None = None

    def start(self):
        """Begin to work."""
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self):
        """Let the client finish."""
        self._is_over.set()
        self._thread.join()

    def _work(self):
        client = self.scene.client()
        network = client.network("mine")
        try:
            while not self._is_over.wait(0.02):
                name = f"turn {self.turns}"
                body = {"network": {"name": name}}
                client("PUT", f"/networks/{network}", body)
                found = client("GET", f"/networks/{network}").json
                assert found["network"]["name"] == name, found
                self.turns += 1
        except Exception as problem:  # noqa: BLE001  # whatever it is, the test tells
            self.troubles.append(problem)


class HttpTests(SynchronousTestCase):
    """The daemon answers what it can, hangs up on the rest, and serves the others."""

    @classmethod
    def setUpClass(cls):
        cls.scene = Scene(["api.request_deadline=5", "api.max_connections=160"])
        cls.scene.start()

    @classmethod
    def tearDownClass(cls):
        cls.scene.strike()

    def setUp(self):
        """Let a neighbour work beside every test, and notice what changes."""
        self.memory = self.scene.resident()
        self.neighbour = Neighbour(self.scene)
        self.neighbour.start()

    def tearDown(self):
        """Nobody else was hurt, and nothing was made, said or kept."""
        self.neighbour.stop()
        self.assertEqual([], self.neighbour.troubles)
        client = self.scene.client()
        client.tenant = "rude"
        made = client("GET", "/networks").json["networks"]
        self.assertEqual(self.made, len(made))
        for network in made:
            client("DELETE", f"/networks/{network['id']}")
        self.assertNotIn("Traceback", self.scene.log)
        self.assertLess(self.scene.resident(), self.memory + 48)

    made = 0
    """How many networks the test made on purpose."""

    def connect(self, host="127.0.0.1"):
        """Connect from one of the addresses of the loopback interface."""
        wire = socket.create_connection(
            ("127.0.0.1", self.scene.port), PATIENCE, (host, 0)
        )
        self.addCleanup(wire.close)
        return wire

    def told(self, text):
        """Send something, and give all that comes until the daemon hangs up."""
        wire = self.connect()
        with contextlib.suppress(OSError):  # it may hang up before everything is sent
            wire.sendall(text)
        return everything(wire)

    def posted(self, form, body):
        """Send a body."""
        head = f"Content-Type: {form}\r\nContent-Length: {len(body)}\r\n"
        return self.told(HEAD + f"{head}Connection: close\r\n\r\n".encode() + body)

    def test_bodies(self):
        """Broken, deep, huge and cunning bodies are refused in the caller's format."""
        for form, refused in FORMS:
            for body, _ in refused:
                answer = self.posted(form, body)
                code = 413 if len(body) > 1 << 20 else 400
                self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % code), answer)
                self.assertIn(f"content-type: {form}\r\n".encode(), answer.lower())

    def test_wide_documents(self):
        """A document of very many parts takes time in proportion to its length."""
        for name, body in WIDE.items():
            form = FORMS[0 if body[:1] == b"{" else 1][0]
            for _ in range(3):
                answer = self.posted(form, body)
                self.assertTrue(answer.startswith(b"HTTP/1.1 202 "), (name, answer))
                self.made += 1

    def test_strange_heads(self):
        """What could be read in two ways, or is too long, is refused."""
        for name, rest in STRANGE.items():
            answer = self.told(
                HEAD + b"Content-Type: application/xml\r\nA: b\r\n" + rest
            )
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), (name, answer))
            self.assertIn(b"content-type: application/xml\r\n", answer.lower(), name)

    def test_paths_that_are_not_utf8(self):
        """Escaped or not, a path that is no text is refused."""
        for path in ("%FF", "%C0%80", "%ED%A0%80"):
            request = f"GET {URL}/{path}.xml HTTP/1.1\r\nConnection: close\r\n\r\n"
            answer = self.told(request.encode())
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
            self.assertIn(b"<detail>The path is not UTF-8</detail>", answer)
        answer = self.told(f"GET {URL}/".encode() + b"\xff HTTP/1.1\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)

    def test_drips(self):
        """Whoever sends one byte at a time is told that the time is over."""
        heads = (HEAD + b"A: ", HEAD + b"Content-Length: 1000000\r\n\r\n", b"GET /")
        wires = [self.connect("127.0.0.2") for _ in range(30)]
        for number, wire in enumerate(wires):
            # Time runs since they are connected: the first may be over already.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                wire.sendall(heads[number % 3])
        answers = []
        while wires:
            for wire in list(wires):
                wire.settimeout(0.002)
                with contextlib.suppress(TimeoutError):
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                        wire.send(b"a")
                    answers.append(wire.recv(65536))
                    wires.remove(wire)
        self.assertEqual({b"HTTP/1.1 408 "}, {answer[:13] for answer in answers})

    def test_pipelined(self):
        """Requests sent without waiting are answered one after the other."""
        wire = self.connect()
        sender = Thread(target=wire.sendall, args=(LIST * 5000 + CLOSE,))
        sender.start()
        answers = everything(wire)
        sender.join()
        self.assertEqual(5001, answers.count(b"HTTP/1.1 200 OK\r\n"))

    def test_callers_who_do_not_read(self):
        """Whoever asks without reading the answers is soon not read from."""
        for _ in range(4):
            wire = self.connect()
            wire.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(200):
                    wire.send(LIST * 1000)
        turns = self.neighbour.turns
        await_true(lambda: self.neighbour.turns > turns + 20, "the neighbour works")

    def test_idle_connections(self):
        """As many idle connections as there may be leave room for other addresses."""
        for number in range(240):
            self.connect(f"127.0.0.{3 + number % 2}")
        for _ in range(20):
            self.assertEqual(200, self.scene.client()("GET", "/networks").code)


class OversizeTests(SynchronousTestCase):
    """A body beyond the limit, counted on a Unix socket, which holds little."""

    HELD = 64 * 1024
    """What the kernel may keep of what was sent, beyond what the daemon reads."""

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        daemon = running(command("plugin.name=memory"), folder, PYTHONPATH=str(ROOT))
        self.daemon = self.stack.enter_context(daemon)

    def send(self, head, pieces):
        """Send a body for as long as the daemon takes it; how much, and the answer."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            wire.settimeout(PATIENCE)
            wire.connect(str(self.daemon.socket))
            wire.sendall(HEAD + head + b"\r\n\r\n")
            sent = 0
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    sent += wire.send(piece)
            return sent, everything(wire)

    def test_declared(self):
        """A body that says that it is too long is not read."""
        sent, answer = self.send(b"Content-Length: 100000000000", [b"x" * 4096] * 1000)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        self.assertLess(sent, 64 * 1024 + self.HELD)

    def test_chunked(self):
        """A body that grows too long in chunks is not read further."""
        piece = b"1000\r\n" + b"x" * 4096 + b"\r\n"
        sent, answer = self.send(b"Transfer-Encoding: chunked", [piece] * 1000)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        limit = (1 << 20) * len(piece) // 4096
        self.assertLess(sent, limit + 64 * 1024 + self.HELD)


def everything(wire):
    """Read until the other side hangs up, in order or not."""
    text = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while some := wire.recv(1 << 20):
            text += some
    return bytes(text)
