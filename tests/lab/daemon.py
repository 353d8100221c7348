# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The real daemon, as an operator starts it, and a small client of its API.

It runs in the namespace of a hypervisor or of the network between many, where
the default ports are always free, and with the default options except for what
it must be told: its state directory, where hypervisors are, the datapath type.
"""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field

from tests.lab.namespace import Namespace
from tests.lab.ovs import LabError

ROOT = Path(__file__).parents[2]
PORT = 9696
PATIENCE = 40.0


class Home(Protocol):
    """Where a daemon runs, and what it must be told there."""

    @property
    def namespace(self) -> Namespace:
        """The network namespace."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Words of the form ``section.key=value``."""


class _Connection(http.client.HTTPConnection):
    """An HTTP connection that is made inside a namespace."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__("127.0.0.1", PORT, timeout=PATIENCE)
        self._namespace = namespace

    def connect(self) -> None:
        with self._namespace.inside():
            super().connect()


class _LocalConnection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


@define
class Api:
    """Quantum API 1.1 in JSON, and what only the operator may ask."""

    _namespace: Namespace
    _operator: Path
    """The operator's socket."""

    def call(self, method: str, path: str, body: object = None) -> Any:
        """
        Make one request below ``/v1.1/tenants/``.

        :return: The decoded answer, or None where there is none.
        :raise LabError: The answer is not one of success.
        """
        url = f"/v1.1/tenants/{path}"
        status, text = self.ask(method, url, None if body is None else json.dumps(body))
        if not 200 <= status < 300:
            raise LabError(f"{method} {url} was answered {status}: {text.decode()}")
        return json.loads(text) if text else None

    def ask(self, method: str, url: str, body: str | None = None) -> tuple[int, bytes]:
        """Make one request, on a connection of its own."""
        return _exchange(_Connection(self._namespace), method, url, body)

    def operate(self, method: str, url: str, body: object = None) -> Any:
        """
        Make one request on the operator's socket.

        :return: The decoded answer, or None where there is none.
        :raise LabError: The answer is not one of success.
        """
        connection = _LocalConnection(self._operator)
        content = None if body is None else json.dumps(body)
        status, text = _exchange(connection, method, url, content)
        if not 200 <= status < 300:
            raise LabError(f"{method} {url} was answered {status}: {text.decode()}")
        return json.loads(text) if text else None


def _exchange(
    connection: http.client.HTTPConnection, method: str, url: str, body: str | None
) -> tuple[int, bytes]:
    """Make one request, and hang up."""
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, url, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@define
class Daemon:
    """``twistd -n quantum`` beside one hypervisor, or between many."""

    _home: Home
    _settings: Sequence[str] = ()
    """Further ``section.key=value`` words."""
    state: Path = field(
        factory=lambda: Path(tempfile.mkdtemp(prefix="quantum-daemon-"))
    )
    _process: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> Api:
        """A client of this daemon."""
        return Api(self._home.namespace, self.state / "operator.sock")

    @property
    def log(self) -> str:
        """What the daemon has said since its first start, requests left out."""
        path = self.state / "daemon.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if " HTTP/1.1" not in line)

    def start(self) -> None:
        """Start the daemon and wait until its API answers."""
        with (self.state / "daemon.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.state,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise LabError(
                    f"the daemon did not start; it said:\n{self.log[-3000:]}"
                )
            time.sleep(0.05)

    def kill(self) -> None:
        """End the daemon as ``kill -9`` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def end(self) -> None:
        """End the daemon as Ctrl-C and ``systemctl stop`` do."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LabError("the daemon did not end within 20 s") from None
        self._process = None

    def stop(self) -> None:
        """End the daemon, if it runs, and remove its files."""
        try:
            self.end()
        finally:
            shutil.rmtree(self.state, ignore_errors=True)

    def _command(self) -> list[str]:
        twistd = str(Path(sys.executable).with_name("twistd"))
        settings = (
            f"daemon.state_dir={self.state}",
            *self._home.settings,
            "openvswitch.datapath_type=netdev",
            *self._settings,
        )
        words = [word for setting in settings for word in ("--set", setting)]
        prefix = self._home.namespace.prefix
        return [*prefix, twistd, "-n", "--pidfile=", "quantum", *words]

    def _answers(self) -> bool:
        try:
            return self.api.ask("GET", "/")[0] == 200
        except OSError:
            return False
