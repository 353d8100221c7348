# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The ways to a switch: OpenFlow and OVSDB over Twisted."""

import os

# os-ken chooses its concurrency when it is first imported; ours has none.
os.environ["OSKEN_HUB_TYPE"] = "native"
