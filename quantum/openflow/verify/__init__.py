# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Proof that a switch's flows keep networks apart, or a frame that shows they do not.

`verify` is told the flows and which gate carries which network.
"""

from quantum.openflow.verify.gate import Gate, Trunk, Tunnel
from quantum.openflow.verify.verdict import Verdict
from quantum.openflow.verify.verification import reach, verification, verify
from quantum.openflow.verify.walk import Reach

__all__ = [
    "Gate",
    "Reach",
    "Trunk",
    "Tunnel",
    "Verdict",
    "reach",
    "verification",
    "verify",
]
