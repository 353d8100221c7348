# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""News of ports: however fast it comes, little waits, and the last word is right."""

from collections import deque
from collections.abc import Iterator

from attrs import define, field
from hypothesis import Phase as Stage
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import Vlan
from quantum.openflow.member import LocalPort, Member, RemotePort, remote_key
from quantum.openflow.session import Session
from quantum.plugins.openvswitch.spans import Spans
from quantum.plugins.openvswitch.switch import Switch

SWITCHES = (1, 2, 3, 4)
SEGMENTS = (1, 2, 3)

numbers = st.sampled_from(SWITCHES)
ofports = st.integers(1, 4)
segments = st.sampled_from(SEGMENTS)
macs = st.sampled_from((None, bytes(6)))


def switch(number: int) -> Switch:
    """Make a switch that others reach, and that takes everything it is told."""
    made = Switch(number, Session(lambda _: None))
    made.address = bytes([192, 0, 2, number])
    return made


@define
class Steps:
    """Does one job after another, step by step, when it is told to."""

    jobs: deque[Iterator[None]] = field(factory=deque)

    def do(self, job: Iterator[None]) -> None:
        self.jobs.append(job)

    def step(self) -> bool:
        """Do a step; whether there was one to do."""
        if self.jobs and next(self.jobs[0], self) is self:
            self.jobs.popleft()
        return bool(self.jobs)

    def finish(self) -> None:
        """Do all that there is to do."""
        while self.step():
            pass


class Gossip(RuleBasedStateMachine):
    """Ports change network, switches their address, and somebody tells of it slowly."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Steps()
        self.spans = Spans(self.steps)
        self.news = self.spans._news
        self.news._pause, self.news._breath = 1, 5
        self.switches = {number: switch(number) for number in SWITCHES}
        self.ports: dict[tuple[int, int], LocalPort] = {}
        self.vlans: dict[int, Vlan | None] = dict.fromkeys(SEGMENTS)
        self.marks: dict[int, Mark] = {}
        self.late: list[int] = []
        """What had not been told when somebody had waited for it."""

    @rule(number=numbers, ofport=ofports, segment=segments, mac=macs)
    def carry(self, number, ofport, segment, mac) -> None:
        """A port carries a network, maybe another one, or with another address."""
        port = self.ports[number, ofport] = LocalPort(ofport, segment, mac)
        self.note()
        self.spans.carry(self.switches[number], port, self.vlans[segment])

    @rule(number=numbers, ofport=ofports)
    def drop(self, number, ofport) -> None:
        """A port carries nothing any more."""
        self.ports.pop((number, ofport), None)
        self.note()
        self.spans.drop(self.switches[number], ofport)

    @rule(number=numbers, segment=segments, ofport=ofports)
    def flicker(self, number, segment, ofport) -> None:
        """A switch leaves a network with all of its ports, and is back at once."""
        mine = [(n, o) for n, o in self.ports if n == number]
        for _, other in mine:
            self.drop(number, other)
        self.carry(number, ofport, segment, None)

    @rule(number=numbers, last=st.sampled_from((0, 1, 9)))
    def move(self, number, last) -> None:
        """A switch has another address, or none."""
        address = bytes([192, 0, 2, last]) if last else b""
        if address != self.switches[number].address:
            self.switches[number].address = address
            self.note()
            self.spans.moved(self.switches[number])

    @rule(segment=segments)
    def bind(self, segment) -> None:
        """A network runs over a VLAN, or does no longer."""
        vlan = None if self.vlans[segment] else Vlan("external", 100 + segment)
        self.vlans[segment] = vlan
        self.note()
        for (number, _), port in self.ports.items():
            if port.segment == segment:
                self.spans.carry(self.switches[number], port, vlan)

    @rule(number=numbers)
    def wait(self, number) -> None:
        """Somebody waits until what is news now has been told."""
        self.marks[number] = Mark(self.due())

        def act() -> None:
            self.late += self.marks.pop(number).missing(self.known())

        self.spans.when_told(self.switches[number], act)

    @initialize(busy=st.lists(st.tuples(numbers, ofports, segments), max_size=20))
    def begin(self, busy) -> None:
        """Often much is news at the beginning."""
        for number, ofport, segment in busy:
            self.carry(number, ofport, segment, None)

    @rule(count=st.integers(1, 20))
    def listen(self, count) -> None:
        """Some words are told."""
        for _ in range(count):
            self.steps.step()

    @invariant()
    def little_waits(self) -> None:
        """What waits is bounded by what is true and what was told."""
        carried = {(self.switches[n], ofport) for n, ofport in self.ports}
        hearing = {(p.segment, self.switches[n]) for (n, _), p in self.ports.items()}
        told = self.news._told.items()
        known = {tuple(port) for _, one in told for port in one.ports}
        hearers = {(segment, who) for segment, one in told for who in one.hearers}
        subjects = {s if isinstance(s, Switch) else tuple(s) for s in self.waiting()}
        subjects -= set(self.switches.values())
        assert subjects <= carried | known | hearing | hearers
        assert self.late == []
        if not self.news._is_amid:
            assert known | hearers <= carried | hearing | subjects

    def teardown(self) -> None:
        """When all is told each switch knows what it should, and nobody waits."""
        self.steps.finish()
        assert not self.waiting()
        assert not self.marks
        assert self.late == []
        assert self.due() == self.known()

    def waiting(self) -> list:
        """List what waits."""
        return list(self.news._waiting)

    def note(self) -> None:
        """Take note of what is about to be another thing than it was."""
        due = self.due()
        for mark in self.marks.values():
            mark.take(due)

    def due(self) -> list[dict[int, Member]]:
        """Say what each switch should know of the others' ports."""
        return [self.due_to(number) for number in SWITCHES]

    def due_to(self, listener: int) -> dict[int, Member]:
        carried = {p.segment for (n, _), p in self.ports.items() if n == listener}
        due: dict[int, Member] = {}
        for (number, ofport), port in self.ports.items():
            address, segment = self.switches[number].address, port.segment
            is_told = segment in carried and self.vlans[segment] is None
            if number != listener and address and is_told:
                remote = RemotePort(address, segment, port.mac)
                due[remote_key(number, ofport)] = remote
        return due

    def known(self) -> list[dict[int, Member]]:
        """Say what each switch knows of the others' ports."""
        return [
            {key: m for key, m in s.session.members().items() if key < 1 << 128}
            for s in self.switches.values()
        ]


@define
class Mark:
    """What was due when somebody began to wait, and what is another thing since."""

    due: list[dict[int, Member]]
    changed: list[set[int]] = field(factory=lambda: [set() for _ in SWITCHES])

    def take(self, now: list[dict[int, Member]]) -> None:
        """Compare."""
        for changed, before, after in zip(self.changed, self.due, now, strict=True):
            keys = before.keys() | after.keys()
            changed |= {key for key in keys if before.get(key) != after.get(key)}

    def missing(self, known: list[dict[int, Member]]) -> list[int]:
        """List what has not changed since, and is not known."""
        return [
            key
            for due, now, changed in zip(self.due, known, self.changed, strict=True)
            for key in (due.keys() | now.keys()) - changed
            if due.get(key) != now.get(key)
        ]


class Broken(Session):
    """A session that cannot be told anything."""

    def want(self, key: int, member: Member | None) -> None:
        raise ValueError("by design")


class NewsTests(SynchronousTestCase):
    """A network of five switches, of which the first changes."""

    def setUp(self) -> None:
        """Let each carry the network, and all be told; the first has no port left."""
        self.steps = Steps()
        self.spans = Spans(self.steps)
        self.news = self.spans._news
        self.news._pause = 1
        self.home, *self.others = (switch(number) for number in range(1, 6))
        for number, one in enumerate(self.others):
            self.carry(one, 20 + number)
        self.steps.finish()

    def carry(self, home: Switch, ofport: int, mac: bytes | None = None) -> None:
        """Let a port carry the network."""
        self.spans.carry(home, LocalPort(ofport, 1, mac), None)

    def knowing(self, ofport: int) -> int:
        """Say how many of the others know a port of the first."""
        key = remote_key(self.home.datapath_id, ofport)
        return sum(key in one.session.members() for one in self.others)

    def most(self, flip) -> int:
        """Say how many words waited at most while something flipped very often."""
        most = 0
        for number in range(500):
            flip(number)
            most = max(most, len(self.news._waiting))
        self.steps.finish()
        return most

    def test_flipping(self) -> None:
        """A port that comes and goes is one word, and its switch another."""

        def flip(number: int) -> None:
            self.carry(self.home, 4)
            self.spans.drop(self.home, 4)

        self.assertLessEqual(self.most(flip), 2)
        self.assertEqual(0, self.knowing(4))

    def test_new_numbers(self) -> None:
        """Ports that come and go under ever new numbers leave nothing waiting."""

        def flip(number: int) -> None:
            self.carry(self.home, number + 1)
            self.spans.drop(self.home, number + 1)

        self.assertLessEqual(self.most(flip), 3)
        self.assertEqual(0, sum(map(self.knowing, range(1, 501))))

    def test_moving(self) -> None:
        """A switch whose address changes is a word for each of its ports."""
        for ofport in range(1, 51):
            self.carry(self.home, ofport)

        def flip(number: int) -> None:
            self.home.address = bytes([192, 0, 2, 100 + number % 2])
            self.spans.moved(self.home)

        self.assertLessEqual(self.most(flip), 51)
        members = self.others[0].session.members()
        self.assertEqual(bytes([192, 0, 2, 101]), members[remote_key(1, 50)].address)

    def test_back_as_it_was(self) -> None:
        """A port that was gone while some were told of it is told to all again."""
        self.carry(self.home, 4)
        while self.knowing(4) < 2:
            self.steps.step()
        self.spans.drop(self.home, 4)
        self.steps.step()
        self.carry(self.home, 4)
        self.steps.finish()
        self.assertEqual(4, self.knowing(4))

    def test_others_work(self) -> None:
        """Whatever else is to be done is done between two pieces of news."""
        self.news._breath, known = 10, []
        for ofport in range(1, 51):
            self.carry(self.home, ofport)

        def look():
            known.append(sum(map(self.knowing, range(1, 51))))
            yield

        self.steps.do(look())
        self.steps.finish()
        self.assertEqual(4, self.knowing(50))
        self.assertLess(known[0], 20)

    def test_waiting(self) -> None:
        """Who waits until all is told is not kept waiting by what comes later."""
        known = []
        self.carry(self.home, 4)
        self.spans.when_told(self.home, lambda: known.append(self.knowing(4)))
        self.spans.when_told(self.others[0], lambda: known.append(self.knowing(5)))
        self.carry(self.home, 5)
        self.steps.finish()
        self.assertEqual([4, 0], known)

    def test_waiting_again(self) -> None:
        """Who waits again waits for what has come since, and no longer as before."""
        known = []
        self.carry(self.home, 4)
        self.spans.when_told(self.home, lambda: known.append("before"))
        self.carry(self.home, 5)
        self.spans.when_told(self.home, lambda: known.append(self.knowing(5)))
        self.steps.finish()
        self.assertEqual([4], known)

    def test_one_word_lost(self) -> None:
        """If one cannot be told a word it alone is not, and hears the next."""
        broken = self.others[1]
        good, broken.session = broken.session, Broken(lambda _: None)
        self.carry(self.home, 4)
        self.steps.finish()
        broken.session = good
        self.carry(self.home, 5)
        self.steps.finish()
        self.assertEqual((3, 4), (self.knowing(4), self.knowing(5)))
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))

    def test_broken_promise(self) -> None:
        """What goes wrong with who has waited harms nobody behind it."""
        self.spans.when_told(self.home, [].pop)
        self.carry(self.home, 4)
        self.steps.finish()
        self.assertEqual(4, self.knowing(4))
        self.assertEqual(1, len(self.flushLoggedErrors(IndexError)))


Gossip.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=60,
    deadline=None,
    phases=[Stage.explicit, Stage.reuse, Stage.generate],
)
GossipTests = Gossip.TestCase
