# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A test case whose tests share one stage, because its parts take time to start."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.lab.hypervisor import Machine
from tests.lab.stage import STOPPING_TIME, Stage, look_until_right

PATIENCE = 30.0


class StagedTests(SynchronousTestCase):
    """Every test finds all machines plugged in and UP, and leaves them so."""

    settings: ClassVar[tuple[str, ...]] = ()
    """What the daemon is told beyond what it must be, as section.key=value."""

    stage: ClassVar[Stage]
    _stack: ClassVar[ExitStack]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a hypervisor and a daemon, and plug everybody in."""
        cls._stack = ExitStack()
        try:
            stage = cls._stack.enter_context(Stage.running(cls.__name__, *cls.settings))
            stage.cloud.connect(stage.machines)
        except BaseException:
            cls._stack.close()
            raise
        cls.stage = stage

    @classmethod
    def tearDownClass(cls) -> None:
        """Take everything away."""
        cls._stack.close()

    def setUp(self) -> None:
        """Wait until everybody is UP."""
        self.machines = list(self.stage.machines)
        self.cloud = self.stage.cloud
        self.hypervisor = self.stage.hypervisor
        self.cloud.await_up(self.machines)

    def pairs(self) -> list[tuple[Machine, Machine]]:
        """One pair of machines of each tenant, to send a stream between."""
        red, other_red, *_, other_blue, blue = self.machines
        return [(red, other_red), (blue, other_blue)]

    def all_but(self, *absent: Machine) -> list[Machine]:
        """List the machines but some."""
        return [machine for machine in self.machines if machine not in absent]

    def assert_connected(
        self, connected: Sequence[Machine], patience: float = STOPPING_TIME
    ) -> None:
        """Exactly these machines reach each other, within their networks."""
        report = look_until_right(self.stage.observatory, connected, patience)
        self.assertEqual([], report.problems())

    def await_true(self, is_true: Callable[[], bool], text: str) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            if time.monotonic() > deadline:
                log = self.stage.daemon.log[-3000:]
                self.fail(f"never: {text}; the daemon said:\n{log}")
            time.sleep(0.05)

    def await_not_up(self, machine: Machine) -> None:
        """Wait until a machine's port is not UP any more."""
        self.await_true(
            lambda: self.cloud.op_status(machine) != "UP", f"{machine.name} is not UP"
        )
