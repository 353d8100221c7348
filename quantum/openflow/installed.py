# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a switch says it has, to be compared with what it should have."""

from collections.abc import Iterator

from attrs import define, field

from quantum.openflow.flow import COOKIE_TAG, Encoded, match_length
from quantum.openflow.messages import entries, has_more


@define
class Installed:
    """
    The flows of ours on a switch, as its statistics reply tells them.

    ``confirm`` takes a wanted flow off the list; what is left in the end is
    stale.
    """

    is_complete: bool = False
    _flows: dict[int, Encoded] = field(factory=dict)
    _strays: list[Encoded] = field(factory=list)

    def take(self, frame: bytes) -> None:
        """Take one frame of the reply."""
        flows = self._flows
        for entry in entries(frame):
            cookie = entry.cookie
            if cookie in flows:
                self._strays.append(entry)
            elif cookie >> 56 == COOKIE_TAG:
                flows[cookie] = entry
        self.is_complete = not has_more(frame)

    def confirm(self, wanted: Encoded) -> bool:
        """
        Say whether the switch has this flow, to the byte.

        A flow of the same key whose instructions somebody changed is off the
        list too: adding the wanted one replaces it, and removing it later would
        remove the wanted one.
        """
        found = self._flows.get(wanted.cookie)
        if found is None:
            return False
        if found == wanted:
            del self._flows[wanted.cookie]
            return True
        match, instructions = _parts(found.body)
        wanted_match, wanted_instructions = _parts(wanted.body)
        if found[:3] == wanted[:3] and match == wanted_match:
            del self._flows[wanted.cookie]
            return instructions == wanted_instructions
        return False

    def stale(self) -> Iterator[Encoded]:
        """List the flows that were not confirmed."""
        yield from self._strays
        yield from self._flows.values()


def _parts(body: bytes) -> tuple[list[bytes], bytes]:
    """
    Split a body into its match fields (7.2.3.2), sorted, and its instructions.

    Open vSwitch reports fields in the order we write; other switches need not.
    """
    end = int.from_bytes(body[2:4], "big")
    fields, position = [], 4
    while position < end:
        length = 4 + body[position + 3]
        fields.append(body[position : position + length])
        position += length
    return sorted(fields), body[match_length(body) :]
