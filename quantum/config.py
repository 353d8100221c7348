# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
From a TOML file and ``--set`` words to one frozen `Config`.

``etc/quantum.toml`` shows every option with its default.  An option that does
not exist, or a value that cannot be used, is refused with what would be right.
Nothing here opens, listens or connects.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field
from twisted.internet.endpoints import quoteStringArgument

from quantum import endpoint, underlay
from quantum.endpoint import EndpointError
from quantum.ranges import SEGMENTS, VLANS, Ranges
from quantum.underlay import UnderlayError

Value = TypeVar("Value")

LOCAL = "local"
LOCAL_OPEN_VSWITCH = Path("/var/run/openvswitch/db.sock")
YEAR = 366 * 86400.0

Seconds = Annotated[float, Meta(gt=0, le=YEAR)]
Count = Annotated[int, Meta(ge=1, le=2**62)]
Mtu = Annotated[int, Meta(ge=1330, le=65535)]
"""So that IPv6, which needs 1280 (RFC 8200), fits into a tunnel over IPv4."""


class ConfigError(Exception):
    """The configuration cannot be used; the message says what to change."""


class Daemon(Struct, frozen=True, forbid_unknown_fields=True):
    """``[daemon]``: the process itself."""

    state_dir: Annotated[str, Meta(min_length=1)] = "state"


class Api(Struct, frozen=True, forbid_unknown_fields=True):
    """``[api]``: the REST API."""

    listen: str = "tcp:9696:interface=127.0.0.1"
    operator_listen: str = ""
    insecure: bool = False
    body_limit: Count = 1024 * 1024
    request_deadline: Seconds = 60.0
    max_connections: Count = 1000


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """``[database]``: where what tenants asked is recorded."""

    url: Annotated[str, Meta(pattern=r"^$|^[a-z][a-z0-9+]*://")] = ""
    queue_limit: Count = 1000


class OpenFlow(Struct, frozen=True, forbid_unknown_fields=True):
    """``[openflow]``: where switches connect."""

    listen: str = "tcp:6653:interface=127.0.0.1"
    handshake_deadline: Seconds = 30.0
    echo_interval: Seconds = 5.0
    buffer_limit: Count = 8 * 1024 * 1024
    max_connections: Count = 5000


class Ovsdb(Struct, frozen=True, forbid_unknown_fields=True):
    """``[ovsdb]``: where hypervisors tell which interface is where."""

    connect: list[str] = field(default_factory=lambda: [LOCAL])
    listen: list[str] = field(default_factory=list)


class PhysicalNetwork(Struct, frozen=True, forbid_unknown_fields=True):
    """``[openvswitch.physical_networks.NAME]``: an Ethernet that is not ours."""

    target: Annotated[str, Meta(max_length=64)] = ""
    """A bridge or interface on every hypervisor that does not say otherwise."""
    vlans: list[str] = field(default_factory=list)
    """The pool, as ``"100-199"`` or ``"7"``; empty: an operator names each VLAN."""
    mtu: Mtu = 1500

    @property
    def pool(self) -> Ranges:
        """The VLANs to choose from."""
        return Ranges.parse(self.vlans, VLANS)


class OpenVSwitch(Struct, frozen=True, forbid_unknown_fields=True):
    """``[openvswitch]``: the Open vSwitch plugin."""

    integration_bridge: Annotated[str, Meta(min_length=1, max_length=15)] = "br-int"
    datapath_type: str = ""
    controller: str = ""
    audit_interval: Annotated[float, Meta(gt=0, le=60)] = 2.0
    """Also how late a deadline of a switch may be noticed."""
    absence_grace: Annotated[float, Meta(ge=0, le=3600)] = 30.0
    plan_file: str = ""
    tunnel_type: Literal["vxlan", "geneve"] = "vxlan"
    tunnel_addresses: dict[str, str] = field(default_factory=dict)
    """By system-id: where a hypervisor's own database does not say."""
    underlay_mtu: Mtu = 1500
    segments: str = "1-16777214"
    """The pool of virtual network identifiers."""
    physical_networks: dict[str, PhysicalNetwork] = field(default_factory=dict)

    @property
    def segment_pool(self) -> Ranges:
        """The virtual network identifiers to choose from."""
        return Ranges.parse([self.segments], SEGMENTS)


class Plugin(Struct, frozen=True, forbid_unknown_fields=True):
    """``[plugin]``: which technology realises the networks."""

    name: Annotated[str, Meta(min_length=1)] = "openvswitch"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration, and what follows from it."""

    daemon: Daemon = Daemon()
    api: Api = Api()
    database: Database = Database()
    openflow: OpenFlow = OpenFlow()
    ovsdb: Ovsdb = Ovsdb()
    openvswitch: OpenVSwitch = OpenVSwitch()
    plugin: Plugin = Plugin()

    @property
    def state_dir(self) -> Path:
        """The state directory as an absolute path."""
        return Path(self.daemon.state_dir).expanduser().absolute()

    @property
    def operator_socket(self) -> str:
        """Where operators connect, as a path."""
        text = self.api.operator_listen
        named = endpoint.address(text).port if text else ""
        return named or str(self.state_dir / "operator.sock")

    @property
    def operator_listen(self) -> str:
        """Where operators connect, as an endpoint string."""
        derived = f"unix:{quoteStringArgument(self.operator_socket)}"
        return endpoint.private(self.api.operator_listen or derived)

    @property
    def ovsdb_endpoints(self) -> list[str]:
        """The databases to dial; ``local`` is there only while its socket is."""
        local = [f"unix:{LOCAL_OPEN_VSWITCH}"] if LOCAL_OPEN_VSWITCH.exists() else []
        named = [text for text in self.ovsdb.connect if text != LOCAL]
        return (local if LOCAL in self.ovsdb.connect else []) + named

    @property
    def controller(self) -> str:
        """The OpenFlow target that switches are given; empty if none follows."""
        derived = endpoint.address(self.openflow.listen).target
        return self.openvswitch.controller or derived or ""


def load(path: str | None = None, settings: Iterable[str] = ()) -> Config:
    """
    Read a file, if any, and let ``section.key=value`` words override it.

    :raise ConfigError: The file cannot be read, or says something impossible.
    """
    document = {} if path is None else _read(path)
    for word in settings:
        section, key, value = _setting(word)
        if not isinstance(document.setdefault(section, {}), dict):
            raise ConfigError(f"{section} must be a [section], not a value")
        document[section][key] = value
    return _usable(_converted(document))


def _read(path: str) -> dict[str, Any]:
    """Parse a file."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"cannot read {path}: {problem}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ConfigError(f"{path} is not TOML: {problem}") from None


def _setting(word: str) -> tuple[str, str, Any]:
    """Split one ``section.key=value`` word; a bare value is a string."""
    name, equals, text = word.partition("=")
    section, dot, key = (part.strip() for part in name.partition("."))
    if not (equals and dot and section and key):
        raise ConfigError(f"--set {word}: expected section.key=value")
    try:
        document = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        if text.lstrip()[:1] in {'"', "'", "[", "{"}:
            raise ConfigError(f"--set {word}: not TOML: {problem}") from None
        return section, key, text
    plain = document.keys() == {"value"} and isinstance(
        document["value"], str | int | float | list | dict
    )
    return section, key, document["value"] if plain else text


def _converted(document: Mapping[str, Any]) -> Config:
    """Turn a parsed document into a `Config`, or say what is wrong with it."""
    sections = {part.name: part.type for part in msgspec.structs.fields(Config)}
    for name, content in document.items():
        if name not in sections:
            raise ConfigError(_unknown(f"section [{name}]", name, sections))
        if not isinstance(content, dict):
            raise ConfigError(f"{name} must be a [section], not a value")
        keys = [part.name for part in msgspec.structs.fields(sections[name])]
        for key in content:
            if key not in keys:
                raise ConfigError(_unknown(f"option {name}.{key}", key, keys))
    _check_tables(document.get("openvswitch", {}))
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError as problem:
        raise ConfigError(_misfit(str(problem), document)) from None


def _check_tables(section: Mapping[str, Any]) -> None:
    """Look into tables whose names operators choose; errors in them name the place."""
    for name, address in _entries(section, "tunnel_addresses"):
        if not isinstance(address, str):
            raise ConfigError(f"openvswitch.tunnel_addresses.{name} must be a string")
    for name, content in _entries(section, "physical_networks"):
        where = f"openvswitch.physical_networks.{name}"
        if not isinstance(content, dict):
            raise ConfigError(f"{where} must be a [{where}], not a value")
        _check_physical_network(where, content)


def _entries(section: Mapping[str, Any], table: str) -> Iterable[tuple[str, Any]]:
    """List what a table has, if it is one."""
    entries = section.get(table)
    return entries.items() if isinstance(entries, dict) else ()


def _check_physical_network(where: str, content: Mapping[str, Any]) -> None:
    """Look at the options of one physical network."""
    defaults = msgspec.to_builtins(PhysicalNetwork())
    for key, value in content.items():
        if key not in defaults:
            raise ConfigError(_unknown(f"option {where}.{key}", key, defaults))
        try:
            msgspec.convert({key: value}, PhysicalNetwork)
        except msgspec.ValidationError as problem:
            expected = str(problem).partition(" - at ")[0].replace("`", "")
            raise ConfigError(
                f"{where}.{key} cannot be {value!r}: {expected}"
                f" (the default is {defaults[key]!r})"
            ) from None


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that something does not exist, what is nearest to it, and what there is."""
    options = sorted(known)
    near = get_close_matches(name, options, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"no such {what}; {hint}There are: {', '.join(options)}."


def _misfit(problem: str, document: Mapping[str, Any]) -> str:
    """Say which option has the wrong value, what would be right, and the default."""
    expected, _, where = problem.partition(" - at `$.")
    option = where.rstrip("`").partition("[")[0]
    section, _, key = option.partition(".")
    default = msgspec.to_builtins(Config())[section][key]
    return (
        f"{option} cannot be {document[section][key]!r}: {expected.replace('`', '')}"
        f" (the default is {default!r})"
    )


def _usable(config: Config) -> Config:
    """Look at what only makes sense together, or only to Twisted."""
    _check("api.listen", endpoint.check_server, [config.api.listen])
    if config.api.operator_listen:
        operators = [config.api.operator_listen]
        _check("api.operator_listen", endpoint.check_private, operators)
    _check("openflow.listen", endpoint.check_server, [config.openflow.listen])
    _check("ovsdb.listen", endpoint.check_server, config.ovsdb.listen)
    dialled = [text for text in config.ovsdb.connect if text != LOCAL]
    _check("ovsdb.connect", endpoint.check_client, dialled)
    if config.openvswitch.controller:
        targets = [config.openvswitch.controller]
        _check("openvswitch.controller", endpoint.check_target, targets)
    _check_underlay(config.openvswitch)
    if not (config.api.insecure or endpoint.address(config.api.listen).is_loopback):
        raise ConfigError(
            f"api.listen = {config.api.listen!r} is open to other machines, and the "
            "API asks nobody who they are; add :interface=127.0.0.1, or set "
            "api.insecure = true if something else keeps strangers out"
        )
    if config.plugin.name == "openvswitch" and not config.openvswitch.controller:
        _check_derived_controller(config, dialled)
    return config


def _check(
    option: str, check: Callable[[Value], None], values: Iterable[Value]
) -> None:
    """Have every value of an option looked at, and name the option if one is bad."""
    for value in values:
        try:
            check(value)
        except (EndpointError, UnderlayError) as problem:
            raise ConfigError(f"{option}: {problem}") from None


def _check_derived_controller(config: Config, dialled: Iterable[str]) -> None:
    """Refuse to tell a switch to connect where it never could."""
    listened = config.ovsdb.listen
    remote = [text for text in dialled if not endpoint.dials_this_machine(text)]
    remote += [text for text in listened if not endpoint.address(text).is_loopback]
    if config.controller and not remote:
        return
    why = f"ovsdb has other machines ({remote[0]})" if remote else "it does not follow"
    raise ConfigError(
        f"openvswitch.controller must say where switches reach openflow.listen = "
        f"{config.openflow.listen!r}, such as tcp:192.0.2.1:6653: {why}"
    )


def _check_underlay(section: OpenVSwitch) -> None:
    """Look at what hypervisors reach each other and the world by."""
    _check("openvswitch.segments", underlay.check_segments, [section.segments])
    table = "openvswitch.tunnel_addresses"
    for name, address in section.tunnel_addresses.items():
        _check(f"{table}.{name}", underlay.check_tunnel_address, [address])
    _check(table, underlay.check_repeated, [section.tunnel_addresses])
    table = "openvswitch.physical_networks"
    bridge = section.integration_bridge
    for name, network in section.physical_networks.items():
        where = f"{table}.{name}"
        _check(where, underlay.check_name, [name])
        _check(f"{where}.vlans", underlay.check_vlans, [network.vlans])
        check_target = partial(underlay.check_target, integration_bridge=bridge)
        _check(f"{where}.target", check_target, [network.target])
    targets = {name: net.target for name, net in section.physical_networks.items()}
    _check(table, underlay.check_repeated, [targets])
