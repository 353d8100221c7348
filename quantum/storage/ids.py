# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The ids of networks and ports: UUIDs of version 7 (RFC 9562, 5.7).

They begin with the time, so that what is made together lies together in the
database's indexes.  With random ids each row of a commit would change a page of
its own in every index, and the cost of a write would grow with the ledger.
"""

from os import urandom
from time import time_ns

_RANDOM = 0x0FFF_3FFF_FFFF_FFFF_FFFF
_VERSION_AND_VARIANT = 0x7000_8000_0000_0000_0000


def new_id() -> str:
    """Make an id that nobody can guess: 74 of its bits are random."""
    milliseconds = time_ns() // 1_000_000
    random = int.from_bytes(urandom(10)) & _RANDOM
    digits = f"{milliseconds << 80 | _VERSION_AND_VARIANT | random:032x}"
    return "-".join(
        (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    )
