# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Stories of operators and tenants, told at random, of three hypervisors and a daemon.

After every step no frame goes where it must not; whenever no fault is on,
everything becomes as it must be.  ``QUANTUM_STORIES`` says how many stories
are told, ``QUANTUM_STORY_SEED`` which.
"""

import os
import time
from itertools import count

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.faults.account import Account
from tests.faults.case import until_right
from tests.faults.middle import HONEST, Refusal, Silence
from tests.faults.passage import Passage, leaks
from tests.faults.proof import held
from tests.faults.yard import BRIDGE, OUTSIDE, Guest, Yard

STORIES = int(os.environ.get("QUANTUM_STORIES", "10"))
SEED = int(os.environ.get("QUANTUM_STORY_SEED", "1"))
STEPS = 15
CRASHES = 2
"""In one story: they take long."""
SETTLING = 20.0
GUESTS = (
    Guest("anna", 1),
    Guest("bert", 2),
    Guest("cora", 3, is_known=False),
    Guest("dora", 1),
    Guest("emil", 2),
)
OPENING = (
    (GUESTS[0], "red", "one"),
    (GUESTS[1], "red", "two"),
    (GUESTS[3], "blue", "two"),
)
NETS = ("red", "blue", "green")
VLANS = count(100)
"""The VLAN of a deleted network is not given again at once."""
HOSTS = ("one", "two", "three")
DEEDS = ("attach", "detach", "unplug", "ACTIVE", "DOWN", *HOSTS)
CHANNELS = ("openflow", "database", "both")
MANNERS = {"refused": Refusal, "half open": Silence}
FOREIGN = "cookie=0x77,table=200,priority=7,in_port={},actions=drop"


class _Theatre:
    """One yard for all stories."""

    yard: Yard | None = None


def _yard() -> Yard:
    assert _Theatre.yard is not None
    return _Theatre.yard


def setup_module():
    """Start everything."""
    _Theatre.yard = Yard.start()


def teardown_module():
    """Take everything away."""
    _yard().stop()


def some(what):
    """Choose among what there is now."""
    return st.runner().flatmap(lambda story: st.sampled_from(sorted(what(story))))


guests = some(lambda story: story.account.stays)
nets = some(lambda story: story.account.nets)
cut_hosts = some(lambda story: story.cuts)
hosts = st.sampled_from(HOSTS)


class Story(RuleBasedStateMachine):
    """What people do, and what happens to them."""

    def __init__(self):
        super().__init__()
        self.yard = _yard()
        self.account = Account.open(self.yard)
        self.cuts = {}
        self.doubts = {}
        self.foreign = {host: [] for host in HOSTS}
        self.crashes = 0
        self.has_failed = False

    @initialize()
    def opening(self):
        """Three networks and three guests are there."""
        self.has_failed = True
        for net in NETS:
            self.add_net(net)
        for guest, net, host in OPENING:
            self.account.add_guest(guest, net, host)
        self.settle()
        self.has_failed = False

    def teardown(self):
        """End a story: all is healed, becomes right, and is taken away."""
        self.yard.middle.behave()
        try:
            if not self.has_failed:
                self.has_failed = True
                self.end()
                self.has_failed = False
        finally:
            self.account.client.close()
            if self.has_failed:
                teardown_module()
                setup_module()

    def end(self):
        """Heal everything, look once more, and leave nothing behind."""
        for host in list(self.cuts):
            self.join(host)
        self.settle()
        for net in list(self.account.nets):
            self.account.remove_net(net)
        for host in self.yard.hosts:
            host.ovs.ofctl("del-flows", BRIDGE, "cookie=0x77/-1")
        self.settle()

    # Tenants

    @precondition(lambda self: len(self.account.nets) < len(NETS))
    @rule(name=some(lambda story: set(NETS) - story.account.nets.keys()))
    def network(self, name):
        """A tenant makes a network; the green one is bound to a VLAN."""
        self.add_net(name)
        self.look()

    @precondition(lambda self: self.account.nets)
    @precondition(lambda self: len(self.account.stays) < len(GUESTS))
    @rule(
        name=some(lambda s: {g.name for g in GUESTS} - s.account.stays.keys()),
        net=nets,
        host=hosts,
    )
    def boot(self, name, net, host):
        """A guest is booted on a host, and attached to a network."""
        (guest,) = (guest for guest in GUESTS if guest.name == name)
        self.account.add_guest(guest, net, host)
        self.doubts.setdefault(name, set())
        self.look()

    @precondition(lambda self: self.account.stays)
    @rule(name=guests)
    def detach(self, name):
        """A guest is detached from its port."""
        self.change(name, lambda: self.account.detach(name))

    @precondition(lambda self: self.account.stays)
    @rule(name=guests)
    def attach(self, name):
        """A guest is attached to its port again, if it was detached."""
        self.change(name, lambda: self.account.attach(name))

    @precondition(lambda self: self.account.stays)
    @rule(name=guests, is_active=st.booleans())
    def ask(self, name, is_active):
        """A port is set DOWN or ACTIVE."""
        self.change(name, lambda: self.account.set_active(name, is_active=is_active))

    @precondition(lambda self: self.account.stays)
    @rule(name=guests, net=nets)
    def change_network(self, name, net):
        """A guest is detached, its port deleted, and attached to some network."""
        stay = self.account.stays[name]

        def leave_and_come():
            self.account.remove_guest(name)
            self.account.add_guest(stay.guest, net, stay.host)

        self.change(name, leave_and_come)

    @precondition(lambda self: self.account.nets)
    @rule(net=nets)
    def delete_network(self, net):
        """A network is deleted; its guests are shut down before."""
        self.account.remove_net(net)
        self.doubts = {n: d for n, d in self.doubts.items() if n in self.account.stays}
        self.look()

    # Operators

    @precondition(lambda self: self.account.stays)
    @rule(name=guests, host=hosts)
    def move(self, name, host):
        """A guest goes to another host."""
        self.account.unplug(name)
        self.account.plug(name, host)
        self.doubts.setdefault(name, set())
        self.look()

    @precondition(lambda self: self.account.stays)
    @rule(name=guests)
    def unplug(self, name):
        """A guest's interface is taken out of its host."""
        self.account.unplug(name)
        self.look()

    @precondition(lambda self: self.account.stays)
    @rule(deeds=st.lists(st.tuples(guests, st.sampled_from(DEEDS)), min_size=2))
    def hurry(self, deeds):
        """Many things are asked before any of them is done."""
        self.do_at_once(deeds)
        self.look()

    @precondition(lambda self: self.account.stays and self.crashes < CRASHES)
    @rule(deeds=st.lists(st.tuples(guests, st.sampled_from(DEEDS)), min_size=1))
    def hurry_and_crash(self, deeds):
        """Many things are asked, and the daemon is killed at once."""
        self.do_at_once(deeds)
        self.restart()
        self.look()

    @rule(
        host=hosts, channel=st.sampled_from(CHANNELS), how=st.sampled_from([*MANNERS])
    )
    def cut(self, host, channel, how):
        """A hypervisor's control is cut."""
        self.join(host)
        self.cuts[host] = channel
        for name, kind in ((host, "openflow"), (f"{host}-db", "database")):
            if channel in {kind, "both"}:
                self.yard.middle.do(name, MANNERS[how]())
        self.look()

    @precondition(lambda self: self.cuts)
    @rule(host=cut_hosts)
    def heal(self, host):
        """It is back."""
        self.join(host)
        self.look()

    @precondition(lambda self: self.crashes < CRASHES)
    @rule()
    def crash(self):
        """The daemon is killed and started again."""
        self.restart()
        self.look()

    @rule(host=hosts)
    def restart_switch(self, host):
        """A hypervisor's ovs-vswitchd crashes and is started again."""
        self.yard.host(host).restart_switch()
        self.foreign[host] = []
        self.look()

    @rule(host=hosts, which=st.integers(0, 30))
    def delete_flow(self, host, which):
        """Somebody deletes a flow of ours by hand."""
        flows = held(self.yard.host(host))
        if flows:
            cookie = flows[which % len(flows)].cookie
            match = f"cookie={cookie:#x}/-1"
            self.yard.host(host).ovs.ofctl("del-flows", BRIDGE, match)
        self.look()

    @rule(host=hosts, number=st.integers(4000, 4003))
    def add_foreign(self, host, number):
        """Somebody adds a flow of his own, which is none of our business."""
        self.yard.host(host).ovs.ofctl("add-flow", BRIDGE, FOREIGN.format(number))
        self.foreign[host] = strangers(self.yard.host(host))

    def add_net(self, name):
        """Make a network."""
        self.account.add_net(name, next(VLANS) if name == "green" else 0)

    # What must be true

    def do_at_once(self, deeds):
        """Do many things to guests, and wait for nothing."""
        for name, deed in deeds:
            self.doubts.setdefault(name, set()).add(self.account.stays[name].net)
            if deed in HOSTS:
                self.account.unplug(name)
                self.account.plug(name, deed)
            elif deed in {"DOWN", "ACTIVE"}:
                self.account.set_active(name, is_active=deed == "ACTIVE")
            else:
                getattr(self.account, deed)(name)

    def restart(self):
        """Kill the daemon and start it again."""
        self.crashes += 1
        self.yard.office.kill()
        self.yard.office.start()
        self.account.reopen()

    def change(self, name, act):
        """Do something to a guest whom its switch may not hear of."""
        stay = self.account.stays[name]
        act()
        self.doubts.setdefault(name, set()).add(stay.net)
        self.look()

    def join(self, host):
        """Let control of a hypervisor be as it should be."""
        self.cuts.pop(host, None)
        for name in (host, f"{host}-db"):
            self.yard.middle.do(name, HONEST)
            self.yard.middle.reset(name)

    def look(self):
        """After each step: what was settled is safe at once, the rest soon."""
        self.has_failed = True
        self.assert_safe()
        if self.cuts:
            self.await_safe()
        else:
            self.settle()
        self.assert_foreign()
        self.has_failed = False

    def assert_safe(self):
        """No frame goes where it must not."""
        bad = list(leaks(self.account, Passage.now(self.yard), self.doubts))
        assert not bad, (bad, self.surroundings())

    def await_safe(self):
        """Wait until only those are in doubt whose switch cannot be told."""
        stays = self.account.stays
        away = {host for host, channel in self.cuts.items() if channel != "database"}
        left = {n: d for n, d in self.doubts.items() if stays[n].host in away}
        deadline = time.monotonic() + SETTLING
        while bad := list(leaks(self.account, Passage.now(self.yard), left)):
            assert time.monotonic() < deadline, (bad, self.surroundings())
            time.sleep(0.05)
        self.doubts = left

    def settle(self):
        """Everything becomes as it must be."""
        bad = until_right(self.account, SETTLING)
        assert not bad, (bad, self.surroundings())
        self.doubts.clear()

    def surroundings(self):
        """Say what may explain a failure."""
        stays = [str(stay) for stay in self.account.stays.values()]
        return (stays, self.yard.switches(), self.yard.office.log[-3000:])

    def assert_foreign(self):
        """What is not ours is as it was."""
        for host in self.yard.hosts:
            assert self.foreign[host.name] == strangers(host)
            assert [flow.rpartition(" ")[2] for flow in host.ovs.flows(OUTSIDE)] == [
                "actions=NORMAL"
            ]


def strangers(host):
    """List the flows of the integration bridge that are not ours."""
    flows = host.ovs.flows(BRIDGE)
    return sorted(f for f in flows if not f.startswith(("cookie=0x51", "cookie=0x52")))


StoryTests = seed(SEED)(Story).TestCase
StoryTests.settings = settings(
    max_examples=STORIES,
    stateful_step_count=STEPS,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
