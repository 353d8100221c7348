# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Where tests work, and which of them need root."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "calm",
    # No test measures time: a busy machine is no finding.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # A verdict on a change is the same wherever it is reached; who looks for what
    # nobody has found yet says so.
    derandomize="QUANTUM_RANDOM" not in os.environ,
)
settings.load_profile("calm")

INTEGRATION = Path(__file__).parent / "integration"


def pytest_collection_modifyitems(items):
    """Mark what makes network namespaces, so that ``-m "not root"`` leaves it out."""
    for item in items:
        if item.path.is_relative_to(INTEGRATION):
            item.add_marker(pytest.mark.root)


@pytest.fixture(scope="session", autouse=True)
def _elsewhere(tmp_path_factory):
    """Work in a temporary folder: trial's ``mktemp`` makes its files where we are."""
    home = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("work"))
    yield
    os.chdir(home)
