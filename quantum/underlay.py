# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What an operator may write of tunnels and physical networks.

Nothing here looks whether what is named exists.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from quantum.ranges import SEGMENTS, VLANS, RangeError, Ranges

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
TARGET = re.compile(r"[^\s:,/]+")


class UnderlayError(Exception):
    """What is written cannot be; the message says why and what could."""


def check_segments(text: str) -> None:
    """
    Look at the pool of segments, which is one range.

    :raise UnderlayError: It is none, or beyond what tunnels can tell apart.
    """
    _check_ranges([text], SEGMENTS)


def check_vlans(texts: Iterable[str]) -> None:
    """
    Look at the pool of VLANs, which may be several ranges.

    :raise UnderlayError: One is no range, or beyond what a tag can say, or two
        of them overlap.
    """
    _check_ranges(texts, VLANS)


def check_name(name: str) -> None:
    """
    Look at a physical network's name.

    :raise UnderlayError: It would not be understood in a hypervisor's database.
    """
    if NAME.fullmatch(name) is None:
        raise UnderlayError(
            "a physical network's name has 1 to 64 letters, digits, dots, "
            "underscores and hyphens"
        )


def check_target(target: str, integration_bridge: str) -> None:
    """
    Look at what leads to a physical network; nothing is fine too.

    :raise UnderlayError: It can be neither a bridge nor an interface.
    """
    if target == integration_bridge:
        raise UnderlayError(
            f"it cannot be {target!r}: that is openvswitch.integration_bridge, "
            "which must not be anything else too"
        )
    if target and TARGET.fullmatch(target) is None:
        raise UnderlayError(
            f"it cannot be {target!r}: it is the name of a bridge or interface, "
            "without spaces, colons, commas and slashes"
        )


def check_tunnel_address(text: str) -> None:
    """
    Look at the address that a hypervisor's tunnels shall end at.

    :raise UnderlayError: No tunnel could end there.
    """
    try:
        address = ip_address(text)
    except ValueError:
        raise UnderlayError(f"{text!r} is no IPv4 address") from None
    if address.version != 4:
        raise UnderlayError(
            f"{text!r} is IPv6, and tunnels run over IPv4 underlays only"
        )
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        raise UnderlayError(f"{text!r} is the address of no one machine")


def check_repeated(values: Mapping[str, str]) -> None:
    """
    Look for one value under two names; an empty one may be everywhere.

    :raise UnderlayError: There is one.
    """
    for value, count in Counter(values.values()).items():
        if value and count > 1:
            names = [name for name, other in values.items() if other == value]
            raise UnderlayError(f"{' and '.join(names)} cannot both have {value!r}")


def _check_ranges(texts: Iterable[str], bounds: tuple[int, int]) -> None:
    """Have ranges read, and say what is allowed if they cannot be."""
    try:
        Ranges.parse(texts, bounds)
    except RangeError as problem:
        first, last = bounds
        allowed = f"(allowed: ranges within {first}-{last})"
        raise UnderlayError(f"{problem} {allowed}") from None
