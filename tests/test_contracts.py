# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The fakes and the real things keep the same contracts."""

from twisted.trial.unittest import SynchronousTestCase

from quantum.model import SwitchStatus
from quantum.storage.segments import Pool
from quantum.testing import (
    FabricContract,
    IntentContract,
    MemoryFabric,
    MemoryPlugin,
    MemorySwitches,
    PluginContract,
    ProviderContract,
    SwitchesContract,
)
from quantum.testing.provider import POOLS
from quantum.testing.switches import GONE, RECORDED, THERE
from tests.storage.means import Bench


class MemoryPluginTests(PluginContract, SynchronousTestCase):
    """The fake keeps the plugin's contract."""

    def make_plugin(self):
        return MemoryPlugin()


class RecordedPluginTests(PluginContract, SynchronousTestCase):
    """So does the real thing, over a database in memory."""

    def make_plugin(self):
        self.bench = Bench()
        self.addCleanup(self.bench.stop)
        return self.bench.plugin

    def pass_time(self):
        self.bench.pass_time()


class RecordedPluginOnDiskTests(PluginContract, SynchronousTestCase):
    """So does the real thing, over a file."""

    def make_plugin(self):
        self.bench = Bench(f"sqlite:///{self.mktemp()}")
        self.addCleanup(self.bench.stop)
        return self.bench.plugin

    def pass_time(self):
        self.bench.pass_time()


class MemoryProviderTests(ProviderContract, SynchronousTestCase):
    """The fake keeps the contract of provider networks."""

    def make_plugin(self):
        return MemoryPlugin(POOLS)


class RecordedProviderTests(ProviderContract, SynchronousTestCase):
    """So does the real thing."""

    def make_plugin(self):
        pools = {
            name: Pool(f"VLANs {ranges} of {name}", ranges)
            for name, ranges in POOLS.items()
        }
        self.bench = Bench(vlan_pools=pools)
        self.addCleanup(self.bench.stop)
        return self.bench.plugin

    def pass_time(self):
        self.bench.pass_time()


class LedgerTests(IntentContract, SynchronousTestCase):
    """The ledger is what a fabric expects it to be."""

    def make_pair(self):
        self.bench = Bench()
        self.addCleanup(self.bench.stop)
        return self.bench.plugin, self.bench.ledger

    def pass_time(self):
        self.bench.pass_time()


class MemorySwitchesTests(SwitchesContract, SynchronousTestCase):
    """The fake keeps the contract of switches."""

    def make_switches(self):
        names = (THERE, GONE, RECORDED)
        statuses = {name: SwitchStatus(name, "", "absent") for name in names}
        return MemorySwitches(statuses, {THERE})


class MemoryFabricTests(FabricContract, SynchronousTestCase):
    """The fabric without a switch keeps the fabric's contract."""

    def make_fabric(self):
        bench = Bench()
        self.addCleanup(bench.stop)
        return MemoryFabric(bench.ledger, bench.ledger)
