# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The REST API: from HTTP requests to the verbs of `IQuantumPlugin` and back."""
