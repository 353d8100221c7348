# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
From bytes to whole JSON objects.

OVSDB writes objects one after another without any delimiter (RFC 7047, 4), so
their ends are found by counting braces outside strings.  Every byte is looked
at once, by a compiled expression, however the bytes are cut.  Nothing here
decodes: what is between the braces may still be nonsense.
"""

import re
from collections.abc import Iterator

from attrs import define, field

from quantum.channel.ovsdb.faults import Misspoken

SIZE_LIMIT = 64 * 1024 * 1024
DEPTH_LIMIT = 64

# Groups are not possessive: CPython before 3.11.5 does not match those rightly.
# A group that fails is left backwards by one step per escape, so it stays linear.
_STRING = rb'[^"\\]*+(?:\\.[^"\\]*+)*'
_inside = re.compile(_STRING, re.DOTALL)
_outside = re.compile(
    rb'[^"{}]*+(?:"' + _STRING + rb'"[^"{}]*+)*',
    re.DOTALL,
)
_blank = re.compile(rb"[ \t\r\n]*+")

_OPEN, _CLOSE, _QUOTE = b'{}"'


@define
class Splitter:
    """Cuts a stream into its JSON objects."""

    size_limit: int = SIZE_LIMIT
    _partial: bytearray = field(factory=bytearray)
    _depth: int = 0
    _is_in_string: bool = False
    _is_escaped: bool = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """
        Take more of the stream; the objects that it completes.

        :raise Misspoken: Something is no object, too long or too deep; the
            splitter is of no use afterwards.
        """
        start = position = 0
        while position < len(chunk):
            if self._depth == 0:
                start = self._skip_blanks(chunk, position)
                position = min(start + 1, len(chunk))
            elif self._is_in_string:
                position = self._leave_string(chunk, position)
            else:
                position = self._pass_brace(chunk, position)
                if self._depth == 0:
                    yield self._whole(chunk[start:position])
                    start = position
        self._keep(chunk[start:])

    def _skip_blanks(self, chunk: bytes, position: int) -> int:
        """Find where an object opens, or the chunk's end."""
        found = _blank.match(chunk, position)
        position = found.end() if found else position
        if position < len(chunk):
            if chunk[position] != _OPEN:
                raise Misspoken("a message is not a JSON object")
            self._depth = 1
        return position

    def _leave_string(self, chunk: bytes, position: int) -> int:
        """Go behind the closing quote of an open string, or to the chunk's end."""
        if self._is_escaped:
            position += 1
            self._is_escaped = False
        found = _inside.match(chunk, position)
        position = found.end() if found else position
        if position == len(chunk):
            return position
        if chunk[position] == _QUOTE:
            self._is_in_string = False
        else:
            # Only a backslash without its second half stops the expression.
            self._is_escaped = True
        return position + 1

    def _pass_brace(self, chunk: bytes, position: int) -> int:
        """Go behind the next brace, into an unfinished string, or to the end."""
        found = _outside.match(chunk, position)
        position = found.end() if found else position
        if position == len(chunk):
            return position
        byte = chunk[position]
        if byte == _QUOTE:
            self._is_in_string = True
        elif byte == _CLOSE:
            self._depth -= 1
        else:
            self._depth += 1
            if self._depth > DEPTH_LIMIT:
                raise Misspoken(f"objects are nested more than {DEPTH_LIMIT} deep")
        return position + 1

    def _whole(self, rest: bytes) -> bytes:
        if not self._partial:
            return rest
        self._keep(rest)
        whole, self._partial = bytes(self._partial), bytearray()
        return whole

    def _keep(self, piece: bytes) -> None:
        if len(self._partial) + len(piece) > self.size_limit:
            raise Misspoken(f"a message is longer than {self.size_limit} bytes")
        self._partial += piece
