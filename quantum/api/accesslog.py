# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The access log: a line per request, written in bundles.

The lines are in the Common Log Format.  Nothing here opens or rotates a file.
"""

import re
from collections.abc import Callable
from time import gmtime, strftime

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.web.http import Request

_STRANGE = re.compile(r"[^ !#-\[\]-~]")


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
    _lines: list[str] = field(factory=list, init=False)
    _second: int = field(default=-1, init=False)
    _when: str = field(default="", init=False)
    _timer: IDelayedCall | None = field(default=None, init=False)

    def note(self, request: Request) -> None:
        """Remember a request that was answered."""
        host = getattr(request.getClientAddress(), "host", None) or "-"
        second = int(self._clock.seconds())
        if second != self._second:
            self._second = second
            self._when = strftime("%d/%b/%Y:%H:%M:%S +0000", gmtime(second))
        # Of the first line the parser lets only the URI have strange characters.
        self._lines.append(
            f'{host} - - [{self._when}] "{request.method.decode()} '
            f'{_plain(request.uri)} {request.clientproto.decode()}" '
            f"{request.code} {request.sentLength or '-'}\n"
        )
        if len(self._lines) >= self._room:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.callLater(self._delay, self._tick)

    def flush(self) -> None:
        """Hand on all lines now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            self._write("".join(lines))

    def _tick(self) -> None:
        self._timer = None
        self.flush()


def _plain(text: bytes) -> str:
    """Show bytes so that they can end neither the line nor the quotes."""
    line = text.decode("latin-1")
    if _STRANGE.search(line) is None:
        return line
    return _STRANGE.sub(lambda char: f"\\x{ord(char[0]):02x}", line)
