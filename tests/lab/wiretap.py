# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What hypervisors send each other over the underlay, tunnelled frame by frame.

A raw socket at the underlay's end of every cable sees what that hypervisor
sends; the marks in the frames tell which probe each copy belongs to.
"""

import socket
import struct
import time
from collections.abc import Iterator

from attrs import define, field, frozen

from tests.lab.frames import marked, raw_card
from tests.lab.hypervisor import Hypervisor
from tests.lab.underlay import Underlay, cable

KINDS = {4789: "vxlan", 6081: "geneve"}
"""By UDP port (RFC 7348, RFC 8926); the identifier stands at the same place."""
_UDP = 17
_SILENCE = 0.3
PATIENCE = 15.0
"""Seconds after which a frame that has not been seen counts as lost."""


@frozen
class Copy:
    """One marked frame in a tunnel."""

    source: str
    target: str
    """Tunnel addresses."""
    kind: str
    identifier: int
    """The virtual network identifier."""
    probe: int
    sequence: int
    size: int
    """Bytes of the outer IP packet."""


@define
class Wiretap:
    """Ears at every cable; `start` opens them, `stop` closes them."""

    _underlay: Underlay
    _hypervisors: list[Hypervisor]
    _cards: list[socket.socket] = field(factory=list)

    def start(self) -> None:
        """Listen from now on."""
        for hypervisor in self._hypervisors:
            name = cable(self._underlay.number(hypervisor))
            self._cards.append(raw_card(self._underlay.namespace, name))

    def copies(self, probe: int, expected: int = 0) -> list[Copy]:
        """
        Take what was tunnelled of a probe since, when nothing more comes.

        :param expected: How many copies are waited for before that.
        """
        found: list[Copy] = []
        start = quiet_since = time.monotonic()
        while (now := time.monotonic()) - quiet_since < _SILENCE or (
            len(found) < expected and now - start < PATIENCE
        ):
            taken = [copy for card in self._cards for copy in _read(card)]
            if mine := [copy for copy in taken if copy.probe == probe]:
                found += mine
                quiet_since = now
            time.sleep(0.02)
        return found

    def stop(self) -> None:
        """Close the sockets."""
        for card in self._cards:
            card.close()
        self._cards.clear()


def _read(card: socket.socket) -> Iterator[Copy]:
    while True:
        try:
            what = card.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            # The cable was cut and healed; what follows is still read.
            continue
        if copy := _copy(what):
            yield copy


def _copy(what: bytes) -> Copy | None:
    """Read an Ethernet frame with IPv4, UDP, a tunnel's header and a marked frame."""
    if len(what) < 50 or what[12:14] != b"\x08\x00" or what[23] != _UDP:
        return None
    udp = 14 + (what[14] & 15) * 4
    kind = KINDS.get(struct.unpack_from("!H", what, udp + 2)[0])
    mark = marked(what)
    if kind is None or mark is None:
        return None
    source, target = (socket.inet_ntoa(what[at : at + 4]) for at in (26, 30))
    identifier = int.from_bytes(what[udp + 12 : udp + 15])
    (size,) = struct.unpack_from("!H", what, 16)
    return Copy(source, target, kind, identifier, *mark, size)
