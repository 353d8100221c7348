# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon crashes, ends and starts again while machines talk."""

import time

from tests.integration.staged import StagedTests
from tests.lab.hypervisor import BRIDGE
from tests.lab.stage import ride_out_a_crash


class RestartTests(StagedTests):
    """Traffic does not notice whether a daemon runs."""

    def test_crash(self) -> None:
        """``kill -9`` and a restart lose, repeat and misdirect nothing."""
        loss = ride_out_a_crash(self.stage.observatory, self.cloud, self.pairs())
        self.assertTrue(loss.is_none, loss)
        self.assert_connected(self.machines, 0)

    def test_orderly_end(self) -> None:
        """An orderly end and a restart lose, repeat and misdirect nothing."""
        stream = self.stage.observatory.stream(self.pairs())
        stream.start()
        try:
            self.stage.daemon.end()
            time.sleep(1)
            self.stage.daemon.start()
            self.cloud.await_up(self.machines)
        finally:
            loss = stream.stop(self.machines)
        self.assertTrue(loss.is_none, loss)

    def test_nothing_to_change(self) -> None:
        """Starting twice with nothing to change leaves every flow as it was."""
        before, start = self.hypervisor.flow_ages(), time.monotonic()
        for _ in range(2):
            self.cloud.crash()
            self.cloud.restart()
            self.cloud.await_up(self.machines)
        passed = time.monotonic() - start
        after = self.hypervisor.flow_ages()
        self.assertTrue(before)
        self.assertEqual(sorted(before), sorted(after))
        made_anew = [f for f in before if after[f] < before[f] + passed - 0.1]
        self.assertEqual([], made_anew)

    def test_changed_meanwhile(self) -> None:
        """What became wrong while no daemon ran is right after its start."""
        red = self.machines[0]
        self.cloud.crash()
        self.hypervisor.unplug([red])
        self.hypervisor.ovs.ofctl("del-flows", BRIDGE, "table=0")
        self.hypervisor.plug([red])
        self.cloud.restart()
        self.cloud.await_up(self.machines)
        self.assert_connected(self.machines)

    def test_foreign_flow(self) -> None:
        """A flow that is not ours outlives audits and restarts, untouched."""
        flow = "table=77,priority=7,dl_type=0x88b5,actions=drop"
        self.hypervisor.ovs.ofctl("add-flow", BRIDGE, f"cookie=0xf0e,{flow}")
        self.addCleanup(self.hypervisor.ovs.ofctl, "del-flows", BRIDGE, "table=77")
        (line,) = [one for one in self.hypervisor.flow_ages() if "0xf0e" in one]
        age, start = self.hypervisor.flow_ages()[line], time.monotonic()
        self.cloud.crash()
        self.cloud.restart()
        self.cloud.await_up(self.machines)
        self.cloud.detach(self.machines[0])
        self.cloud.attach(self.machines[0])
        self.cloud.await_up(self.machines)
        time.sleep(3)
        passed = time.monotonic() - start
        self.assertGreater(self.hypervisor.flow_ages()[line], age + passed - 0.5)
