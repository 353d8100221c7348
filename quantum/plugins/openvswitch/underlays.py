# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""By what switches reach each other, and whose each tunnel address is."""

from ipaddress import IPv4Address

from attrs import Factory, define, field
from twisted.logger import Logger

from quantum.openflow.facts import Underlay
from quantum.plugins.openvswitch.claims import Claims
from quantum.plugins.openvswitch.spans import Spans
from quantum.plugins.openvswitch.switch import Switch

log = Logger()


@define(eq=False)
class Underlays:
    """
    What every switch is reached by.

    A tunnel address that two switches have is the first one's, unless that is
    out of reach and the other is not.  A switch that cannot be reached uses no
    tunnel either: otherwise frames would find their way in one direction.
    """

    _spans: Spans
    _claims: Claims[bytes, Switch] = field(
        default=Factory(lambda: Claims(lambda switch: switch.is_in_reach))
    )

    def take(self, switch: Switch, underlay: Underlay) -> set[Switch]:
        """
        Take note of a switch's underlay.

        :return: The switches that are reached otherwise than before.
        """
        before, switch.underlay = switch.underlay.address, underlay
        affected: set[Switch] = set()
        if before and before != underlay.address:
            self._claims.remove(before, switch)
            affected |= self._settle(before)
        if underlay.address and before != underlay.address:
            self._claims.add(underlay.address, switch)
            self._complain(underlay.address)
        if self._apply(switch):
            affected.add(switch)
        return affected | self.settle(switch)

    def settle(self, switch: Switch) -> set[Switch]:
        """
        Look again who has a switch's address, because somebody's reach changed.

        :return: As `take` says.
        """
        return self._settle(switch.underlay.address)

    def _settle(self, address: bytes) -> set[Switch]:
        return {one for one in self._claims.settle(address) if self._apply(one)}

    def _apply(self, switch: Switch) -> bool:
        """Work out by what a switch is reached; whether that is news."""
        before, underlay = (switch.address, switch.solitude), switch.underlay
        switch.solitude = self._solitude(switch)
        switch.address = b"" if switch.solitude else underlay.address
        switch.session.use_tunnel(0 if switch.solitude else underlay.tunnel)
        if switch.address != before[0]:
            self._spans.moved(switch)
        return before != (switch.address, switch.solitude)

    def _solitude(self, switch: Switch) -> str:
        """Say why a switch is not reached, if so."""
        underlay, who = switch.underlay, f"hypervisor {switch.hypervisor}"
        if not underlay.address:
            return underlay.problem or f"{who} has no tunnel address"
        first = self._claims.claimants(underlay.address)[0]
        if first is not switch:
            return (
                f"its tunnel address {IPv4Address(underlay.address)} is also that of"
                f" hypervisor {first.hypervisor}"
            )
        if not underlay.tunnel:
            return underlay.problem or f"{who} has no tunnel port yet"
        return ""

    def _complain(self, address: bytes) -> None:
        first, *others = self._claims.settle(address)
        if others:
            log.error(
                "hypervisors {first} and {others} have the same tunnel address"
                " {address}; only {first} is reached by it",
                first=first.hypervisor,
                others=", ".join(other.hypervisor for other in others),
                address=IPv4Address(address),
            )
