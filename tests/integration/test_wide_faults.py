# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Cables are cut, switches and databases crash, control is lost: who notices."""

import time

import pytest

from tests.integration.wide import WideTests
from tests.lab.proxy import Fault, Way

pytestmark = pytest.mark.root

PRESENCE = "openflow.echo_interval=1"
"""So that tests do not wait long until somebody is missed."""


class OutageTests(WideTests):
    """What fails disturbs nothing else, and comes back by itself."""

    settings = (PRESENCE,)

    def test_cable(self) -> None:
        """A hypervisor that is cut off is an island, until it is back."""

        def cut() -> None:
            self.site.underlay.cut(self.three)
            self.cloud.await_not_up(self.three.machines)

        def heal() -> None:
            self.site.underlay.heal(self.three)
            self.cloud.await_up(self.three.machines)

        self.assert_unnoticed(cut, "one", "two")
        self.assert_connected(cut=["three"])
        self.assert_unnoticed(heal, "one", "two")
        self.assert_connected()

    def test_changed_while_cut(self) -> None:
        """What changed while a hypervisor was cut off is right after it is back."""
        red, blue = self.site.machine("red-3"), self.site.machine("blue-1")
        self.site.underlay.cut(self.three)
        self.cloud.await_not_up(self.three.machines)
        self.cloud.detach(red)
        self.cloud.detach(blue)
        self.site.underlay.heal(self.three)
        gone = {red, blue}
        others = [m for m in self.site.observatory.machines if m not in gone]
        self.cloud.await_up([m for m in self.site.machines if m not in gone])
        self.assert_connected(others)
        for machine in gone:
            self.cloud.attach(machine)
        self.cloud.await_up(self.site.machines)
        self.assert_connected()

    def test_switch_crashed(self) -> None:
        """After a crash of one ovs-vswitchd all is as before; others lose nothing."""

        def restart() -> None:
            self.site.underlay.restart_switch(self.two)
            self.cloud.await_up(self.site.machines)

        self.assert_unnoticed(restart, "one", "three")
        self.assert_connected(patience=20.0)

    def test_database_crashed(self) -> None:
        """
        A crash of one ovsdb-server disturbs nobody else, and nothing for long.

        Open vSwitch's userspace datapath, unlike the kernel's, stands still
        while there is no database.
        """

        def restart() -> None:
            self.two.ovs.kill("ovsdb-server")
            self.two.ovs.start_database()
            time.sleep(2)
            self.cloud.await_up(self.site.machines)

        self.assert_unnoticed(restart, "one", "three")
        self.assert_connected()

    def test_daemon_crashed(self) -> None:
        """``kill -9`` of the daemon and its restart disturb no frame at all."""

        def restart() -> None:
            self.cloud.crash()
            time.sleep(1)
            self.cloud.restart()
            self.cloud.await_up(self.site.machines)

        self.assert_unnoticed(restart, "one", "two", "three")
        self.assert_connected()

    def test_all_restarted(self) -> None:
        """Everything that crashes at once comes back by itself."""
        self.cloud.crash()
        for hypervisor in self.site.hypervisors:
            self.site.underlay.restart_switch(hypervisor)
        self.cloud.restart()
        self.cloud.await_up(self.site.machines)
        self.assert_connected(patience=20.0)


class ControlTests(WideTests):
    """Control fails and frames do not notice."""

    settings = (PRESENCE,)
    is_detoured = True

    def setUp(self) -> None:
        """Let nothing be wrong after a test."""
        super().setUp()
        assert self.stage.detour is not None
        self.detour = self.stage.detour
        self.addCleanup(self.detour.behave)

    def survive(self, fault: Fault) -> None:
        """While control of one hypervisor is so, then no longer, frames go on."""

        def go_through() -> None:
            self.detour.do(fault, self.two)
            self.cloud.await_not_up(self.two.machines)
            self.detour.behave()
            self.cloud.await_up(self.site.machines)

        self.assert_unnoticed(go_through, "one", "two", "three")
        self.assert_connected()

    def test_refused(self) -> None:
        """Connections are refused."""
        self.survive(Fault(is_refusing=True))

    def test_half_open(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self.survive(Fault(is_swallowing=True))

    def test_deaf(self) -> None:
        """The switch speaks and hears nothing."""
        self.survive(Fault(Way.DOWN, is_swallowing=True))

    def test_mute(self) -> None:
        """The switch hears and nothing is heard of it."""
        self.survive(Fault(Way.UP, is_swallowing=True))

    def test_other_changes(self) -> None:
        """What changes elsewhere while one is out of control is right elsewhere."""
        red = self.site.machine("red-1")
        self.detour.do(Fault(is_refusing=True), self.two)
        self.cloud.await_not_up(self.two.machines)
        self.cloud.detach(red)
        others = [m for m in self.site.observatory.machines if m != red]
        self.assert_connected(others)
        self.detour.behave()
        self.cloud.attach(red)
        self.cloud.await_up(self.site.machines)
        self.assert_connected()

    def test_restarted_without_one(self) -> None:
        """What a daemon that starts anew cannot ask goes on as before."""
        reachable = [one for one in self.site.machines if one.host != "three"]

        def go_through() -> None:
            self.detour.do(Fault(is_refusing=True), self.three)
            self.cloud.await_not_up(self.three.machines)
            self.cloud.crash()
            self.cloud.restart()
            self.cloud.await_up(reachable)
            time.sleep(2)
            self.detour.behave()
            self.cloud.await_up(self.site.machines)

        self.assert_unnoticed(go_through, "one", "two", "three")
        self.assert_connected()

    def test_cut_anywhere(self) -> None:
        """Wherever in its stream a switch is cut off, frames go on, and it is back."""

        def go_through() -> None:
            for place in (1, 9, 100, 1000, 5000):
                self.detour.openflow.do(Fault(cut_at=place))
                self.detour.openflow.reset()
                time.sleep(0.7)
            self.detour.behave()
            self.cloud.await_up(self.site.machines)

        self.assert_unnoticed(go_through, "one", "two", "three")
        self.assert_connected()

    def test_garbled(self) -> None:
        """A stream in which bytes come twice is given up, and begun anew."""

        def go_through() -> None:
            self.detour.do(Fault(repetition=0.3))
            time.sleep(4)
            self.detour.behave()
            self.detour.openflow.reset()
            self.detour.ovsdb.reset()
            self.cloud.await_up(self.site.machines)

        self.assert_unnoticed(go_through, "one", "two", "three")
        self.assert_connected(patience=20.0)

    def test_slow(self) -> None:
        """Over a slow and late line all comes right, only later."""
        red = self.site.machine("red-1")
        self.detour.do(Fault(delay=0.1, rate=20_000.0))
        self.cloud.detach(red)
        others = [m for m in self.site.observatory.machines if m != red]
        self.assert_connected(others, patience=20.0)
        self.cloud.attach(red)
        self.cloud.await_up(self.site.machines)
        self.assert_connected()
