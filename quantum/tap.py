# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The composition root: from a command line to a service.

The one module that knows every other, and the one place where the reactor is
imported.
"""

import atexit
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import txaio
from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

import quantum
from quantum import makers, plugins
from quantum.api.accesslog import AccessLog
from quantum.api.answers import answer_in_json
from quantum.api.compiled import CompiledKlein
from quantum.api.limits import Limits
from quantum.api.operators import Operators
from quantum.api.routes import Api
from quantum.api.site import ApiSite
from quantum.config import LOCAL_OPEN_VSWITCH, Config, ConfigError, load
from quantum.daemon import Daemon, Door, ExitStatus, allow_files
from quantum.endpoint import server
from quantum.errors import QuantumError
from quantum.garbage import collect_seldom
from quantum.interfaces import IProviderNetworks, IQuantumPlugin, Surroundings
from quantum.socketfile import LONGEST, SocketFile, is_too_long

log = Logger()

SPARE_FILES = 200
"""Files open besides connections: databases, logs, hypervisors."""


class Options(usage.Options):
    """What ``twistd quantum`` understands."""

    synopsis = "[--config FILE] [--set SECTION.KEY=VALUE]..."
    longdesc = "etc/quantum.toml shows every option; without a file, defaults apply."
    optParameters: ClassVar = [
        ["config", "c", None, "Read the configuration from this file."]
    ]

    def __init__(self) -> None:
        super().__init__()
        self.settings: list[str] = []

    def opt_set(self, word: str) -> None:
        """Override one option, as in api.body_limit=65536; may be given again."""
        self.settings.append(word)

    def opt_version(self) -> None:
        """Show which Quantum this is."""
        print(f"Quantum {quantum.__version__}")  # noqa: T201  # that is its purpose
        sys.exit(0)

    def load(self) -> Config:
        """
        Read what was asked for.

        :raise ConfigError: It cannot be used.
        """
        return load(self["config"], self.settings)


def makeService(options: Options) -> IService:
    """
    Make the daemon, or end the process with a sentence for the operator.

    Nothing is opened before the whole configuration has been found usable.
    """
    from twisted.internet import reactor  # noqa: PLC0415  # nowhere else

    txaio.use_twisted()
    status = ExitStatus()

    def give_up() -> None:
        status.failed = True
        reactor.callWhenRunning(reactor.stop)

    # What os-ken warns of, a peer can cause at will; the channel says it once.
    logging.getLogger("os_ken").setLevel(logging.ERROR)
    try:
        config = options.load()
        allow_files(
            SPARE_FILES + config.api.max_connections + config.openflow.max_connections
        )
        daemon = assemble(config, reactor, give_up)
    except (ConfigError, QuantumError) as problem:
        raise SystemExit(f"quantum: {problem}") from None
    atexit.register(status.conclude)
    collect_seldom()
    return daemon


def assemble(config: Config, reactor: Any, give_up: Callable[[], None]) -> Daemon:
    """
    Put the parts together; nothing runs yet.

    :raise ConfigError: There can be no such state directory.
    :raise QuantumError: The plugin cannot be had, or cannot work here.
    """
    maker = makers.find(config.plugin.name, plugins)
    if config.plugin.name == "openvswitch":
        _look_for_switches(config)
    _make_folder(config.state_dir)
    plugin = makers.make(maker, Surroundings(config, reactor, _warn))
    # The API is the last to open: whoever can reach it can reach everything.
    doors = [*_operators_door(config, reactor, plugin), _door(config, reactor, plugin)]
    return Daemon(reactor, plugin, doors, give_up)


def _door(config: Config, reactor: Any, plugin: IQuantumPlugin) -> Door:
    """Let tenants in."""
    access_log = AccessLog(reactor, _note_access)
    resource = CompiledKlein(Api(plugin).app)
    site = ApiSite(resource, Limits.of(config.api), reactor, access_log=access_log)
    return Door("The API", server(reactor, config.api.listen), site)


def _operators_door(
    config: Config, reactor: Any, plugin: IQuantumPlugin
) -> Iterator[Door]:
    """Let operators in, if there is anything that they could do."""
    if not IProviderNetworks.providedBy(plugin):
        return
    path = config.operator_socket
    if is_too_long(path):
        _warn(
            f"There is no socket for operators: {path} is longer than a socket's path "
            f"can be ({LONGEST} bytes); set api.operator_listen"
        )
        return
    access_log = AccessLog(reactor, _note_access)
    resource = CompiledKlein(Operators(plugin).app)
    limits = Limits.of(config.api)
    site = ApiSite(resource, limits, reactor, answer_in_json, access_log)
    endpoint = SocketFile(server(reactor, config.operator_listen), Path(path))
    yield Door("The operators' socket", endpoint, site)


def _look_for_switches(config: Config) -> None:
    """Say so if no Open vSwitch could ever be heard of."""
    if not (config.ovsdb_endpoints or config.ovsdb.listen):
        _warn(
            f"No Open vSwitch: {LOCAL_OPEN_VSWITCH} does not exist, and neither "
            "ovsdb.connect nor ovsdb.listen names another database"
        )


def _make_folder(path: Path) -> None:
    """Make the state directory, readable by nobody else."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(f"daemon.state_dir: {problem}") from None


def _note_access(lines: str) -> None:
    """Add lines to the log."""
    log.info("{lines}", lines=lines.rstrip("\n"))


def _warn(text: str) -> None:
    """Say something that the operator should read."""
    log.warn("{text}", text=text)
