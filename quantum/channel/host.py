# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Runs unmodified Ryu (os-ken) applications on the reactor's thread.

os-ken keeps its applications in process-wide registries; this is the one place
that touches them, and `RyuHost.close` puts them back.
"""

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from attrs import Factory, define, field
from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.ofp_handler import OFPHandler
from os_ken.ofproto import ofproto_protocol
from twisted.internet.interfaces import IReactorTime

from quantum.channel.bus import Bus, ReactorApp
from quantum.channel.connection import Connection
from quantum.channel.frames import VERSION
from quantum.channel.limits import Limits
from quantum.channel.pulse import Pulse
from quantum.channel.roster import Roster
from quantum.channel.switchboard import Switchboard
from quantum.channel.turns import Turns


class HostError(Exception):
    """The applications cannot be hosted; the message says what to change."""


class _Applications(app_manager.AppManager):  # type: ignore[misc]  # untyped
    """os-ken's loader, made to instantiate applications that have no thread."""

    def __init__(self, bus: Bus, given: Mapping[str, Any]) -> None:
        super().__init__()
        self.contexts_cls: dict[str, type]
        self._bus = bus
        self._given = given
        self.classes: dict[str, type] = {}

    def load_app(self, name: str) -> type:
        """Find an application's class, or say that there is none."""
        found = self.classes.get(name) or super().load_app(name)
        if found is None:
            raise HostError(f"{name} defines no os-ken application")
        return found

    def create_contexts(self) -> dict[str, Any]:
        """Make the contexts that were not given."""
        wanted = self.contexts_cls
        self.contexts_cls = {k: c for k, c in wanted.items() if k not in self._given}
        return {**super().create_contexts(), **self._given}

    def _instantiate(self, app_name: Any, cls: type, *args: Any, **named: Any) -> Any:
        content: dict[str, Any] = {
            "__module__": cls.__module__,
            "__doc__": cls.__doc__,
            "bus": self._bus,
        }
        if issubclass(cls, OFPHandler):
            content["start"] = lambda _self: None  # its own one listens
        hosted = type(cls.__name__, (cls, ReactorApp), content)
        return super()._instantiate(app_name, hosted, *args, **named)


@define(eq=False)
class RyuHost:
    """
    The applications of one process, and the switches they see.

    At most one host runs at a time, because os-ken's registries are the
    process's.  Everything happens on the thread that calls `run`.
    """

    _reactor: IReactorTime
    _limits: Limits = field(factory=Limits)
    switches: Roster = field(factory=Roster, init=False)
    """The connected switches, `TwistedDatapath` by datapath id."""
    _bus: Bus = field(factory=Bus, init=False)
    _turns: Turns = field(
        default=Factory(lambda self: Turns(self._reactor), takes_self=True), init=False
    )
    _pulse: Pulse = field(init=False)
    _applications: _Applications | None = field(default=None, init=False)
    _switchboard: Switchboard | None = field(default=None, init=False)
    _versions: set[int] = field(factory=set, init=False)

    @_pulse.default
    def _make_pulse(self) -> Pulse:
        return Pulse(self._reactor, self._limits.echo_interval)

    def run(
        self,
        applications: Iterable[str | type | ModuleType],
        contexts: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Load and start applications: their classes, modules or modules' names.

        :param contexts: What applications get for names in their ``_CONTEXTS``
            instead of a new instance of the class there.
        :raise HostError: An application is missing or cannot run here.
        """
        if app_manager.SERVICE_BRICKS or app_manager.AppManager._instance:  # noqa: SLF001
            raise HostError("os-ken applications run in this process already")
        self._versions = set(ofproto_protocol._supported_versions)  # noqa: SLF001
        loader = _Applications(self._bus, contexts or {})
        self._applications = app_manager.AppManager._instance = loader  # noqa: SLF001
        try:
            self._start(loader, applications)
        except BaseException:  # whatever stops the start, the next one begins anew
            self.close()
            raise

    def connection(self, address: Any) -> Connection:
        """Make the protocol for one switch's connection."""
        if self._switchboard is None:
            raise HostError("no application runs")
        return Connection(
            *(address, self._reactor, self._limits),
            *(self._switchboard, self.switches),
            *(self._turns, self._pulse),
        )

    def close(self) -> None:
        """Stop the applications; connections must have been closed before."""
        loader, self._applications, self._switchboard = self._applications, None, None
        if loader is None:
            return
        try:
            loader.close()
        finally:
            self._bus.clear()
            app_manager.SERVICE_BRICKS.clear()
            app_manager.AppManager._instance = None  # noqa: SLF001  (restored)
            ofproto_protocol._supported_versions = self._versions  # noqa: SLF001

    def _start(self, loader: _Applications, applications: Iterable[Any]) -> None:
        names = []
        for application in applications:
            if isinstance(application, type):
                name = f"{application.__module__}:{application.__qualname__}"
                loader.classes[name] = application
            else:
                name = getattr(application, "__name__", application)
            names.append(name)
        loader.load_apps(names)
        self._agree_on_version(loader)
        loader.instantiate_apps(**loader.create_contexts())
        brick = app_manager.lookup_service_brick(ofp_event.NAME)
        if brick is None:
            raise HostError(f"none of {', '.join(names)} handles OpenFlow events")
        self._switchboard = Switchboard(self._bus, brick, self._limits.echo_interval)

    def _agree_on_version(self, loader: _Applications) -> None:
        """Let applications see OpenFlow 1.3, the version of our framer, only."""
        for name, found in loader.applications_cls.items():
            versions = getattr(found, "OFP_VERSIONS", None)
            if versions is not None and VERSION not in versions:
                raise HostError(f"{name} does not speak OpenFlow 1.3")
        ofproto_protocol.set_app_supported_versions([VERSION])
