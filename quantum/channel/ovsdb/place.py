# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Where databases are: Open vSwitch's way of writing it, and Twisted's.

``unix:/path`` is the same in both; ``tcp:10.0.0.1:6640``, ``tcp:[::1]:6640``
and ``ptcp:6640:10.0.0.1`` become endpoint strings.  What is neither is left to
Twisted's own parser to refuse.
"""

import re

_DIAL = re.compile(r"tcp:(?:\[([0-9a-fA-F:.%\w]+)\]|([^:=\[\]]+)):(\d{1,5})")
_LISTEN = re.compile(r"ptcp:(\d{1,5})(?::(?:\[([0-9a-fA-F:.%\w]+)\]|([^:=\[\]]+)))?")


def dialled(written: str) -> str:
    """
    Translate a place to connect to.

    :raise ValueError: Only Open vSwitch could use it.
    """
    if found := _DIAL.fullmatch(written):
        six, four, port = found.groups()
        return f"tcp:host={_escaped(six or four)}:port={port}"
    return _known(written)


def listened(written: str) -> str:
    """
    Translate a place to be connected to.

    :raise ValueError: Only Open vSwitch could use it.
    """
    if found := _LISTEN.fullmatch(written):
        port, six, four = found.groups()
        kind = "tcp6" if six else "tcp"
        interface = f":interface={_escaped(six or four)}" if six or four else ""
        return f"{kind}:{port}{interface}"
    if written.startswith("punix:"):
        return written[1:]
    return _known(written)


def _known(written: str) -> str:
    if re.match(r"p?ssl:[^=]*$", written):
        raise ValueError(
            f"{written}: write a Twisted endpoint string that names the"
            " certificates, such as tls:host:port:... or ssl:port:..."
        )
    return written


def _escaped(host: str) -> str:
    return host.replace(":", "\\:")
