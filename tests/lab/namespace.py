# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Network namespaces without names.

A namespace is held by a file descriptor of this process and by nothing else:
when the process ends, even by ``kill -9``, the kernel removes the namespace and
every link in it.  Nothing appears in ``ip netns``, so nothing can be left there.
"""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from tests.lab.ovs import LabError

_CLONE_NEWNET = 0x40000000
_SIOCETHTOOL = 0x8946
_ETHTOOL_STXCSUM = 0x17
_HERE = "/proc/thread-self/ns/net"
_libc = ctypes.CDLL(None, use_errno=True)


@define
class Namespace:
    """One network namespace; `create` makes it, `close` lets go of it."""

    name: str
    _fd: int

    @classmethod
    def create(cls, name: str) -> "Namespace":
        """Make a namespace that has a loopback and never speaks IPv6 by itself."""
        with _way_back():
            _must(_libc.unshare(_CLONE_NEWNET), f"cannot make namespace {name}")
            self = cls(name, os.open(_HERE, os.O_RDONLY))
            _silence_ipv6()
        self.ip("link set lo up")
        return self

    @property
    def path(self) -> str:
        """Where other programs find the namespace while this process lives."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    @property
    def prefix(self) -> tuple[str, ...]:
        """The words that run a command inside, ending with this process at latest."""
        return ("setpriv", "--pdeathsig", "KILL", "nsenter", f"--net={self.path}")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let this thread make sockets in the namespace; they stay there."""
        with _way_back():
            _must(_libc.setns(self._fd, _CLONE_NEWNET), f"cannot enter {self.name}")
            yield

    def ip(self, *lines: str) -> None:
        """Run many ``ip`` commands inside, as one process."""
        done = subprocess.run(
            [*self.prefix, "ip", "-batch", "-"],
            input="\n".join(lines).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise LabError(f"ip in {self.name}: {done.stderr.decode().strip()}")

    def checksum_in_software(self, link: str) -> None:
        """
        Let the kernel finish checksums before a frame leaves by ``link``.

        A veth leaves them to hardware that it does not have, and a userspace
        datapath would pass TCP and UDP on with the checksum missing.
        """
        value = ctypes.create_string_buffer(struct.pack("II", _ETHTOOL_STXCSUM, 0), 8)
        request = struct.pack("16sP8x", link.encode(), ctypes.addressof(value))
        with self.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            fcntl.ioctl(wire, _SIOCETHTOOL, request)

    def close(self) -> None:
        """Let go; the kernel removes what is inside."""
        os.close(self._fd)


@contextmanager
def _way_back() -> Iterator[None]:
    """Return this thread to the namespace that it was in."""
    home = os.open(_HERE, os.O_RDONLY)
    try:
        yield
    finally:
        _must(_libc.setns(home, _CLONE_NEWNET), "cannot return to the first namespace")
        os.close(home)


def _silence_ipv6() -> None:
    """Keep the kernel from sending frames that no test asked for."""
    for scope in ("all", "default"):
        switch = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if switch.exists():
            switch.write_text("1")


def _must(result: int, problem: str) -> None:
    if result:
        reason = os.strerror(ctypes.get_errno())
        raise LabError(f"{problem}: {reason} (the lab needs root)")
