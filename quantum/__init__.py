# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Network connectivity as a service: isolated Ethernets, asked for over REST."""

__version__ = "0.1.0"
