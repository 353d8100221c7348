# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Header lines that callers send again and again, parsed once.

A client's ``User-Agent`` and ``Accept`` are the same in each of its requests.
Only lines that decide nothing about where a request ends, and hold no secret,
are remembered.
"""

from attrs import define, field
from twisted.web.http_headers import Headers

HARMLESS = {
    name.lower(): name
    for name in (
        b"Accept",
        b"Accept-Encoding",
        b"Accept-Language",
        b"Connection",
        b"Content-Type",
        b"Host",
        b"User-Agent",
    )
}
LONGEST = 200
ROOM = 500


@define
class HeaderLines:
    """A bounded memory of valid lines: each with its header's name and value."""

    _known: dict[bytes, tuple[bytes, bytes]] = field(factory=dict, init=False)

    def add_known(self, line: bytes, headers: Headers) -> bool:
        """Add a line's header to a request's, if the line is known."""
        known = self._known.get(line)
        if known is None:
            return False
        name, value = known
        # addRawHeader would check again what was found valid.
        headers._rawHeaders.setdefault(name, []).append(value)  # noqa: SLF001
        return True

    def learn(self, line: bytes) -> None:
        """Remember a line that was found valid."""
        name, _, value = line.partition(b":")
        canonical = HARMLESS.get(name.lower())
        if canonical is not None and len(line) <= LONGEST:
            if len(self._known) >= ROOM:
                self._known.clear()
            self._known[line] = canonical, value.strip(b" \t")
