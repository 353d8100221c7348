# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Who is away while others go on: switches, databases, the daemon."""

from typing import ClassVar

from quantum.plugins.openvswitch.recollection import read_all
from tests.faults.case import YardTests
from tests.faults.middle import Refusal, Silence, Way
from tests.faults.proof import held
from tests.faults.yard import BRIDGE, Guest


class AwayTests(YardTests):
    """Whoever is away is missed, carried on, and put right when back."""

    def test_switch_restarted(self):
        """After a crash of ovs-vswitchd its flows and tunnel are there again."""
        self.two.restart_switch()
        self.assert_right()

    def test_hypervisor_restarted(self):
        """After a crash of both its daemons too."""
        self.two.ovs.kill("ovs-vswitchd")
        self.two.ovs.kill("ovsdb-server")
        self.await_up(*self.on(self.one, self.three))
        self.two.ovs.start_database()
        self.two.ovs.start_vswitchd()
        self.assert_right()

    def test_all_restarted(self):
        """Everything crashes at once, and comes back by itself."""
        self.yard.office.kill()
        for host in self.yard.hosts:
            host.ovs.kill("ovs-vswitchd")
            host.ovs.kill("ovsdb-server")
        for host in self.yard.hosts:
            host.ovs.start_database()
            host.ovs.start_vswitchd()
        self.yard.office.start()
        self.account.reopen()
        self.assert_right()

    def test_bridge_deleted(self):
        """A deleted bridge is made again with its tunnel; guests are plugged again."""
        guests = self.on(self.two)
        self.two.ovs.vsctl("del-br", BRIDGE)
        self.await_up(*self.on(self.one, self.three))
        self.await_true(lambda: BRIDGE in self.two.ovs.vsctl("list-br"), "it is there")
        for name in guests:
            self.account.plug(name, "two")
        self.assert_right()

    def test_openflow_away(self):
        """Ports there are not UP, others go on sending there; then it hears of all."""
        before = [held(host) for host in (self.one, self.three)]
        self.middle.do("two", Refusal())
        self.await_up(*self.on(self.one, self.three))
        self.await_log(f"{self.two.datapath_id:016x} on two is absent")
        self.assertEqual("absent", self.yard.phase("two"))
        self.assertEqual(before, [held(host) for host in (self.one, self.three)])
        self.account.detach("red-1")
        self.account.detach("red-2")
        self.await_flows("one", "three")
        self.assert_safe("red-2")
        self.middle.behave()
        self.assert_right()
        self.account.attach("red-1")
        self.account.attach("red-2")

    def test_half_open(self):
        """A switch of which nothing is heard is away after three echoes."""
        self.middle.do("two", Silence((Way.UP,)))
        self.await_log("3 echo requests were not answered")
        self.await_up(*self.on(self.one, self.three))
        self.middle.behave()
        self.assert_right()

    def test_database_away(self):
        """Without a database changes by REST are done, and plugs are seen later."""
        self.middle.do("two-db", Refusal())
        self.await_log("hypervisor two: ")
        self.assertEqual(self.account.stays.keys(), self.account.up())
        self.account.detach("red-2")
        self.await_flows()
        self.account.attach("red-2")
        self.await_flows()
        self.account.unplug("blue-2")
        self.account.plug("blue-2", "two")
        self.middle.behave()
        self.assert_right()

    def test_daemon_restarted_while_away(self):
        """What was seen last counts: others go on sending to who is away."""
        before = [held(host) for host in (self.one, self.three)]
        for channel in ("two", "two-db"):
            self.middle.do(channel, Refusal())
        self.await_up(*self.on(self.one, self.three))
        # What was seen in the last moment would not have been kept.
        self.await_true(lambda: not self.kept("two").is_in_reach, "it is written down")
        self.yard.office.kill()
        self.yard.office.start()
        self.account.reopen()
        self.await_true(
            lambda: self.yard.is_settled("one", "three"), "the rest settles"
        )
        self.assertEqual(before, [held(host) for host in (self.one, self.three)])
        self.await_up(*self.on(self.one, self.three))
        self.assert_safe()

    def kept(self, host):
        """Read what the daemon has kept of a hypervisor."""
        folder = self.yard.office.folder / "state" / "switches"
        (found,) = [one for one in read_all(folder) if one.hypervisor == host]
        return found

    def test_moved_while_away(self):
        """A guest that went on elsewhere is reached there after a while."""
        for channel in ("two", "two-db"):
            self.middle.do(channel, Refusal())
        self.await_up(*self.on(self.one, self.three))
        self.account.unplug("red-2")
        self.account.plug("red-2", "three")
        self.await_true(lambda: self.account.status("red-2") == "UP", "it goes on")
        self.assert_safe()
        self.middle.behave()
        self.assert_right()
        self.account.unplug("red-2")
        self.account.plug("red-2", "two")


class MigrationTests(YardTests):
    """A guest that is on two hosts while the first is away for a moment."""

    settings: ClassVar = ("openvswitch.absence_grace=3600",)

    def test_soon_back(self):
        """It stays on the first: the other's switch is told nothing at all."""
        add = ("add-port", BRIDGE, "red-2b", "--", "set", "interface", "red-2b")
        self.three.ovs.vsctl(*add, "type=dummy", "external_ids:iface-id=red-2")
        # What is told later is known, and so is this.
        self.account.unplug("red-3")
        self.await_up(*self.account.stays.keys() - {"red-3"})
        self.account.plug("red-3", "three")
        self.assert_right()
        before = held(self.three)
        for channel in ("two", "two-db"):
            self.middle.do(channel, Refusal())
        self.await_up(*self.on(self.one, self.three))
        self.middle.behave()
        self.assert_right()
        self.assertEqual(before, held(self.three))
        self.three.ovs.vsctl("del-port", BRIDGE, "red-2b")


class SyncTests(YardTests):
    """Ports change while a switch is being put right."""

    def test_ports_changed(self):
        """Ports that come, go and change their numbers meanwhile end as they are."""
        hold = Hold()
        self.middle.do("two", hold)
        self.yard.reset("two")
        self.await_true(lambda: hold.held, "the switch tells its flows")
        self.account.unplug("red-2")
        self.account.plug("red-2", "two", "ofport_request=77")
        self.account.unplug("blue-2")
        self.account.add_guest(Guest("red-5", 5), "red", "two")
        self.assert_safe("red-2", "blue-2", "red-5")
        hold.is_over = True
        self.await_true(lambda: self.yard.is_settled("two"), "it settles")
        self.account.plug("blue-2", "two")
        self.assert_right()
        self.account.unplug("red-5")
        self.account.remove_guest("red-5")


class Hold(Silence):
    """Keeps the switch's flows back until it is over."""

    is_framed = True

    def __init__(self):
        super().__init__()
        self.held = []
        self.is_over = False

    def carry(self, way, text):
        if way is Way.UP and not self.is_over and text[1] == 19 and text[9] == 1:
            self.held.append(text)
            return ()
        if way is Way.UP and self.is_over:
            held, self.held = self.held, []
            return (*held, text)
        return (text,)
