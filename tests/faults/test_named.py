# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The tests that ``docs/failure-modes.md`` names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_named():
    """Every test that the document names is there."""
    text = (ROOT / "docs/failure-modes.md").read_text("utf-8")
    named = NAMED.findall(text)
    assert len(named) > 40
    for path, name in named:
        assert not name or f"def {name}(" in (ROOT / path).read_text("utf-8"), name


def test_all_named():
    """Every test of a fault is named there."""
    text = (ROOT / "docs/failure-modes.md").read_text("utf-8")
    for path in (ROOT / "tests/faults").glob("test_*.py"):
        for name in re.findall(r"    def (test_\w+)\(", path.read_text("utf-8")):
            assert f"{path.name}::{name}`" in text, f"{path.name}::{name}"
