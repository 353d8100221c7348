# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped plugins, over ledgers in memory and switches in Python."""
