# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Tell ``twistd`` and ``twist`` how to start Quantum."""

from twisted.application.service import ServiceMaker

quantum = ServiceMaker(
    "Quantum",
    "quantum.tap",
    "Network connectivity as a service.",
    "quantum",
)
