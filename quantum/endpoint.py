# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What Twisted's endpoint strings mean: is it valid, who can reach it, who is it.

``tcp:9696:interface=127.0.0.1`` listens for this machine only; ``tcp:9696``
for everybody.  Nothing here opens or connects.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from attrs import frozen
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.interfaces import IStreamServerEndpoint

BACKLOG = "backlog=1024"
UNESCAPED_COLON = re.compile(r"(?<!\\)((?:\\\\)*):")
KEYWORD = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
SWITCH_TARGET = re.compile(r"unix:/.+|(?:tcp|ssl):(?:\[(.+)\]|([^\[\]:]+)):(\d+)")
ANY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104  # recognised here, not listened on


class EndpointError(Exception):
    """An endpoint string that cannot be used; the message says why."""


@frozen
class Address:
    """The parts of a server endpoint string that say where it listens."""

    kind: str
    port: str
    interface: str

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can connect; when in doubt, no."""
        if self.kind == "unix":
            return True
        return self.kind in {"tcp", "tcp6", "ssl"} and _is_loopback(self.interface)

    @property
    def target(self) -> str | None:
        """The way for a switch of this machine to connect there, if there is one."""
        if self.kind == "unix":
            return f"unix:{self.port}"
        if self.kind not in {"tcp", "tcp6", "ssl"} or self.port == "0":
            return None
        local = "::1" if self.kind == "tcp6" else "127.0.0.1"
        host = local if self.interface in ANY_ADDRESS else self.interface
        bracketed = f"[{host}]" if ":" in host else host
        return f"{'ssl' if self.kind == 'ssl' else 'tcp'}:{bracketed}:{self.port}"


def address(text: str) -> Address:
    """Read a server endpoint string that `check_server` has found valid."""
    kind, plain, named = _parts(text)
    port = named.get("address") or named.get("port") or (plain[:1] or [""])[0]
    # The second plain word of "tcp:9696:127.0.0.1" is the interface too.
    interface = named.get("interface") or (plain[1:2] or [""])[0]
    return Address(kind, port, interface)


def server(reactor: Any, text: str) -> IStreamServerEndpoint:
    """
    Make the endpoint of a string that `check_server` has found valid.

    Unless it says otherwise many may knock at once: of Twisted's fifty, the others
    would wait for a second and knock again.
    """
    kind, _, named = _parts(text)
    is_bounded = kind not in {"tcp", "tcp6", "ssl", "unix"} or "backlog" in named
    endpoint: IStreamServerEndpoint = serverFromString(
        reactor, text if is_bounded else f"{text}:{BACKLOG}"
    )
    return endpoint


def private(text: str) -> str:
    """Complete a UNIX socket's string so that only its owner can connect."""
    _, plain, named = _parts(text)
    mode = "" if "mode" in named or len(plain) > 1 else ":mode=600"
    # `quantum.socketfile` does what Twisted's lock file is for.
    lock = "" if "lockfile" in named or len(plain) > 3 else ":lockfile=0"
    return f"{text}{mode}{lock}"


def check_private(text: str) -> None:
    """
    Look at a socket to which a connection is all the proof of who one is.

    :raise EndpointError: Strangers could connect.
    """
    check_server(text)
    kind, plain, named = _parts(text)
    if kind != "unix":
        raise EndpointError(
            f"{text!r} is no UNIX socket, and only of those the owner and the mode "
            "say who may connect; an example is unix:/run/quantum/operator.sock"
        )
    mode = int(named.get("mode") or (plain[1:2] or ["600"])[0], 8)
    if mode & 0o007:
        raise EndpointError(
            f"{text!r} lets every user of this machine connect: write mode=600, or "
            "mode=660 to let a group in"
        )


def dials_this_machine(text: str) -> bool:
    """Say whether a client endpoint string certainly stays on this machine."""
    kind, plain, named = _parts(text)
    host = named.get("host") or (plain[:1] or [""])[0]
    return kind == "unix" or (kind in {"tcp", "ssl", "tls"} and _is_loopback(host))


def check_server(text: str) -> None:
    """
    Have Twisted read a string that is to be listened on.

    :raise EndpointError: It cannot.
    """
    _check(serverFromString, text, "tcp:9696:interface=127.0.0.1")


def check_client(text: str) -> None:
    """
    Have Twisted read a string that is to be connected to.

    :raise EndpointError: It cannot.
    """
    _check(clientFromString, text, "unix:/run/openvswitch/db.sock")


def check_target(text: str) -> None:
    """
    Look at a target as Open vSwitch writes them, such as ``tcp:192.0.2.1:6653``.

    :raise EndpointError: Open vSwitch would not connect to it.
    """
    if not _is_target(text):
        raise EndpointError(
            f"{text!r} is no address for a switch to connect to; "
            "write tcp:IP:PORT, ssl:IP:PORT, tcp:[IPv6]:PORT or unix:/PATH"
        )


def _check(parse: Callable[[Any, str], object], text: str, example: str) -> None:
    """Parse with Twisted; construct only, so no reactor is needed."""
    try:
        parse(None, text)
    except Exception as problem:  # noqa: BLE001  # plugins parse: they raise anything
        raise EndpointError(
            f"{text!r} is no endpoint ({problem}); an example is {example}"
        ) from None
    port = address(text).port
    if port.isascii() and port.isdigit() and int(port) > 65535:
        raise EndpointError(f"{text!r}: there is no port {port}; the last is 65535")


def _is_target(text: str) -> bool:
    """Say whether Open vSwitch can connect to a target."""
    found = SWITCH_TARGET.fullmatch(text)
    if found is None or found[3] is None:
        return found is not None
    try:
        ip_address(found[1] or found[2])
    except ValueError:
        return False
    return 1 <= int(found[3]) <= 65535


def _is_loopback(interface: str) -> bool:
    """Say whether an interface's address is this machine's own."""
    try:
        return ip_address(interface).is_loopback
    except ValueError:
        return interface == "localhost"


def _parts(text: str) -> tuple[str, list[str], dict[str, str]]:
    """Take a string apart into its kind, its plain and its ``name=value`` words."""
    # Colons and equals signs can be escaped by a backslash.
    kind, *words = UNESCAPED_COLON.sub("\\1\0", text).split("\0")
    named = {}
    plain = []
    for word in words:
        if found := KEYWORD.fullmatch(word):
            named[found[1]] = _unescaped(found[2])
        else:
            plain.append(_unescaped(word))
    return _unescaped(kind), plain, named


def _unescaped(word: str) -> str:
    """Take the escaping backslashes away."""
    return re.sub(r"\\(.)", r"\1", word)
