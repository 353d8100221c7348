# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a plugin's author tests with: contracts as tests, and fakes that keep them.

To test a plugin of yours, mix a contract into a trial test case and say how to
make your plugin; every promise of the interface is then a test of yours::

    class MyPluginTests(PluginContract, SynchronousTestCase):

        def make_plugin(self):
            return MyPlugin(...)
"""

from quantum.plugins.memory import MemoryFabric
from quantum.testing.fabric import FabricContract
from quantum.testing.intent import IntentContract
from quantum.testing.memory import MemoryPlugin
from quantum.testing.plugin import PluginContract
from quantum.testing.provider import ProviderContract
from quantum.testing.switches import MemorySwitches, SwitchesContract

__all__ = [
    "FabricContract",
    "IntentContract",
    "MemoryFabric",
    "MemoryPlugin",
    "MemorySwitches",
    "PluginContract",
    "ProviderContract",
    "SwitchesContract",
]
