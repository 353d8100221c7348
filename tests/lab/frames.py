# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Frames with a mark in them, sent from machines and counted where they arrive.

One thread reads a raw socket in every machine.  A frame is known by its mark (a
probe's number and a sequence number), wherever in the frame that stands, so that
counts are exact whatever else is on the wire.
"""

import select
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from attrs import define, field

from tests.lab.hypervisor import Machine
from tests.lab.namespace import Namespace
from tests.lab.ovs import LabError

BROADCAST = "ff:ff:ff:ff:ff:ff"
MULTICAST = "01:00:5e:00:00:fb"
IPV4 = 0x0800
ARP = 0x0806
EXPERIMENTAL = 0x88B5
"""IEEE 802's own ethertype for experiments: no protocol that a switch may know."""

_MAGIC = b"QuantumProbe"
_MARK = struct.Struct("!12sIQ")
_ETH_P_ALL = 0x0003
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_IGNORE_OUTGOING = 23
_SO_RCVBUFFORCE = 33


def mac_bytes(mac: str) -> bytes:
    """Turn ``02:00:..`` into six bytes."""
    return bytes.fromhex(mac.replace(":", ""))


def frame(
    target: str,
    source: str,
    ethertype: int,
    mark: tuple[int, int],
    *,
    vlan: int = 0,
    packet: bytes = b"",
) -> bytes:
    """Make an Ethernet frame that carries a packet and the mark (probe, sequence)."""
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    head = mac_bytes(target) + mac_bytes(source) + tag + struct.pack("!H", ethertype)
    return (head + packet + _MARK.pack(_MAGIC, *mark)).ljust(60, b"\0")


def arp(source: str, sender: str, target: str) -> bytes:
    """Make the question who has an IPv4 address (RFC 826)."""
    form = struct.pack("!HHBBH", 1, IPV4, 6, 4, 1)
    asker = mac_bytes(source) + socket.inet_aton(sender)
    return form + asker + bytes(6) + socket.inet_aton(target)


def segment(target: str, port: int) -> bytes:
    """Make an IPv4 packet of a TCP connection to a port; the mark is its content."""
    content = 20 + _MARK.size
    addresses = bytes(4) + socket.inet_aton(target)
    packet = struct.pack("!BxH4xBBxx", 0x45, 20 + content, 64, 6) + addresses
    return packet + struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 0x50, 2, 1000, 0, 0)


def marked(what: bytes) -> tuple[int, int] | None:
    """Find the mark (probe, sequence) in a frame, wherever it stands."""
    start = what.find(_MAGIC)
    if start < 0 or len(what) < start + _MARK.size:
        return None
    _, probe, sequence = _MARK.unpack_from(what, start)
    return probe, sequence


@define
class Sniffer:
    """
    A raw socket in each machine: sends given frames, counts what arrives.

    What a machine sends itself is not counted; what comes back to it is.
    """

    _cards: dict[str, socket.socket] = field(factory=dict)
    _seen: defaultdict[tuple[str, int], Counter[int]] = field(
        factory=lambda: defaultdict(Counter)
    )
    _last: float = field(factory=time.monotonic)
    _lock: threading.Lock = field(factory=threading.Lock)
    _poll: select.epoll = field(factory=select.epoll)
    _thread: threading.Thread | None = None
    _is_stopping: bool = False

    def start(self, machines: Iterable[Machine]) -> None:
        """Listen on ``eth0`` of each machine from now on."""
        for machine in machines:
            card = raw_card(machine.namespace, "eth0")
            self._cards[machine.name] = card
            self._poll.register(card, select.EPOLLIN)
        names = {card.fileno(): name for name, card in self._cards.items()}
        self._thread = threading.Thread(target=self._read, args=(names,), daemon=True)
        self._thread.start()

    def send(self, machine: Machine, what: bytes) -> None:
        """Send one frame from a machine."""
        self._cards[machine.name].send(what)

    def count(self, machine: Machine, probe: int) -> Counter[int]:
        """Say how often each sequence number of a probe arrived at a machine."""
        with self._lock:
            return Counter(self._seen[machine.name, probe])

    def arrived(self, machine: Machine, probe: int) -> int:
        """Say how many sequence numbers of a probe have arrived at a machine."""
        with self._lock:
            return len(self._seen[machine.name, probe])

    def await_quiet(
        self, is_complete: Callable[[], bool], deadline: float, silence: float = 0.3
    ) -> None:
        """
        Wait until all that must come has come and nothing more comes.

        :param deadline: Seconds after which what is missing counts as lost.
        """
        end = time.monotonic() + deadline
        while time.monotonic() < end and not is_complete():
            time.sleep(0.01)
        start = time.monotonic()
        while time.monotonic() < end + 2 * silence:
            with self._lock:
                quiet_since = max(start, self._last)
            if time.monotonic() - quiet_since >= silence:
                return
            time.sleep(0.02)

    def stop(self) -> None:
        """
        Close the sockets.

        :raise LabError: The kernel dropped frames before they could be counted,
            so that no count was exact.
        """
        self._is_stopping = True
        if self._thread is not None:
            self._thread.join()
        self._poll.close()
        dropped = sum(_dropped(card) for card in self._cards.values())
        for card in self._cards.values():
            card.close()
        self._cards.clear()
        if dropped:
            raise LabError(f"{dropped} frames were dropped before they were counted")

    def _read(self, names: dict[int, str]) -> None:
        while not self._is_stopping:
            for fileno, _ in self._poll.poll(0.1):
                self._drain(names[fileno])

    def _drain(self, name: str) -> None:
        card = self._cards[name]
        while True:
            try:
                what = card.recv(2048)
            except BlockingIOError:
                return
            except OSError:
                # The link went down and up again; what follows is still read.
                continue
            if mark := marked(what):
                probe, sequence = mark
                with self._lock:
                    self._seen[name, probe][sequence] += 1
                    self._last = time.monotonic()


def raw_card(namespace: Namespace, link: str) -> socket.socket:
    """Open a raw socket at a link that hears what comes in there, not what goes out."""
    with namespace.inside():
        card = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)
        )
    card.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 8 << 20)
    card.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    card.bind((link, 0))
    card.setblocking(False)
    return card


def _dropped(card: socket.socket) -> int:
    statistics = card.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
    return struct.unpack("II", statistics)[1]
