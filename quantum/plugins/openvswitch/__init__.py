# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch: flows by OpenFlow, facts by OVSDB, no agent on the hypervisor."""
