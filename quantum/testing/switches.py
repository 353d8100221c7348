# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: PT009  (contracts are written for trial, as its users are)
"""The contract of `ISwitches`, as tests, and switches that are only listed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from quantum.errors import QuantumError, SwitchInReach, SwitchNotFound
from quantum.interfaces import ISwitches
from quantum.model import SwitchStatus

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    # A mixin, so that no test runner takes the contract itself for a test.
    _Case = object

THERE = "00000000000000aa"
GONE = "00000000000000bb"
RECORDED = "00000000000000cc"
UNKNOWN = "00000000000000dd"


@implementer(ISwitches)
@define
class MemorySwitches:
    """Switches that stand as they are said to; those ``in_reach`` stay."""

    statuses: dict[str, SwitchStatus] = field(factory=dict)
    in_reach: set[str] = field(factory=set)

    def switch_statuses(self) -> Iterable[SwitchStatus]:
        return list(self.statuses.values())

    async def forget_switch(self, datapath_id: str) -> None:
        if datapath_id not in self.statuses:
            raise SwitchNotFound(datapath_id)
        if datapath_id in self.in_reach:
            raise SwitchInReach(datapath_id)
        del self.statuses[datapath_id]


class SwitchesContract(_Case):
    """
    What whoever lists switches promises; supply ``make_switches``.

    If it answers with Deferreds that fire later, supply ``pass_time`` as well.
    """

    def make_switches(self) -> object:
        """
        Make a provider of `ISwitches` that knows of three.

        `THERE` is connected, `GONE` was, and `RECORDED` is only recorded.
        """
        raise NotImplementedError

    def pass_time(self) -> None:
        """Let go by whatever time an answer needs."""

    def setUp(self) -> None:
        """Make the switches."""
        super().setUp()
        self.switches: Any = self.make_switches()

    def listed(self) -> list[str]:
        """List their datapath ids."""
        return sorted(status.datapath_id for status in self.switches.switch_statuses())

    def forget(self, datapath_id: str) -> tuple[type, str] | None:
        """Ask that a switch be forgotten; why it was not, if so."""
        answer = maybeDeferred(self.switches.forget_switch, datapath_id)
        refusals: list[Any] = []
        answer.addErrback(lambda failure: refusals.append(failure.value))
        self.pass_time()
        self.assertIsNone(self.successResultOf(answer))
        for refusal in refusals:
            self.assertIsInstance(refusal, QuantumError)
            return type(refusal), refusal.datapath_id
        return None

    def test_provides_the_interface(self) -> None:
        """Every method is there with its parameters."""
        self.assertTrue(verifyObject(ISwitches, self.switches))

    def test_lists(self) -> None:
        """Every switch is listed once, also one that is only recorded."""
        self.assertEqual([THERE, GONE, RECORDED], self.listed())

    def test_forgets(self) -> None:
        """A forgotten switch is listed no longer, and cannot be forgotten again."""
        for name in (GONE, RECORDED):
            self.assertIsNone(self.forget(name))
            self.assertEqual((SwitchNotFound, name), self.forget(name))
        self.assertEqual([THERE], self.listed())

    def test_forgets_at_once(self) -> None:
        """Of two who ask at a time both hear that it is forgotten, or one of them."""
        first, second = (maybeDeferred(self.switches.forget_switch, GONE) for _ in "12")
        second.addErrback(lambda failure: failure.trap(SwitchNotFound) and None)
        self.pass_time()
        for answer in (first, second):
            self.assertIsNone(self.successResultOf(answer))
        self.assertEqual([THERE, RECORDED], self.listed())

    def test_keeps_what_is_in_reach(self) -> None:
        """A switch that is connected stays."""
        self.assertEqual((SwitchInReach, THERE), self.forget(THERE))
        self.assertEqual([THERE, GONE, RECORDED], self.listed())

    def test_refuses_what_is_none(self) -> None:
        """What was never heard of, or is no datapath id as listed, is not found."""
        padded = (f" {GONE}", f"{GONE}\n", f"0x{GONE}", GONE.upper(), GONE.lstrip("0"))
        for name in (UNKNOWN, "", "br-int", "0" * 15 + "_", "\u0660" * 16, *padded):
            self.assertEqual((SwitchNotFound, name), self.forget(name))
        self.assertEqual([THERE, GONE, RECORDED], self.listed())
