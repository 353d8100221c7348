# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A private Open vSwitch: its own database, daemon and run directory.

With ``dummy=True`` its datapath exists in memory only and needs no root; else
it is the userspace datapath (``datapath_type=netdev``), which does.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from attrs import define, field

DEADLINE = 20.0


class LabError(Exception):
    """The lab could not be built on this machine."""


def schema() -> Path:
    """Find the Open_vSwitch schema beside the ``ovsdb-server`` that would run."""
    server = shutil.which("ovsdb-server")
    if server is None:
        raise LabError("ovsdb-server is not on PATH; `make ovs` installs Open vSwitch")
    return Path(server).parents[1] / "share/openvswitch/vswitch.ovsschema"


@define
class OpenVSwitch:
    """One running Open vSwitch; `start` makes it, `stop` ends it and its files."""

    rundir: Path
    dummy: bool
    prefix: tuple[str, ...] = ()
    """Words before every command, such as ``nsenter --net=...``."""
    _processes: list[subprocess.Popen[bytes]] = field(factory=list)

    @classmethod
    def start(
        cls, dummy: bool = True, prefix: tuple[str, ...] = (), vswitchd: bool = True
    ) -> "OpenVSwitch":
        """Create a database, start both daemons and wait until they answer."""
        self = cls(Path(tempfile.mkdtemp(prefix="quantum-ovs-")), dummy, prefix)
        database = str(self.rundir / "conf.db")
        try:
            self.run("ovsdb-tool", "create", database, str(schema()))
            self.start_database()
            self.vsctl("--no-wait", "init")
            if vswitchd:
                self.start_vswitchd()
        except BaseException:
            self.stop()
            raise
        return self

    @property
    def socket(self) -> str:
        """The database's socket, a path."""
        return str(self.rundir / "db.sock")

    def start_database(self) -> None:
        """Start ovsdb-server."""
        self._spawn(
            "ovsdb-server",
            str(self.rundir / "conf.db"),
            f"--remote=punix:{self.socket}",
            "--remote=db:Open_vSwitch,Open_vSwitch,manager_options",
            f"--unixctl={self.rundir / 'ovsdb.ctl'}",
        )
        _await_socket(self.socket)

    def start_vswitchd(self) -> None:
        """Start ovs-vswitchd."""
        simulated = (
            "--enable-dummy=override",
            "--disable-system",
            "--disable-system-route",
        )
        self._spawn(
            "ovs-vswitchd",
            f"unix:{self.socket}",
            f"--unixctl={self.rundir / 'vswitchd.ctl'}",
            *(simulated if self.dummy else ()),
        )
        _await_socket(str(self.rundir / "vswitchd.ctl"))

    def kill(self, name: str) -> None:
        """End one of the two daemons at once, as a crash would."""
        for process in [p for p in self._processes if name in str(p.args)]:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self._processes.remove(process)
        ctl = "ovsdb.ctl" if name == "ovsdb-server" else "vswitchd.ctl"
        (self.rundir / ctl).unlink(missing_ok=True)

    def stop(self) -> None:
        """End what was started and remove its files."""
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        shutil.rmtree(self.rundir, ignore_errors=True)

    def vsctl(self, *words: str) -> str:
        """Run ``ovs-vsctl``."""
        return self.run("ovs-vsctl", f"--db=unix:{self.socket}", "--timeout=15", *words)

    def ofctl(self, command: str, bridge: str, *words: str, stdin: str = "") -> str:
        """Run ``ovs-ofctl`` on one bridge, with OpenFlow 1.3."""
        target = f"unix:{self.rundir / bridge}.mgmt"
        return self.run(
            "ovs-ofctl", "-O", "OpenFlow13", command, target, *words, stdin=stdin
        )

    def appctl(self, command: str, *words: str) -> str:
        """Call ovs-vswitchd over its control socket (JSON-RPC, without a process)."""
        request = {"id": 0, "method": command, "params": list(words)}
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(DEADLINE)
            wire.connect(str(self.rundir / "vswitchd.ctl"))
            wire.sendall(json.dumps(request).encode())
            text = b""
            while chunk := wire.recv(65536):
                text += chunk
                try:
                    answer = json.loads(text)
                except ValueError:
                    continue
                if answer.get("error"):
                    raise LabError(f"{command}: {answer['error']}")
                return str(answer["result"])
        raise LabError(f"{command}: ovs-vswitchd closed the control connection")

    def flows(self, bridge: str) -> list[str]:
        """List a bridge's flows as ``ovs-ofctl`` prints them, without counters."""
        target = f"unix:{self.rundir / bridge}.mgmt"
        text = self.run(
            "ovs-ofctl", "-O", "OpenFlow13", "--no-stats", "dump-flows", target
        )
        return [line.strip() for line in text.splitlines() if "actions=" in line]

    def run(self, *command: str, stdin: str = "") -> str:
        """Run a command in this Open vSwitch's surroundings; its output."""
        done = subprocess.run(
            [*self.prefix, *command],
            input=stdin.encode(),
            capture_output=True,
            env=self._environment(),
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise LabError(f"{' '.join(command)}: {done.stderr.decode().strip()}")
        return done.stdout.decode()

    def _environment(self) -> dict[str, str]:
        here = str(self.rundir)
        return {**os.environ, "OVS_RUNDIR": here, "OVS_LOGDIR": here, "OVS_DBDIR": here}

    def _spawn(self, *command: str) -> None:
        with (self.rundir / f"{command[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                cwd=self.rundir,
                # Ctrl-C is for whoever started us, who then ends us in order.
                start_new_session=True,
            )
        self._processes.append(process)


def _await_socket(path: str) -> None:
    """Wait until a server listens on a Unix socket."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as wire:
            try:
                wire.connect(path)
            except OSError:
                time.sleep(0.01)
            else:
                return
    raise LabError(f"nothing listens on {path}")
