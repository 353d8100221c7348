# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The life of the process: plugin first, then the API; at the end backwards.

Nothing here knows what the plugin or the API are made of.
"""

import os
import resource
import sys
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen
from twisted.application.service import IService, Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from quantum.errors import QuantumError

log = Logger()


def allow_files(wanted: int) -> None:
    """Let the process open so many files, as far as it may decide that itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@define
class ExitStatus:
    """
    What the process says to whoever started it.

    Neither ``twistd`` nor ``twist`` can end with a failure once the reactor
    runs.  So `conclude` is to be the last thing that happens in the process.
    """

    _exit: Callable[[int], None] = os._exit
    failed: bool = False

    def conclude(self) -> None:
        """Exit with status 1 if anything failed."""
        if self.failed:
            sys.stdout.flush()
            sys.stderr.flush()
            self._exit(1)


@frozen
class Door:
    """A way in: what the log calls it, where it is, and what is behind it."""

    name: str
    _endpoint: IStreamServerEndpoint
    _site: IProtocolFactory

    async def open(self) -> IListeningPort:
        """Listen."""
        port: IListeningPort = await self._endpoint.listen(self._site)
        log.info("{name} listens on {address}", name=self.name, address=_shown(port))
        return port


@define(eq=False)
class Daemon(Service):
    """
    The plugin and the API as one service.

    Nobody can connect before the plugin is ready, and the plugin stops after
    the last connection was accepted, so that what it has promised is kept.
    """

    _clock: IReactorTime
    _plugin: object
    _doors: Sequence[Door]
    _give_up: Callable[[], None]
    """Ends the process; called at most once, when it cannot do its work."""
    _ports: list[IListeningPort] = field(factory=list, init=False)
    _starting: Deferred[None] | None = field(default=None, init=False)

    def privilegedStartService(self) -> None:
        if IService.providedBy(self._plugin):
            self._plugin.privilegedStartService()

    def startService(self) -> None:
        super().startService()
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addErrback(self._failed)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        """Start the plugin, wait for it, then listen."""
        if IService.providedBy(self._plugin):
            await maybeDeferred(self._plugin.startService)
        for door in self._doors:
            if self.running:
                self._ports.append(await door.open())

    async def _stop(self) -> None:
        """Accept nobody any more, let the plugin finish, then let answers out."""
        if self._starting is not None:
            await self._starting
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        if IService.providedBy(self._plugin) and self._plugin.running:
            await maybeDeferred(self._plugin.stopService)
        # The answers to what the plugin has just finished are written in the
        # reactor's next turn, and it closes all connections when we are done.
        for _ in range(2):
            await deferLater(self._clock, 0)

    def _failed(self, failure: Failure) -> None:
        """Say why there is no daemon; a traceback is for mistakes of our own."""
        if failure.check(CannotListenError, QuantumError, OSError):
            log.critical("Cannot start: {problem}", problem=failure.getErrorMessage())
        elif not failure.check(CancelledError):
            log.failure("Cannot start", failure)
        self._give_up()


def _shown(port: IListeningPort) -> str:
    """Name where a port listens, as one would type it."""
    address: Any = port.getHost()
    if isinstance(address, IPv4Address | IPv6Address):
        host = f"[{address.host}]" if ":" in address.host else address.host
        return f"{host}:{address.port}"
    name = getattr(address, "name", address)
    return os.fsdecode(name) if isinstance(name, bytes) else str(name)
