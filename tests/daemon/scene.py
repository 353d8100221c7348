# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A scene for hostile guests: the real daemon on real sockets of this machine.

Its API has whatever TCP port is free; its state directory, log and sockets are in
one temporary folder, and a private Open vSwitch may stand beside it.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.lab.ovs import OpenVSwitch

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
LISTENS = re.compile(r"The API listens on 127\.0\.0\.1:(\d+)")


@frozen
class Reply:
    """One answer of the API."""

    code: int
    text: str
    form: str = "application/json"
    retry_after: str | None = None

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.text)


def await_true(is_true: Callable[[], object], text: str) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {text}")
        time.sleep(0.02)


@define
class Scene:
    """A daemon, perhaps beside a switch, in a folder of its own."""

    settings: Sequence[str] = ()
    """Words for ``--set`` beyond those that make the scene private."""
    ovs: OpenVSwitch | None = None
    prefix: Sequence[str] = ()
    folder: Path = field(
        factory=lambda: Path(tempfile.mkdtemp(prefix="quantum-scene-"))
    )
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    _spoken: int = 0

    @property
    def openflow(self) -> Path:
        """Where the daemon listens for switches."""
        folder = self.folder if self.ovs is None else self.ovs.rundir
        return folder / "of.sock"

    def words(self) -> list[str]:
        """Give the words for ``--set``."""
        words = [f"daemon.state_dir={self.folder / 'state'}"]
        words.append("api.listen=tcp:0:interface=127.0.0.1")
        if self.ovs is None:
            return [*words, "plugin.name=memory", *self.settings]
        words.append(f"openflow.listen=unix:{self.openflow}")
        words.append(f'ovsdb.connect=["unix:{self.ovs.socket}"]')
        return [*words, "openvswitch.datapath_type=dummy", *self.settings]

    def start(self) -> None:
        """Start the daemon and wait until it listens."""
        self.spawn()
        await_true(self._listens, "the daemon listens")

    def spawn(self) -> None:
        """Start the daemon; it may end by itself."""
        words = [word for setting in self.words() for word in ("--set", setting)]
        twistd = str(Path(sys.executable).with_name("twistd"))
        self._spoken = len(self.log)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, twistd, "-n", "--pidfile=", "quantum", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The daemon's process."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """What the daemon has said since its first start, without requests."""
        path = self.folder / "log"
        text = path.read_text(errors="replace") if path.exists() else ""
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if " HTTP/1." not in line)

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"no daemon: {self.log[-3000:]}"
        found = LISTENS.findall(self.log[self._spoken :])
        self.port = int(found[-1]) if found else 0
        return bool(found)

    def kill(self) -> None:
        """End the daemon as ``kill -9`` does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def end(self) -> int:
        """End the daemon as ``systemctl stop`` does; its exit status."""
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        self.process = None
        return status

    def strike(self) -> None:
        """Take everything away."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.ovs is not None:
            self.ovs.stop()

    def resident(self) -> int:
        """Say how many MiB of memory the daemon has."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) // 1024

    def worked(self) -> float:
        """Say how many seconds of processor time the daemon has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def client(self) -> "Client":
        """Give a client with a connection of its own."""
        return Client(http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE))


@define
class Client:
    """A well-behaved caller of Quantum API 1.1, on one connection."""

    _connection: http.client.HTTPConnection
    tenant: str = "acme"

    def __call__(self, method: str, path: str, body: object = None) -> Reply:
        """Make one request below the tenant."""
        url = f"/v1.1/tenants/{self.tenant}{path}"
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, url, text, headers)
        answer = self._connection.getresponse()
        return Reply(
            answer.status,
            answer.read().decode(),
            answer.getheader("Content-Type", ""),
            answer.getheader("Retry-After"),
        )

    def network(self, name: str = "net") -> str:
        """Make a network; its id."""
        reply = self("POST", "/networks", {"network": {"name": name}})
        assert reply.code == 202, reply
        return str(reply.json["network"]["id"])

    def new_port(self, network: str) -> str:
        """Make an active port; its path."""
        body = {"port": {"state": "ACTIVE"}}
        reply = self("POST", f"/networks/{network}/ports", body)
        assert reply.code == 202, reply
        return f"/networks/{network}/ports/{reply.json['port']['id']}"

    def attach(self, port: str, attachment: str) -> Reply:
        """Plug an interface into a port."""
        return self("PUT", f"{port}/attachment", {"attachment": {"id": attachment}})

    def status(self, port: str) -> str:
        """Say how a port stands."""
        reply = self("GET", f"{port}/detail")
        assert reply.code == 200, reply
        return str(reply.json["port"]["op-status"])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
