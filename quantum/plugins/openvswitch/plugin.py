# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The Open vSwitch plugin: the ledger over the fabric."""

from quantum.interfaces import Surroundings
from quantum.plugins.openvswitch.service import OpenVSwitchService
from quantum.plugins.recorded import RecordedPlugin, open_ledger


def make(surroundings: Surroundings) -> RecordedPlugin:
    """Open the ledger and make the fabric; nothing is connected yet."""
    ledger = open_ledger(surroundings)
    return RecordedPlugin(ledger, OpenVSwitchService(surroundings, ledger, ledger))
