# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""One valid frame of everything a switch may send, and frames known to be bad."""

import struct

from quantum.channel.layouts import ONF

MAC = bytes.fromhex("020000000001")


def frame(kind: int, body: bytes = b"", xid: int = 0, version: int = 4) -> bytes:
    """Put a header before a body."""
    return struct.pack("!BBHI", version, kind, 8 + len(body), xid) + body


def part(kind: int, body: bytes, xid: int = 9, flags: int = 0) -> bytes:
    """Make a multipart reply."""
    return frame(19, struct.pack("!HH4x", kind, flags) + body, xid)


def padded(data: bytes) -> bytes:
    """Fill up to a multiple of eight bytes."""
    return data + bytes(-len(data) % 8)


def match(*fields: bytes) -> bytes:
    """Make a match of match fields."""
    content = b"".join(fields)
    return padded(struct.pack("!HH", 1, 4 + len(content)) + content)


def tlv(kind: int, body: bytes) -> bytes:
    """Make an action, an instruction, a property: type, length, the rest."""
    return struct.pack("!HH", kind, 4 + len(body)) + body


def nicira(subtype: int, body: bytes) -> bytes:
    """Make one of Nicira's actions."""
    return tlv(0xFFFF, struct.pack("!IH", 0x2320, subtype) + body)


IN_PORT = struct.pack("!HBBI", 0x8000, 0, 4, 1)
ETH_DST = struct.pack("!HBB", 0x8000, 3 << 1, 6) + MAC
METADATA = struct.pack("!HBBQQ", 0x8000, 2 << 1 | 1, 16, 7, 0xFFFF)
OUTPUT = tlv(0, struct.pack("!IH6x", 3, 128))
SET_FIELD = tlv(25, padded(ETH_DST + bytes(4))[:12])
CONTROLLER = nicira(37, bytes(6) + padded(tlv(0, b"\0\x80")) + padded(tlv(3, b"hello")))
CT = nicira(35, struct.pack("!HIHB3xH", 1, 0, 5, 255, 0) + OUTPUT)
LEARN = nicira(16, struct.pack("!HHHQHBxHH", 10, 0, 1, 0, 0, 40, 0, 0) + bytes(16))
ACTIONS = OUTPUT + SET_FIELD + tlv(22, bytes(4)) + CONTROLLER + CT + LEARN
INSTRUCTIONS = (
    tlv(4, bytes(4) + ACTIONS)
    + tlv(2, struct.pack("!4xQQ", 7, 0xFF))
    + tlv(1, b"\x0a\0\0\0")
)


def flow(instructions: bytes = INSTRUCTIONS, cookie: int = 5) -> bytes:
    """Make one entry of a flow dump."""
    body = match(METADATA, ETH_DST) + instructions
    head = (48 + len(body), 20, 1, 0, 100, 0, 0, 0, cookie, 3, 180)
    return struct.pack("!HBxIIHHHH4xQQQ", *head) + body


def bucket(actions: bytes = OUTPUT) -> bytes:
    """Make a group's bucket."""
    return struct.pack("!HHII4x", 16 + len(actions), 0, 0, 0) + actions


def group(buckets: bytes) -> bytes:
    """Describe a group."""
    return struct.pack("!HBxI", 8 + len(buckets), 0, 6) + buckets


def table(properties: bytes) -> bytes:
    """Describe a table."""
    size = 64 + len(properties)
    return struct.pack("!HB5x32sQQII", size, 1, b"acl", 0, 0, 0, 9) + properties


def queue(properties: bytes) -> bytes:
    """Describe a queue."""
    return struct.pack("!IIH6x", 1, 2, 16 + len(properties)) + properties


PORT = struct.pack("!I4x6s2x16s8I", 1, MAC, b"tap0", *range(8))
BAND = struct.pack("!HHII4x", 1, 16, 100, 10)
PROPERTIES = (
    padded(tlv(0, tlv(1, b"") + tlv(4, b"")))
    + padded(tlv(2, bytes(range(5))))
    + padded(tlv(4, tlv(0, b"") + tlv(0xFFFF, bytes(4))))
    + padded(tlv(8, IN_PORT[:4] + b"\xff\xff\0\4" + b"ONF\0"))
    + padded(tlv(0xFFFE, bytes(12)))
)
FEATURES = struct.pack("!QIBB2xII", 0x1234, 256, 254, 0, 0x4F, 0)
HELLO = frame(0, tlv(1, struct.pack("!I", 1 << 4)), 1)
READY = HELLO + frame(6, FEATURES, 2) + part(13, PORT, 3)
"""All that a switch says in its handshake."""

VALID = {
    "hello": HELLO,
    "hello of 1.5": frame(0, tlv(1, struct.pack("!I", 0x7E)), version=6),
    "features": frame(6, FEATURES, 2),
    "error": frame(1, struct.pack("!HH", 3, 2) + bytes(64), 5),
    "experimenter error": frame(1, struct.pack("!HHI", 0xFFFF, 2302, ONF), 5),
    "echo request": frame(2, b"ping", 5),
    "echo reply": frame(3, b"", 5),
    "bundle": frame(4, struct.pack("!IIIHH", ONF, 2300, 1, 5, 3), 5),
    "bundle properties": frame(
        4, struct.pack("!IIIHH", ONF, 2300, 1, 5, 3) + tlv(9, bytes(4)), 5
    ),
    "unknown experimenter": frame(4, struct.pack("!II", 0xABCD, 1) + bytes(5), 5),
    "packet-in 2": frame(
        4, struct.pack("!II", 0x2320, 30) + padded(tlv(0, MAC * 3)) + tlv(3, bytes(4))
    ),
    "config": frame(8, struct.pack("!HH", 0, 128), 5),
    "packet-in": frame(
        10, struct.pack("!IHBBQ", 1, 60, 0, 0, 7) + match(IN_PORT) + bytes(62)
    ),
    "flow removed": frame(
        11, struct.pack("!QHBBIIHHQQ", 5, 1, 0, 0, 1, 1, 0, 0, 1, 1) + match(IN_PORT)
    ),
    "port status": frame(12, bytes(8) + PORT),
    "barrier": frame(21, b"", 5),
    "queues": frame(
        23,
        struct.pack("!I4x", 1)
        + queue(tlv(1, bytes(12)) + tlv(0xFFFF, bytes(20)))
        + queue(b""),
        5,
    ),
    "role": frame(25, struct.pack("!I4xQ", 1, 9), 5),
    "async": frame(27, bytes(24), 5),
    "description": part(0, bytes(1056)),
    "flows": part(1, flow() + flow(b"")),
    "no flows": part(1, b""),
    "aggregate": part(2, bytes(24)),
    "tables": part(3, bytes(24 * 3)),
    "ports": part(4, bytes(112 * 2)),
    "queue stats": part(5, bytes(40 * 2)),
    "groups": part(6, struct.pack("!H2xII4xQQII", 72, *range(6)) + bytes(32)),
    "group descriptions": part(7, group(bucket(ACTIONS) + bucket()) + group(b"")),
    "group features": part(8, bytes(40)),
    "meters": part(9, struct.pack("!IH6xIQQII", 1, 56, *range(5)) + bytes(16)),
    "meter configurations": part(10, struct.pack("!HHI", 24, 0, 1) + BAND),
    "meter features": part(11, bytes(16)),
    "table features": part(12, table(PROPERTIES) + table(b"")),
    "port descriptions": part(13, PORT * 2),
    "experimenter stats": part(0xFFFF, bytes(24)),
}

MALFORMED = {
    "hello element of length 0": frame(0, tlv(1, b"")[:2] + bytes(6)),
    "unknown hello element of length 0": frame(0, struct.pack("!HHI", 7, 0, 0)),
    "flow of length 0": part(1, bytes(56)),
    "instruction of length 0": part(1, flow(struct.pack("!HH", 4, 0) + bytes(4))),
    "action of length 0": part(1, flow(tlv(4, bytes(4) + bytes(8)))),
    "experimenter action of length 0": part(
        1, flow(tlv(4, bytes(4) + struct.pack("!HHI", 0xFFFF, 0, 5)))
    ),
    "action longer than its type": part(
        1, flow(tlv(4, bytes(4) + tlv(0, bytes(12) + b"\xff\xff\0\0" + bytes(4))))
    ),
    "controller property of length 0": part(
        1, flow(tlv(4, bytes(4) + nicira(37, bytes(6) + b"\0\3\0\0" + bytes(4))))
    ),
    "action of length 0 in a ct action": part(
        1, flow(tlv(4, bytes(4) + nicira(35, bytes(14) + b"\xff\xff\0\0" + bytes(4))))
    ),
    "bucket of length 0": part(7, group(bytes(16))),
    "bucket action of length 0": part(7, group(bucket(b"\xff\xff\0\0" + bytes(4)))),
    "group statistics of length 0": part(6, bytes(40)),
    "meter statistics of length 0": part(9, bytes(40)),
    "meter band of length 0": part(
        10, struct.pack("!HHI", 24, 0, 1) + struct.pack("!HH12x", 1, 0)
    ),
    "queue property of length 0": frame(
        23, bytes(8) + queue(b"\xff\xff\0\0" + bytes(12))
    ),
    "unknown queue property": frame(23, bytes(8) + queue(tlv(9, bytes(12)))),
    "table property of length 0": part(12, table(bytes(8))),
    "instruction id of length 0": part(12, table(tlv(0, bytes(4)))),
    "port description cut off": part(13, PORT[:40]),
    "error cut off": frame(1, b"\0\1"),
    "error of length 15": frame(1, b"\xff\xff" + bytes(5)),
    "hello failed": frame(1, struct.pack("!HH", 0, 0) + b"\xff no"),
    "unknown type": frame(77),
    "a controller's message": frame(14, bytes(48)),
    "header of length 0": struct.pack("!BBHI", 4, 2, 0, 0),
    "packet-in with a match of length 0": frame(10, bytes(16) + bytes(8) + bytes(20)),
    "unknown multipart type": part(99, b""),
    "experimenter stats too long for a parser that copies": part(0xFFFF, bytes(30000)),
    "other version": frame(21, version=1),
    "second hello": HELLO,
}
