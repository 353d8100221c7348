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
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import txaio
from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

import quantum
from quantum import makers, plugins
from quantum.api.accesslog import AccessLog
from quantum.api.compiled import CompiledKlein
from quantum.api.limits import Limits
from quantum.api.routes import Api
from quantum.api.site import ApiSite
from quantum.config import LOCAL_OPEN_VSWITCH, Config, ConfigError, load
from quantum.daemon import Daemon, ExitStatus, allow_files
from quantum.endpoint import server
from quantum.errors import QuantumError
from quantum.interfaces import Surroundings

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
    endpoint = server(reactor, config.api.listen)
    access_log = AccessLog(reactor, _note_access)
    resource = CompiledKlein(Api(plugin).app)
    site = ApiSite(resource, Limits.of(config.api), reactor, access_log=access_log)
    return Daemon(reactor, plugin, endpoint, site, give_up)


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
