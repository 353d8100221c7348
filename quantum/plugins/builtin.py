# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The plugins that come with Quantum.

Finding them is cheap: what a plugin needs is imported when it is made.
"""

from collections.abc import Callable

from attrs import frozen
from zope.interface import implementer

from quantum.interfaces import IPluginMaker, Surroundings


@implementer(IPluginMaker)
@frozen
class Maker:
    """A name, and how to make the plugin of that name."""

    name: str
    _make: Callable[[Surroundings], object]

    def make(self, surroundings: Surroundings) -> object:
        return self._make(surroundings)


def _make_memory(surroundings: Surroundings) -> object:
    """Record everything and switch nothing."""
    from quantum.plugins.memory import MemoryFabric  # noqa: PLC0415  (see above)
    from quantum.plugins.recorded import (  # noqa: PLC0415  (see above)
        RecordedPlugin,
        open_ledger,
    )

    ledger = open_ledger(surroundings)
    return RecordedPlugin(ledger, MemoryFabric(ledger, ledger))


def _make_openvswitch(surroundings: Surroundings) -> object:
    """Realise networks on Open vSwitch."""
    from quantum.plugins.openvswitch.plugin import make  # noqa: PLC0415  (see above)

    return make(surroundings)


memory = Maker("memory", _make_memory)
openvswitch = Maker("openvswitch", _make_openvswitch)
