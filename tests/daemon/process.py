# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The real daemon as a process, and a client of its Unix socket."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, whose number of free names is unlimited."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


@define
class Running:
    """A daemon that answers."""

    process: subprocess.Popen[str]
    socket: Path

    def ask(self, method: str, url: str, body: str | None = None) -> tuple[int, str]:
        """Make one request; its status and answer."""
        connection = UnixConnection(self.socket)
        headers = {"Content-Type": "application/json"}
        connection.request(method, url, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def end(self) -> str:
        """Ask the daemon to end; what it had said."""
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE)[0]


def command(*words: str, runner: str = "twistd") -> list[str]:
    """Compose a command line; each word is given to ``--set``."""
    programs = Path(sys.executable).parent
    plain = ["-n", "--pidfile="] if runner == "twistd" else []
    settings = [part for word in words for part in ("--set", word)]
    return [str(programs / runner), *plain, "quantum", *settings]


def run(*words: str, folder: Path, runner: str = "twistd") -> tuple[int, str]:
    """Run a daemon that is to end by itself; its exit status and what it said."""
    done = subprocess.run(
        command(*words, runner=runner),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout


@contextmanager
def running(words: list[str], folder: Path, **environment: str) -> Iterator[Running]:
    """Run a daemon on a Unix socket, whose path is short enough for one."""
    with tempfile.TemporaryDirectory(prefix="quantum-") as short:
        path = Path(short) / "api"
        process = subprocess.Popen(
            [*words, "--set", f"api.listen=unix:{path}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **environment},
            text=True,
        )
        try:
            _await(process, path)
            yield Running(process, path)
        finally:
            process.kill()
            process.communicate()


def _await(process: subprocess.Popen[str], path: Path) -> None:
    """Wait until the daemon listens."""
    deadline = time.monotonic() + PATIENCE
    while not _listens(path):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"no daemon: {process.communicate()[0]}")
        time.sleep(0.05)


def _listens(path: Path) -> bool:
    """Whether somebody can be connected to, not only a socket be seen."""
    with socket.socket(socket.AF_UNIX) as wire:
        try:
            wire.connect(str(path))
        except OSError:
            return False
    return True
