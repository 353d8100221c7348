# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What a conversation with a switch yields, bit by bit."""

from collections.abc import Generator
from typing import Any, Final

Talk = Generator[bytes | None, None, Any]
"""Bytes to send; `THINKING`; or `WAITING`."""
THINKING: Final = None
"""There may be something to say in a moment."""
WAITING: Final = b""
"""There is nothing to say until something happens."""
