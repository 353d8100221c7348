# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The whole daemon on real hypervisors: real frames, real crashes (needs root)."""
