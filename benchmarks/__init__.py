# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Measurements, each a ratio to a yardstick taken in the same run."""
