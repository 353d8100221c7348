# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
OVSDB's notation of values (RFC 7047, 5.1), to and from Python's.

A UUID becomes 16 bytes: a hundred thousand of them are kept.
"""

import re
import socket
from collections.abc import Iterable
from typing import Any

from quantum.channel.ovsdb.faults import Misspoken

_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_mac = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}")
_datapath_id = re.compile(r"[0-9a-fA-F]{16}")

FIRST_MULTICAST, IPV6_MULTICAST = 224, 0xFF
LAST_OPENFLOW_PORT = 0xFEFF
"""Open vSwitch numbers its ports up to here; above are reserved ones."""


def elements(value: Any) -> list[Any]:
    """List a set's atoms; one atom stands for a set of itself."""
    if isinstance(value, list) and len(value) == 2:
        kind, content = value
        if kind == "set" and isinstance(content, list):
            return content
        if kind == "uuid":
            return [value]
    if isinstance(value, list | dict) or value is None:
        raise Misspoken("a set is not written as OVSDB writes one")
    return [value]


def texts(value: Any) -> list[str]:
    """List the strings of a set."""
    found = elements(value)
    if not all(isinstance(element, str) for element in found):
        raise Misspoken("a set of strings contains something else")
    return found


def text(value: Any) -> str:
    """Read an optional string; an absent one is empty."""
    found = texts(value)
    return found[0] if found else ""


def number(value: Any) -> int | None:
    """Read an optional integer."""
    found = elements(value)
    if not found:
        return None
    if type(found[0]) is not int or not -(2**63) <= found[0] < 2**63:
        raise Misspoken("an integer is not a 64-bit integer")
    return found[0]


def uuid(written: Any) -> bytes:
    """Read a row's UUID from its text."""
    if not isinstance(written, str) or not _uuid.fullmatch(written):
        raise Misspoken("a UUID is not written as one")
    return bytes.fromhex(written.replace("-", ""))


def uuids(value: Any) -> list[bytes]:
    """List the rows that a set refers to."""
    found = elements(value)
    if not all(isinstance(e, list) and len(e) == 2 and e[0] == "uuid" for e in found):
        raise Misspoken("a set of references contains something else")
    return [uuid(element[1]) for element in found]


def pairs(value: Any) -> Iterable[tuple[str, str]]:
    """List the pairs of a map from strings to strings."""
    match value:
        case ["map", list(found)]:
            for pair in found:
                match pair:
                    case [str(key), str(content)]:
                        yield key, content
                    case _:
                        raise Misspoken("a map contains something else than pairs")
        case _:
            raise Misspoken("a map is not written as OVSDB writes one")


def uuid_text(row: bytes) -> str:
    """Write a row's UUID as text."""
    digits = row.hex()
    parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]
    return "-".join(parts)


def reference(row: bytes) -> list[str]:
    """Write a reference to a row."""
    return ["uuid", uuid_text(row)]


def as_set(atoms: Iterable[Any]) -> list[Any]:
    """Write a set."""
    return ["set", list(atoms)]


def mac(written: str) -> bytes | None:
    """Read a unicast Ethernet address, if it is one."""
    if not _mac.fullmatch(written):
        return None
    address = bytes.fromhex(written.replace(":", ""))
    is_multicast = bool(address[0] & 1)
    return address if any(address) and not is_multicast else None


def ipv4(written: str) -> bytes | None:
    """Read a unicast IPv4 address, if it is one."""
    address = _address(socket.AF_INET, written)
    return address if address and 0 < address[0] < FIRST_MULTICAST else None


def ip(written: str) -> bytes | None:
    """Read a unicast IPv4 or IPv6 address, if it is one."""
    if ":" not in written:
        return ipv4(written)
    address = _address(socket.AF_INET6, written)
    is_unicast = address and any(address) and address[0] != IPV6_MULTICAST
    return address if is_unicast else None


def _address(family: int, written: str) -> bytes | None:
    try:
        return socket.inet_pton(family, written)
    except (OSError, ValueError):
        return None


def datapath_id(written: str) -> int | None:
    """Read a datapath id; there is none while the bridge is being made."""
    return int(written, 16) if _datapath_id.fullmatch(written) else None


def openflow_port(ofport: int | None) -> int:
    """Read an ``ofport``: 0 while there is none, after an error, if reserved."""
    return ofport if ofport and 0 < ofport <= LAST_OPENFLOW_PORT else 0
