# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Proof that a switch's flows keep networks apart, or a frame that shows they do not.

`verify` is told the flows and which gate carries which network; `verify_fleet` looks
at many switches, and at what is between them.
"""

from quantum.openflow.verify.fleet import Clash, FleetVerdict, Site, verify_fleet
from quantum.openflow.verify.gate import Gate, Trunk, Tunnel
from quantum.openflow.verify.verdict import Verdict
from quantum.openflow.verify.verification import reach, verification, verify
from quantum.openflow.verify.walk import Reach

__all__ = [
    "Clash",
    "FleetVerdict",
    "Gate",
    "Reach",
    "Site",
    "Trunk",
    "Tunnel",
    "Verdict",
    "reach",
    "verification",
    "verify",
    "verify_fleet",
]
