# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What people and crashes do to Open vSwitch behind the daemon's back."""

import re
import signal
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.scene import Scene, await_true
from tests.lab.ovs import OpenVSwitch

SETTINGS = ("openvswitch.audit_interval=0.3", "openflow.echo_interval=0.5")
OUTPUT = re.compile(r"Datapath actions: (.*)")


class SwitchFaultTests(SynchronousTestCase):
    """Three machines are on a network, and are again, whatever is done."""

    def setUp(self):
        self.scene = Scene(SETTINGS, OpenVSwitch.start())
        self.addCleanup(self.scene.strike)
        self.ovs = self.scene.ovs
        self.scene.start()
        self.await_bridge()
        self.client = self.scene.client()
        self.network = self.client.network()
        self.ports = {}
        for number in (1, 2, 3):
            self.ask_for(number)
            self.plug(number)
        self.await_working()

    def await_bridge(self):
        """Wait until the daemon has made its bridge."""
        await_true(lambda: "br-int" in self.vsctl("list-br"), "the bridge is there")

    def vsctl(self, *words):
        return self.ovs.vsctl(*words)

    def ask_for(self, number):
        """Make a port for a machine."""
        self.ports[number] = self.client.new_port(self.network)
        reply = self.client.attach(self.ports[number], f"vif{number}")
        self.assertEqual(204, reply.code)

    def plug(self, number, *words, name=""):
        """Plug a machine's interface into the bridge."""
        name = name or f"p{number}"
        self.vsctl(*self.plugging(name, number, *words))

    def plugging(self, name, number, *words):
        """Compose the words with which an interface is plugged in."""
        claims = ("type=dummy", f"external_ids:iface-id=vif{number}")
        mac = f'external_ids:attached-mac="{mac_of(number)}"'
        add = ("add-port", "br-int", name, "--", "set", "interface", name)
        return (*add, *claims, mac, *words)

    def ofport(self, name):
        return self.vsctl("get", "interface", name, "ofport").strip()

    def up(self):
        """Which machines' ports are UP."""
        return {n for n, port in self.ports.items() if self.client.status(port) == "UP"}

    def reaches(self, number, other):
        """Whether a frame of one machine leaves by the other's interface."""
        frame = f"in_port={self.ofport(f'p{number}')},dl_src={mac_of(number)}"
        to = f"dl_dst={mac_of(other)},dl_type=0x88b5"
        traced = self.ovs.appctl("ofproto/trace", "br-int", f"{frame},{to}")
        found = OUTPUT.search(traced)
        numbers = self.ovs.appctl("dpif/show")
        name = re.search(rf"p{other} {self.ofport(f'p{other}')}/(\d+):", numbers)
        return bool(found and name and found[1] == name[1])

    def await_working(self, *numbers):
        """Wait until machines are UP, and no others; they reach each other."""
        numbers = set(numbers or self.ports)
        await_true(lambda: self.up() == numbers, f"{numbers} are UP")
        pairs = [(one, other) for one in numbers for other in numbers - {one}]
        await_true(lambda: all(self.reaches(*pair) for pair in pairs), f"{pairs} reach")

    def tearDown(self):
        """Nothing went wrong inside the daemon."""
        self.assertNotIn("Traceback", self.scene.log)

    def test_everything_restarted(self):
        """Both daemons of Open vSwitch crash, and come back without their flows."""
        self.ovs.kill("ovs-vswitchd")
        self.ovs.kill("ovsdb-server")
        await_true(lambda: not self.up(), "no port is UP")
        self.ovs.start_database()
        self.ovs.start_vswitchd()
        self.await_working()

    def test_switch_that_hangs(self):
        """A switch that does not answer is away; then it learns what changed."""
        (process,) = (p for p in self.ovs._processes if "vswitchd" in str(p.args))
        process.send_signal(signal.SIGSTOP)
        try:
            gone = self.ports.pop(1)
            self.assertEqual(204, self.client("DELETE", f"{gone}/attachment").code)
            await_true(lambda: not self.up(), "no port is UP")
        finally:
            process.send_signal(signal.SIGCONT)
        self.await_working()
        self.assertFalse(self.reaches(2, 1))

    def test_settings_changed(self):
        """Controller and fail mode are put back, and nothing else is asked for it."""
        deleted = ("del-controller", "br-int", "--", "del-fail-mode", "br-int")
        other = ("set-controller", "br-int", "tcp:127.0.0.1:1")
        for words in (deleted, (*other, "--", "set-fail-mode", "br-int", "standalone")):
            self.vsctl(*words)
            await_true(self.is_set_up, f"{words} is undone")
            self.await_working()

    def is_set_up(self):
        is_ours = "of.sock" in self.vsctl("get-controller", "br-int")
        return is_ours and self.vsctl("get-fail-mode", "br-int").strip() == "secure"

    def test_quiet(self):
        """A switch that stays as it should be is looked at, and not written about."""
        before, sent = self.scene.log, self.ovs.appctl("coverage/show")
        time.sleep(1.5)
        self.assertEqual(before, self.scene.log)
        self.assertNotEqual(sent, self.ovs.appctl("coverage/show"))

    def test_datapath_id_changed(self):
        """A switch that takes another number is the same switch."""
        self.vsctl(
            "set", "bridge", "br-int", "other-config:datapath-id=" + "0" * 15 + "7"
        )
        await_true(lambda: "0000000000000007 on" in self.scene.log, "it is noticed")
        self.await_working()

    def test_bridge_deleted(self):
        """A deleted bridge is made anew; machines are plugged in again, or not."""
        self.vsctl("del-br", "br-int")
        await_true(lambda: not self.up(), "no port is UP")
        self.await_bridge()
        self.plug(1)
        self.plug(3)
        self.await_working(1, 3)

    def test_bridge_replaced(self):
        """A bridge made by hand in place of ours becomes ours."""
        made = (
            "add-br",
            "br-int",
            "--",
            "set",
            "bridge",
            "br-int",
            "datapath_type=dummy",
        )
        self.vsctl("del-br", "br-int", "--", *made)
        for number in (1, 2, 3):
            self.plug(number)
        await_true(self.is_set_up, "the bridge is set up")
        self.await_working()

    def test_ofport_reused(self):
        """The number of a gone interface gives its next owner nothing."""
        request = f"ofport_request={self.ofport('p1')}"
        self.vsctl("del-port", "p1", "--", *self.plugging("p9", 9, request))
        await_true(lambda: self.up() == {2, 3}, "1 is not UP")
        heard = f"in_port={self.ofport('p9')}"
        await_true(lambda: heard not in self.carried(), "nothing is taken from p9")
        self.vsctl("del-port", "p9", "--", *self.plugging("p1", 1, request))
        self.await_working()

    def carried(self):
        """All flows in one text."""
        return "\n".join(self.ovs.flows("br-int"))

    def test_claims_exchanged(self):
        """Two machines exchange their interfaces in one transaction."""
        one = ("set", "interface", "p1", "external_ids:iface-id=vif2")
        two = ("set", "interface", "p2", "external_ids:iface-id=vif1")
        self.vsctl(*one, "--", *two)
        self.client("DELETE", f"{self.ports.pop(1)}/attachment")
        number = self.ofport("p2")
        await_true(lambda: f"in_port={number} " not in self.carried(), "p2 is silent")
        await_true(lambda: self.up() == {2, 3}, "the others are UP")

    def limit(self, table, flows):
        """Let a table of the switch hold so many flows and no more."""
        limit = (f"flow_limit={flows}", "overflow_policy=refuse")
        here = ("set", "bridge", "br-int", f"flow_tables:{table}=@ft")
        self.vsctl("--", "--id=@ft", "create", "Flow_Table", *limit, "--", *here)

    def test_table_full(self):
        """Ports without room are DOWN, the others work, and room heals them."""
        self.limit(0, 5)
        for number in range(4, 9):
            self.ask_for(number)
            self.plug(number)
        await_true(lambda: len(self.up()) == 5, "as many are UP as there is room for")
        self.assertLessEqual({1, 2, 3}, self.up())
        self.await_working(*self.up())
        freed = self.ports.pop(1)
        self.assertEqual(204, self.client("DELETE", f"{freed}/attachment").code)
        await_true(lambda: len(self.up()) == 5, "the room is used")
        self.vsctl("clear", "bridge", "br-int", "flow_tables")
        self.await_working()

    def test_table_full_and_restarted(self):
        """Whoever has room keeps it when the daemon or the connection comes back."""
        self.limit(0, 5)
        for number in range(4, 9):
            self.ask_for(number)
            self.plug(number)
        await_true(lambda: len(self.up()) == 5, "as many are UP as there is room for")
        lucky, taken = self.up(), self.taken()
        self.client.close()
        self.scene.kill()
        self.scene.start()
        self.client = self.scene.client()
        await_true(lambda: len(self.up()) == 5, "as many are UP again")
        self.assertEqual(lucky, self.up())
        self.assertEqual(taken, self.taken())

    def taken(self):
        """From which interfaces frames are taken."""
        return set(re.findall(r"priority=100,in_port=\"?(\w+)", self.carried()))

    def test_every_table_full(self):
        """A switch that takes nothing has no port UP, until it takes something."""
        for table in (0, 10, 20, 30, 40):
            self.limit(table, 1)
        self.ovs.ofctl("del-flows", "br-int")
        await_true(lambda: not self.up(), "no port is UP")
        self.vsctl("clear", "bridge", "br-int", "flow_tables")
        self.await_working()


def mac_of(number):
    """Give the address of a machine."""
    return f"02:00:00:00:00:{number:02x}"
