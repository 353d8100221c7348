# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What one switch, or all together, may cost."""

from attrs import frozen

SLICE = 0.0005
"""Seconds of one turn of the reactor that all connections together may use."""
BREAK = 0.001
"""Seconds between two slices while many wait: others need the processor too."""
FEW = 4
"""Connections that are served without a break."""
READ_AHEAD = 4096
"""Bytes of a connection that may wait for its turn before no more is read."""


@frozen
class Limits:
    """Deadlines in seconds and bounds in bytes or connections."""

    handshake_deadline: float = 30.0
    """From the connection to the end of the handshake, ports described."""
    echo_interval: float = 5.0
    unanswered_echoes: int = 3
    buffer_limit: int = 8 * 1024 * 1024
    """What may wait for a switch that does not read, before it is given up."""
    reply_limit: int = 64 * 1024 * 1024
    """The bytes that all parts of one answer may have."""
    port_limit: int = 65536
    """The ports of one switch."""
    probe_deadline: float = 2.0
    """How long a switch may take to show that it lives, when another claims its id."""
    max_connections: int = 5000
    max_per_address: int = 1000
