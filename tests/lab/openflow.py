# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Raw OpenFlow 1.3 with a bridge, over its management socket."""

import socket
from struct import pack, unpack_from

BARRIER = 20
BARRIER_REPLY = 21
HELLO = 0


def converse(path: str, *frames: bytes) -> list[bytes]:
    """Send messages and then a barrier; give every message that came back."""
    replies: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(60)
        wire.connect(path)
        wire.sendall(pack("!BBHI", 4, HELLO, 8, 0))
        wire.sendall(b"".join(frames) + pack("!BBHI", 4, BARRIER, 8, 0xFFFF))
        text = bytearray()
        while not (replies and replies[-1][1] == BARRIER_REPLY):
            chunk = wire.recv(1 << 20)
            if not chunk:
                raise ConnectionError(f"{path} hung up")
            text += chunk
            while len(text) >= 8 and len(text) >= (
                length := unpack_from("!H", text, 2)[0]
            ):
                replies.append(bytes(text[:length]))
                del text[:length]
    return replies


def _length(text: bytearray) -> int:
    """Read the length of the message at the start."""
    (length,) = unpack_from("!H", text, 2)
    return int(length)
