# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""UNIX sockets that a crashed daemon left behind, and those that are in use."""

import os
import socket
import stat
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IProtocolFactory, IStreamServerEndpoint
from zope.interface import implementer

LONGEST = 107
"""Bytes that a socket's path may have (unix(7): 108 with the final zero)."""


def is_too_long(path: str) -> bool:
    """Say whether no socket can have this path."""
    return len(os.fsencode(path)) > LONGEST


@implementer(IStreamServerEndpoint)
@frozen
class SocketFile:
    """
    A UNIX socket to listen on, in place of one that nobody listens on any more.

    Twisted's own lock names a process; after a crash in a container another
    process, or the new daemon itself, has the same number, and it would never
    listen again.
    """

    _endpoint: IStreamServerEndpoint
    _path: Path

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        remove_stale(self._path)
        return maybeDeferred(self._endpoint.listen, protocolFactory)


def remove_stale(path: Path) -> None:
    """
    Remove a socket if nobody listens on it; leave everything else alone.

    :raise OSError: It cannot be looked at or removed.
    """
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            probe.connect(str(path))
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
    except (FileNotFoundError, BlockingIOError):
        # Nothing to remove; or a listener whom many others want to talk to.
        return
