# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Faults on purpose: real Open vSwitches, the real daemon, and somebody between."""
