# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""How far a switch's session has come, as a table."""

from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """
    Where a session stands.

    Only in ``SETTLED`` and ``CHANGING`` is it known which flows the switch has.
    """

    ABSENT = "absent"
    """The switch is not connected."""
    SYNCING = "syncing"
    """Its flows are being read, compared and put right."""
    SETTLED = "settled"
    """It acknowledged everything that is wanted."""
    CHANGING = "changing"
    """It has not acknowledged the latest changes yet."""
    REFUSING = "refusing"
    """It refused to be put right; nothing more is sent until it is tried again."""


class Event(StrEnum):
    """What moves a session."""

    JOINED = "joined"
    ACKNOWLEDGED = "acknowledged"
    CHANGED = "changed"
    REFUSED = "refused"
    DOUBTED = "doubted"
    RETRIED = "retried"
    LEFT = "left"


TRANSITIONS: Final = {
    (Phase.ABSENT, Event.JOINED): Phase.SYNCING,
    (Phase.SYNCING, Event.ACKNOWLEDGED): Phase.SETTLED,
    (Phase.SYNCING, Event.REFUSED): Phase.REFUSING,
    (Phase.SYNCING, Event.LEFT): Phase.ABSENT,
    (Phase.SYNCING, Event.DOUBTED): Phase.SYNCING,
    (Phase.SETTLED, Event.ACKNOWLEDGED): Phase.SETTLED,
    (Phase.SETTLED, Event.CHANGED): Phase.CHANGING,
    (Phase.SETTLED, Event.DOUBTED): Phase.SYNCING,
    (Phase.SETTLED, Event.REFUSED): Phase.REFUSING,
    (Phase.SETTLED, Event.LEFT): Phase.ABSENT,
    (Phase.CHANGING, Event.ACKNOWLEDGED): Phase.SETTLED,
    (Phase.CHANGING, Event.CHANGED): Phase.CHANGING,
    (Phase.CHANGING, Event.DOUBTED): Phase.SYNCING,
    (Phase.CHANGING, Event.REFUSED): Phase.REFUSING,
    (Phase.CHANGING, Event.LEFT): Phase.ABSENT,
    (Phase.REFUSING, Event.RETRIED): Phase.SYNCING,
    (Phase.REFUSING, Event.LEFT): Phase.ABSENT,
}
"""Where an event leads; a pair that is not here is a mistake in the program."""
