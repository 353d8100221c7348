# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The access log: a line per request, written in bundles.

The lines are in the Common Log Format.  Nothing here opens or rotates a file.
"""

import re
from collections.abc import Callable, Iterator
from time import gmtime, strftime

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.http import Request

_STRANGE = re.compile(r"[^ !#-\[\]-~]")


_Note = tuple[int, str, bytes, bytes, bytes, int, int]
"""Second, host, method, URI, protocol, code and length."""


@define(eq=False)
class AccessLog:
    """
    Gathers lines, and hands them on at most ``delay`` seconds later.

    ``write`` gets whole lines; if it raises, those lines are lost, not the
    requests.
    """

    _clock: IReactorTime
    _write: Callable[[str], object]
    _delay: float = 1.0
    _room: int = 1000
    _notes: list[_Note] = field(factory=list, init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

    def note(self, request: Request) -> None:
        """Remember a request that was answered."""
        self._notes.append(
            (
                int(self._clock.seconds()),
                getattr(request.getClientAddress(), "host", "-"),
                request.method,
                request.uri,
                request.clientproto,
                request.code,
                request.sentLength,
            )
        )
        if len(self._notes) >= self._room:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.callLater(self._delay, self._tick)

    def flush(self) -> None:
        """Hand on all lines now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        notes, self._notes = self._notes, []
        if notes:
            self._write("".join(_lines(notes)))

    def _tick(self) -> None:
        self._timer = None
        self.flush()


def _lines(notes: list[_Note]) -> Iterator[str]:
    """Write notes as lines; most of them are of the same second."""
    written, when = -1, ""
    for second, host, method, uri, protocol, code, length in notes:
        if second != written:
            written = second
            when = strftime("%d/%b/%Y:%H:%M:%S +0000", gmtime(second))
        # Of the first line the parser lets only the URI have strange characters.
        yield (
            f'{host} - - [{when}] "{method.decode()} {_plain(uri)} '
            f'{protocol.decode()}" {code} {length or "-"}\n'
        )


def _plain(text: bytes) -> str:
    """Show bytes so that they can end neither the line nor the quotes."""
    line = text.decode("latin-1")
    if _STRANGE.search(line) is None:
        return line
    return _STRANGE.sub(lambda char: f"\\x{ord(char[0]):02x}", line)
