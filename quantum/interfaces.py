# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Every seam of Quantum.

::

    REST --> IQuantumPlugin --> IIntent --> IFabric --> switches
                                   ^           |
                                   |           v
                               IStatusBoard <--+

Down by interface, up by facts: an interface lower in the picture never calls
one above it, but reports what it saw.  The contract suites in
`quantum.testing` are these docstrings as tests.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from attrs import frozen
from twisted.plugin import IPlugin
from zope.interface import Attribute, Interface

from quantum.config import Config
from quantum.model import (
    AdminState,
    Binding,
    Change,
    Network,
    Port,
    Status,
    SwitchStatus,
)
from quantum.openflow.facts import SeenInterface, Underlay


class IQuantumPlugin(Interface):
    """
    The core verbs of the API: networks, their ports, and what is plugged in.

    Every method may answer with a value, a Deferred or a coroutine.  A write
    has answered when it is durably recorded; it never waits for a switch.

    Every method that takes a ``network_id`` raises `NetworkNotFound` when
    ``tenant_id`` has no such network, and every method that takes a ``port_id``
    raises `PortNotFound` when that network has no such port: one tenant can
    neither see nor change what is another's.  The network is looked up first.

    Every write may raise `Overloaded` or `RecordFailed`, having changed nothing.
    """

    def networks(tenant_id: str) -> Iterable[Network]:
        """List the tenant's networks; a tenant nobody has heard of has none."""

    def network(tenant_id: str, network_id: str) -> Network:
        """Look a network up."""

    def create_network(tenant_id: str, name: str) -> Network:
        """
        Record a new network; names need not be unique.

        :raise SegmentsExhausted: No segment id is free.
        :raise FabricRefused: The fabric has no room for another network.
        """

    def rename_network(tenant_id: str, network_id: str, name: str) -> Network:
        """Give a network another name."""

    def delete_network(tenant_id: str, network_id: str) -> None:
        """
        Delete a network together with its unattached ports.

        :raise NetworkInUse: An interface is plugged into one of its ports.
        """

    def ports(tenant_id: str, network_id: str) -> Iterable[Port]:
        """List a network's ports."""

    def mtu(network: Network) -> int | None:
        """Say what the largest IP packet is that crosses a network, if it is known."""

    def port(tenant_id: str, network_id: str, port_id: str) -> Port:
        """Look a port up."""

    def create_port(tenant_id: str, network_id: str, admin_state: AdminState) -> Port:
        """Record a new port with nothing attached."""

    def set_port_state(
        tenant_id: str, network_id: str, port_id: str, admin_state: AdminState
    ) -> Port:
        """Ask that a port carries frames, or that it does not."""

    def delete_port(tenant_id: str, network_id: str, port_id: str) -> None:
        """
        Delete a port.

        :raise PortInUse: An interface is plugged into it.
        """

    def plug(tenant_id: str, network_id: str, port_id: str, attachment: str) -> Port:
        """
        Record that the interface ``attachment`` is plugged into the port.

        Plugging the same interface into the same port again is refused with
        `PortInUse` too, as the Quantum of 2011 did on Open vSwitch.

        :raise PortInUse: An interface is plugged into this port.
        :raise AlreadyAttached: The interface is plugged into another port,
            whichever tenant's; asked only when this port is free.
        """

    def unplug(tenant_id: str, network_id: str, port_id: str) -> Port:
        """Record that nothing is plugged into the port; twice is as good as once."""


class IProviderNetworks(Interface):
    """
    What only operators may do with networks, of whichever tenant.

    A plugin may provide it besides `IQuantumPlugin`; it may answer as that may.
    """

    def any_network(network_id: str) -> Network:
        """
        Look a network up.

        :raise NetworkNotFound: There is none.
        """

    def bind_vlan(
        network_id: str, physical_network: str, vlan_id: int | None
    ) -> Awaitable[Network]:
        """
        Let a network run over a VLAN of a physical network, for as long as it lives.

        ``vlan_id`` None chooses a free one of the physical network's pool.  The
        reasons to refuse are looked for in this order.

        :raise NetworkNotFound: There is no such network.
        :raise AlreadyBound: It is bound to a VLAN.
        :raise NetworkInUse: An interface is plugged into one of its ports.
        :raise PhysicalNetworkUnknown: The configuration names no such one.
        :raise Malformed: No VLAN was named, and there is no pool to choose from.
        :raise VlanNotAllowed: The pool does not have this VLAN.
        :raise VlanInUse: Another network has it, or had it and may be carried still.
        :raise SegmentsExhausted: Every VLAN of the pool is in use.
        """


class ISwitches(Interface):
    """How the switches stand, for whoever looks after them."""

    def switch_statuses() -> Iterable[SwitchStatus]:
        """List every switch that was heard of since the start, or is recorded."""

    def forget_switch(datapath_id: str) -> Awaitable[None]:
        """
        Take everything away that is known of a switch, and record that.

        Whoever asks promises that it is gone for good, or comes back without
        flows: segments of deleted networks wait for it no longer.  If it comes
        back it is a new one.  It may raise `Overloaded` or `RecordFailed`: then
        it is still recorded and listed, and can be forgotten later.

        :raise SwitchNotFound: It was not heard of, and is not recorded.
        :raise SwitchInReach: The switch or its hypervisor is connected.
        """


class IIntent(Interface):
    """
    What is durably recorded, as a fabric reads it.

    Reads are synchronous and come from memory; they show only what has been
    committed.
    """

    def bound(attachment: str) -> Binding | None:
        """Say into which port an interface is plugged, if into any."""

    def bindings() -> Iterable[Binding]:
        """List every plugged interface."""

    def known_switches() -> frozenset[str]:
        """List every datapath id that was remembered, and not forgotten since."""

    def quarantined_segments() -> frozenset[int]:
        """List the segments of deleted networks that were not freed yet."""

    def remember_switch(datapath_id: str) -> Awaitable[None]:
        """Record durably that a switch exists, before it is sent any flow."""

    def forget_switch(datapath_id: str) -> Awaitable[None]:
        """
        Record durably that a switch exists no longer, or (again) not.

        Of it and `remember_switch` the one that was called last counts, even
        if the other has not answered yet.
        """

    def free_segment(segment_id: int) -> Awaitable[None]:
        """Record that no known switch has any flow of a deleted network's segment."""


class IStatusBoard(Interface):
    """Where facts become the ``op-status`` that tenants read."""

    def report(port_id: str, status: Status) -> None:
        """Show this status for a port from now on; an unknown port is ignored."""


class IFabric(Interface):
    """
    A technology that realises recorded networks.

    It is told changes after they are durable, in the order of their commits,
    and reports every port's status to an `IStatusBoard`.  A fabric that has
    anything to open or close also provides `IService`.
    """

    def admit(change: Change) -> None:
        """
        Look at a change before it is recorded.

        :raise FabricRefused: It can never be realised here (no such VLAN left,
            for example); the API answers with the reason.
        """

    def tell(changes: Sequence[Change]) -> None:
        """Take note of recorded changes; returns at once and never raises."""

    def mtu(network: Network) -> int | None:
        """Say what the largest IP packet is that crosses a network, if it is known."""


class IHypervisorListener(Interface):
    """
    Whoever wants to know which interface is on which switch, from OVSDB.

    A hypervisor is named by its ``external_ids:system-id``; a switch by its
    datapath id, a 64-bit number.  Calls come on the reactor thread.
    """

    def hypervisor_synced(
        hypervisor: str, datapath_id: int, interfaces: Iterable[SeenInterface]
    ) -> None:
        """
        Take the whole picture of a managed switch, in place of any earlier one.

        Called once after each (re)connection, and again if the bridge was made
        anew or changed its datapath id.
        """

    def interfaces_changed(
        hypervisor: str,
        datapath_id: int,
        gone: Iterable[str],
        seen: Iterable[SeenInterface],
    ) -> None:
        """Forget the interfaces named ``gone``, then add or replace the ``seen``."""

    def underlay_changed(hypervisor: str, datapath_id: int, underlay: Underlay) -> None:
        """
        Take what a managed switch reaches other machines by, in place of the last.

        Called before `hypervisor_synced`, and whenever it has become different.
        """

    def switch_gone(hypervisor: str, datapath_id: int) -> None:
        """Take note that the managed bridge was deleted from the database."""

    def hypervisor_renamed(before: str, now: str) -> None:
        """
        Take note that a connected hypervisor calls itself something else.

        Its switches stay its own; all that it sees is told again under the new name.
        """

    def hypervisor_lost(hypervisor: str) -> None:
        """Take note of a lost connection; what was seen last may still be true."""

    def worked_off() -> Awaitable[None]:
        """
        Wait until the fabric has taken note of all that was told so far.

        A connection is read no further until then: who tells more than can be
        taken note of waits, and nobody else.  Whoever waits may cancel that.
        """


@frozen
class Surroundings:
    """What a plugin is given to be made of."""

    config: Config
    """The whole configuration, already validated."""
    reactor: Any
    """The reactor; a plugin never imports it."""
    warn: Callable[[str], None]
    """Say something that the operator should read."""


class IPluginMaker(IPlugin):
    """
    The way to a plugin, found by `twisted.plugin` in the package `quantum.plugins`.

    To ship one, put a module without ``__init__.py`` into
    ``quantum/plugins/`` somewhere on ``sys.path``, with an instance that
    provides this interface, and set ``[plugin] name``.
    """

    name: str = Attribute("The word that ``[plugin] name`` chooses it by.")

    def make(surroundings: Surroundings) -> object:
        """
        Make the plugin.

        :return: A provider of `IQuantumPlugin`, which may provide `IService`
            too: then it is started before and stopped after the API.
        :raise quantum.errors.QuantumError: It cannot work here; the message
            tells the operator what to fix.
        """
