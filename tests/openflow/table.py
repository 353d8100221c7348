# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A switch in Python: takes our bytes, answers like a switch, forwards frames.

What the bytes mean is os-ken's judgement, not that of the code under test.
"""

from collections.abc import Callable, Iterable, Mapping
from struct import pack, unpack_from

from attrs import define, field
from os_ken.ofproto import ofproto_v1_3 as of
from os_ken.ofproto import ofproto_v1_3_parser as parser
from os_ken.ofproto.ofproto_protocol import ProtocolDesc

from quantum.openflow.flow import LEARNED_TAG, Encoded
from quantum.openflow.messages import add_flow, error_words
from quantum.openflow.session import WAITING, Session

from .journey import Frame, Journey, Lesson, Sent, matches

DATAPATH = ProtocolDesc(of.OFP_VERSION)
TABLE_FULL = (5, 1)


@define
class Entry:
    """A flow as the switch holds it."""

    cookie: int
    match: dict[str, int | str | tuple[int, int]]
    instructions: list[parser.OFPInstruction]
    body: bytes


@define
class Table:
    """
    The flow tables of one switch.

    ``refuses`` is asked about every flow that would be added.
    """

    refuses: Callable[[Entry], bool] = lambda _: False
    entries: dict[tuple[int, int, bytes], Entry] = field(factory=dict)
    messages: int = 0
    """Flow-mods that were received."""
    _bundle: list[bytes] = field(factory=list)

    def converse(self, session: Session) -> None:
        """Let a session say everything it has to say, and answer."""
        while (words := session.say()) != WAITING:
            self.converse_with(words or b"", session)

    def converse_with(self, words: bytes, session: Session) -> None:
        """Do what some messages say, and answer."""
        for frame in frames(words):
            self.take(frame, session)

    def take(self, frame: bytes, session: Session) -> None:
        """Do what one message says, and answer."""
        (_, kind, _, xid) = unpack_from("!BBHI", frame)
        if kind == of.OFPT_EXPERIMENTER:
            self._bundled(frame, xid, session)
        elif kind == of.OFPT_FLOW_MOD:
            self.messages += 1
            if not self._flow_mod(frame):
                session.error(xid, error_words(*TABLE_FULL))
        elif kind == of.OFPT_BARRIER_REQUEST:
            session.barrier(xid)
        elif kind == of.OFPT_MULTIPART_REQUEST:
            self._statistics(frame, xid, session)
        else:
            raise AssertionError(f"unexpected message of type {kind}")

    def _bundled(self, frame: bytes, xid: int, session: Session) -> None:
        (_, what, _) = unpack_from("!III", frame, 8)
        if what == 2301:  # bundle-add-message
            self._bundle.append(frame[24:])
            return
        (step,) = unpack_from("!H", frame, 20)
        if step == 0:
            self._bundle.clear()
        elif step == 4:
            self._commit(xid, session)

    def _commit(self, xid: int, session: Session) -> None:
        before = dict(self.entries)
        for message in self._bundle:
            self.messages += 1
            if not self._flow_mod(message):
                self.entries = before
                session.error(
                    unpack_from("!I", message, 4)[0], error_words(*TABLE_FULL)
                )
                session.error(xid, error_words(0xFFFF, 2313))
                return

    def _flow_mod(self, message: bytes) -> bool:
        (_, _, length, xid) = unpack_from("!BBHI", message)
        mod = parser.OFPFlowMod.parser(
            DATAPATH, of.OFP_VERSION, 14, length, xid, message
        )
        (match_length,) = unpack_from("!H", message, 50)
        size = (match_length + 7) // 8 * 8
        key = (mod.table_id, mod.priority, message[48 : 48 + size])
        if mod.command == of.OFPFC_ADD:
            match = dict(mod.match.items())
            entry = Entry(mod.cookie, match, mod.instructions, message[48:])
            if self.refuses(entry):
                return False
            self.entries[key] = entry
        elif mod.command == of.OFPFC_DELETE_STRICT:
            found = self.entries.get(key)
            if found and found.cookie & mod.cookie_mask == mod.cookie & mod.cookie_mask:
                del self.entries[key]
        else:
            raise AssertionError(f"unexpected command {mod.command}")
        return True

    def _statistics(self, frame: bytes, xid: int, session: Session) -> None:
        (kind,) = unpack_from("!H", frame, 8)
        (cookie, mask) = unpack_from("!QQ", frame, 32)
        mine = [
            Encoded(table, priority, entry.cookie, entry.body)
            for (table, priority, _), entry in self.entries.items()
            if entry.cookie & mask == cookie & mask
        ]
        if kind == 2:
            session.counted(xid, len(mine))
            return
        half = len(mine) // 2
        session.flow_stats(xid, stats_reply(xid, mine[:half], is_last=False))
        session.flow_stats(xid, stats_reply(xid, mine[half:], is_last=True))

    def flows(self) -> set[Encoded]:
        """List everything installed; hints were not, they are learned."""
        return {
            Encoded(table, priority, entry.cookie, entry.body)
            for (table, priority, _), entry in self.entries.items()
            if entry.cookie >> 56 != LEARNED_TAG
        }

    def hold(self, flows: Iterable[Encoded]) -> None:
        """Hold some flows, no others, and the hints that there are."""
        self.entries = {
            key: e for key, e in self.entries.items() if e.cookie >> 56 == LEARNED_TAG
        }
        for flow in flows:
            self._flow_mod(add_flow(0, flow))

    def forward(self, in_port: int, dst: str, src: str) -> list[int]:
        """Say by which ports a frame leaves."""
        return [sent.port for sent in self.send(Frame(in_port, dst, src))]

    def send(self, frame: Frame) -> list[Sent]:
        """Say by which ports a frame leaves, and what it is then; learn from it."""
        journey = Journey(frame, self._lookup)
        journey.go(0)
        for lesson in journey.lessons:
            self._learn(lesson)
        return journey.sent

    def hints(self) -> list[Entry]:
        """List what was learned."""
        return [e for e in self.entries.values() if e.cookie >> 56 == LEARNED_TAG]

    def _lookup(
        self, table: int, fields: Mapping[str, int]
    ) -> list[parser.OFPInstruction]:
        found = [
            (priority, entry)
            for (number, priority, _), entry in self.entries.items()
            if number == table and matches(entry.match, fields)
        ]
        return max(found, key=lambda pair: pair[0])[1].instructions if found else []

    def _learn(self, lesson: Lesson) -> None:
        """Learn a flow, unless there are as many with its cookie as there may be."""
        twins = [e for e in self.entries.values() if e.cookie == lesson.cookie]
        if len(twins) >= lesson.limit:
            return
        loads = [
            parser.NXActionRegLoad(31, name, value)
            for name, value in lesson.registers.items()
        ]
        mod = parser.OFPFlowMod(
            DATAPATH,
            cookie=lesson.cookie,
            table_id=lesson.table,
            priority=lesson.priority,
            match=parser.OFPMatch(**lesson.match),
            instructions=[parser.OFPInstructionActions(of.OFPIT_APPLY_ACTIONS, loads)],
        )
        mod.set_xid(0)
        mod.serialize()
        self._flow_mod(bytes(mod.buf))


def frames(text: bytes) -> Iterable[bytes]:
    """Split a stream into messages."""
    position = 0
    while position < len(text):
        (length,) = unpack_from("!H", text, position + 2)
        yield text[position : position + length]
        position += length


def stats_reply(xid: int, flows: Iterable[Encoded], *, is_last: bool) -> bytes:
    """Write one frame of a flow statistics reply."""
    body = b"".join(
        pack("!HBxIIHHHH4xQQQ", 48 + len(flow.body), flow.table, 0, 0,
             flow.priority, 0, 0, 0, flow.cookie, 0, 0) + flow.body
        for flow in flows
    )  # fmt: skip
    return pack("!BBHIHH4x", 4, 19, 16 + len(body), xid, 1, not is_last) + body
