# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Real switches and hypervisors on one machine, for tests, demo and bench."""
