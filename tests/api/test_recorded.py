# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The API over the ledger: what the tests saw over the fake is so in earnest."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.api.client import OnCompiled, OnKlein
from tests.api.test_clients import ClientsMixin
from tests.api.test_edges import EdgesMixin
from tests.api.test_operations import OperationsMixin
from tests.storage.means import Bench


class Recorded:
    """Serve the API over a ledger in memory, whose writes take their time."""

    def make_plugin(self) -> Any:
        self.bench = Bench()
        self.addCleanup(self.bench.stop)  # type: ignore[attr-defined]
        return self.bench.plugin

    def pass_time(self) -> None:
        self.bench.pass_time()


class OperationsTests(Recorded, OperationsMixin, OnCompiled, SynchronousTestCase):
    """Every operation does what it says."""


class EdgesTests(Recorded, EdgesMixin, OnCompiled, SynchronousTestCase):
    """Everything is refused as it should be, and nothing is recorded."""

    def recorded(self) -> Any:
        return list(self.bench.changes)


class ClientsTests(Recorded, ClientsMixin, OnKlein, SynchronousTestCase):
    """The callers of 2011 and 2012 are served."""
