# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
From a TOML file and ``--set`` words to one frozen `Config`.

``etc/quantum.toml`` shows every option with its default.  An option that does
not exist, or a value of the wrong type, is refused with the nearest right one.
Nothing here opens, listens or connects.
"""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

Seconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class ConfigError(Exception):
    """The configuration cannot be used; the message says what to change."""


class Daemon(Struct, frozen=True, forbid_unknown_fields=True):
    """``[daemon]``: the process itself."""

    state_dir: str = "state"


class Api(Struct, frozen=True, forbid_unknown_fields=True):
    """``[api]``: the REST API."""

    listen: str = "tcp:9696:interface=127.0.0.1"
    insecure: bool = False
    body_limit: Count = 1024 * 1024
    request_deadline: Seconds = 60.0
    max_connections: Count = 1000


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """``[database]``: where what tenants asked is recorded."""

    url: str = ""
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

    connect: list[str] | None = None
    listen: list[str] = field(default_factory=list)


class OpenVSwitch(Struct, frozen=True, forbid_unknown_fields=True):
    """``[openvswitch]``: the Open vSwitch plugin."""

    integration_bridge: Annotated[str, Meta(min_length=1, max_length=15)] = "br-int"
    datapath_type: str = ""
    controller: str = ""
    audit_interval: Seconds = 2.0
    plan_file: str = ""


class Plugin(Struct, frozen=True, forbid_unknown_fields=True):
    """``[plugin]``: which technology realises the networks."""

    name: str = "openvswitch"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration."""

    daemon: Daemon = Daemon()
    api: Api = Api()
    database: Database = Database()
    openflow: OpenFlow = OpenFlow()
    ovsdb: Ovsdb = Ovsdb()
    openvswitch: OpenVSwitch = OpenVSwitch()
    plugin: Plugin = Plugin()


def load(path: str | None = None, settings: Iterable[str] = ()) -> Config:
    """
    Read a file, if any, and let ``section.key=value`` words override it.

    :raise ConfigError: The file cannot be read, or says something impossible.
    """
    document: dict[str, Any] = {}
    if path is not None:
        try:
            document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(f"cannot read {path}: {problem}") from None
        except tomllib.TOMLDecodeError as problem:
            raise ConfigError(f"{path} is not TOML: {problem}") from None
    for word in settings:
        section, key, value = _setting(word)
        if not isinstance(document.setdefault(section, {}), dict):
            raise ConfigError(f"{section} must be a [section], not a value")
        document[section][key] = value
    return _checked(document)


def _setting(word: str) -> tuple[str, str, Any]:
    """Split one ``section.key=value`` word; a bare value is a string."""
    name, equals, text = word.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        raise ConfigError(f"--set {word}: expected section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    return section, key, value


def _checked(document: Mapping[str, Any]) -> Config:
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
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError as problem:
        text, _, where = str(problem).partition(" - at `$.")
        raise ConfigError(f"{where.rstrip('`') or 'configuration'}: {text}") from None


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Say that something does not exist, and what is nearest to it."""
    options = sorted(known)
    near = get_close_matches(name, options, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(options)}"
    return f"no such {what}; {hint}"
