# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a switch says that we are to it (OpenFlow 1.3.5, 7.3.9)."""

from struct import pack
from typing import Any, Final

from quantum.channel.requests import RequestError

QUESTION: Final = pack("!BBHIIxxxxQ", 4, 24, 24, 0, 0, 0)
"""A role request that changes nothing."""
DEADLINE: Final = 30.0
ROLES: Final = {1: "equal", 2: "master", 3: "slave"}


async def role(datapath: Any) -> str:
    """Ask a switch; empty if it does not say."""
    try:
        (answer,) = await datapath.request(QUESTION, DEADLINE)
    except RequestError:
        return ""
    return ROLES.get(answer.role, "")
