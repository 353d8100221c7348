# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Where tests work, and which of them need root."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test measures time: a busy machine is no finding.
settings.register_profile(
    "calm", deadline=None, suppress_health_check=[HealthCheck.too_slow]
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
