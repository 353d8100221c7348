# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What people do by hand to switches of which networks span several."""

import random

from tests.faults.case import YardTests
from tests.faults.proof import held
from tests.faults.yard import BRIDGE, OUTSIDE, TUNNEL

SEED = 20261122
FOREIGN = "cookie=0x77,table=0,priority=7,in_port=4242,actions=drop"
STRAY = "cookie=0x77,table=200,priority=7,tun_id=5,actions=output:65000"


class FlowTests(YardTests):
    """Our flows are put right, and those of others are left alone."""

    def test_all_deleted(self):
        """Flows that somebody deletes come back, with those to other hypervisors."""
        self.two.ovs.ofctl("del-flows", BRIDGE)
        self.assert_safe()
        self.await_flows("two")

    def test_each_deleted(self):
        """Whichever flow is deleted, nothing leaks, and it comes back."""
        flows = held(self.two)
        for flow in random.Random(SEED).sample(flows, 6):  # noqa: S311  # repeatable
            match = f"cookie={flow.cookie:#x}/-1"
            self.two.ovs.ofctl("del-flows", BRIDGE, match)
            self.assert_safe()
            self.await_flows("two")

    def test_led_astray(self):
        """A flow to another hypervisor whose target was changed is put right."""
        red, tunnel = self.account.nets["red"].segment, self.one.ofports()[TUNNEL]
        flow = f"table=33,metadata={red}/0x1ffffffff,actions=output:{tunnel}"
        self.one.ovs.ofctl("mod-flows", BRIDGE, flow)
        self.await_flows("one")

    def test_foreign(self):
        """Nobody else's flow is changed by audits, a new connection or a restart."""
        for host in self.yard.hosts:
            host.ovs.ofctl("add-flow", BRIDGE, FOREIGN)
            host.ovs.ofctl("add-flow", BRIDGE, STRAY)
            self.addCleanup(host.ovs.ofctl, "del-flows", BRIDGE, "cookie=0x77/-1")
        before = [
            (strangers(host), host.ovs.flows(OUTSIDE)) for host in self.yard.hosts
        ]
        self.two.ovs.ofctl(
            "del-flows", BRIDGE, "cookie=0x5100000000000000/0xff" + "0" * 14
        )
        self.yard.reset("one")
        self.yard.office.kill()
        self.yard.office.start()
        self.account.reopen()
        self.assert_right()
        after = [(strangers(host), host.ovs.flows(OUTSIDE)) for host in self.yard.hosts]
        self.assertEqual(before, after)
        self.assertEqual(2, len(after[0][0]))


class TunnelTests(YardTests):
    """Tunnels are repaired, follow their addresses, and never lead astray."""

    def test_broken(self):
        """A tunnel port that somebody deletes or leads elsewhere is put right."""
        broken = ("set", "interface", TUNNEL)
        self.one.ovs.vsctl(*broken, "options:remote_ip=10.99.0.99", "options:key=7")
        self.two.ovs.vsctl("del-port", TUNNEL)
        self.three.ovs.vsctl(*broken, "type=gre")
        self.assert_safe()
        self.assert_right()
        self.one.ovs.vsctl("clear", "interface", TUNNEL, "options")
        self.two.ovs.vsctl(*broken, "ofport_request=7")
        self.three.ovs.vsctl("del-port", TUNNEL)
        self.assert_safe()
        self.assert_right()

    def test_address_changed(self):
        """When a hypervisor has another address, all send to that."""
        before = self.two.number
        self.addCleanup(self.move, self.two, before)
        self.move(self.two, 12)
        self.assert_right()
        self.move(self.two, before)
        self.assert_right()

    def move(self, host, number):
        """Give a hypervisor another tunnel address."""
        host.number = number
        ids = f"external_ids:quantum-tunnel-ip={host.address}"
        host.ovs.vsctl("set", "open_vswitch", ".", ids)

    def test_address_of_another(self):
        """An address that two have is the first one's; the other is alone."""
        before = self.three.number
        self.move(self.three, self.two.number)
        self.await_log(
            "hypervisors two and three have the same tunnel address 10.99.0.2;"
            " only two is reached by it"
        )
        self.three.number = before  # where frames to 10.99.0.2 go, the first one is
        self.await_true(lambda: "10.99.0.3" not in carried(self.one), "three is let go")
        self.assert_safe()
        self.move(self.three, before)
        self.assert_right()

    def test_no_address(self):
        """Without an address nobody sends there; local and VLAN frames go on."""
        remove = ("remove", "open_vswitch", ".", "external_ids", "quantum-tunnel-ip")
        self.two.ovs.vsctl(*remove)
        self.await_true(
            lambda: self.two.address not in carried(self.one), "nobody sends"
        )
        self.await_up(*self.account.stays)
        self.assert_safe()
        self.move(self.two, self.two.number)
        self.assert_right()


def strangers(host):
    """List the flows that are not ours."""
    flows = host.ovs.flows(BRIDGE)
    return sorted(f for f in flows if not f.startswith(("cookie=0x51", "cookie=0x52")))


def carried(host):
    """Give all flows in one text."""
    return "\n".join(host.ovs.flows(BRIDGE))
