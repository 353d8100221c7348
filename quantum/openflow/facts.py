# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What switches and hypervisors report, as frozen values."""

from msgspec import Struct


class SeenInterface(Struct, frozen=True, gc=False):
    """
    An interface on a managed bridge whose owner gave it an ``iface-id``.

    ``ofport`` is its OpenFlow port, or 0 while Open vSwitch has not assigned
    one; ``mac`` is ``external_ids:attached-mac`` as six bytes, or None.  An
    interface with a ``problem`` carries nothing until that is gone.
    """

    name: str
    attachment: str
    ofport: int
    mac: bytes | None = None
    problem: str = ""
