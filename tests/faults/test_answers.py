# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Switches that answer wrongly, refuse, or hardly read."""

import itertools
import random
import time

from tests.faults.case import YardTests
from tests.faults.middle import Edit, Trickle, Way
from tests.faults.proof import held
from tests.faults.yard import BRIDGE

SEED = 20261122
ECHO_REPLY, EXPERIMENTER, MULTIPART_REPLY, BARRIER_REPLY = 3, 4, 19, 21
ANSWERS = (EXPERIMENTER, MULTIPART_REPLY, BARRIER_REPLY)
BUNDLED_TABLE = 48
"""Where the table of a flow-mod is that is wrapped into a bundle."""
NO_TABLE = b"\xff"


class AnswerTests(YardTests):
    """It concerns the ports of that switch, and only while it lasts."""

    def spoil(self, edit):
        """While the second switch says something else, ask it for something."""
        self.middle.do("two", Edit(edit))
        self.two.ovs.ofctl("del-flows", BRIDGE)
        self.account.detach("red-2")
        self.account.detach("red-1")
        self.await_flows("one", "three")
        self.assert_safe("red-2")
        self.account.attach("red-2")
        self.account.attach("red-1")
        others = self.on(self.one, self.three)
        self.await_true(lambda: others <= self.account.up(), "the others are UP")
        time.sleep(1)  # so long something wrong might be believed
        self.assert_safe()

    def end(self):
        """Let the switch be as it should be, from a new connection on."""
        self.middle.behave()
        self.yard.reset("two")
        self.assert_right()

    def test_twice(self):
        """Answers that come twice are good once, and no flow goes because of them."""
        self.spoil(lambda way, text: (text * 2 if way is Way.UP else text,))
        self.await_flows("two")
        expected = set(held(self.two))
        for _ in range(20):
            time.sleep(0.1)  # in two seconds there are some audits
            self.assertEqual(expected, set(held(self.two)))
        self.end()

    def test_out_of_order(self):
        """Answers that overtake each other are each taken for what they are."""
        kept = []

        def edit(way, text):
            if way is Way.DOWN or text[1] not in {*ANSWERS, ECHO_REPLY}:
                return (text,)
            kept.append(text)
            if len(kept) < 2:
                return ()
            turned = kept[::-1]
            kept.clear()
            return turned

        self.spoil(edit)
        self.end()

    def test_wrong_number(self):
        """Answers to what was never asked say nothing; nobody is UP because of them."""

        def edit(way, text):
            if way is Way.DOWN or text[1] not in ANSWERS:
                return (text,)
            return (text[:4] + b"\x7f\xff\xff\xff" + text[8:],)

        self.spoil(edit)
        self.assertFalse(self.account.up() & {"red-2"})
        self.end()

    def test_never(self):
        """A switch that never answers but lives is dropped after thirty seconds."""
        silences = ({BARRIER_REPLY}, {MULTIPART_REPLY}, set(ANSWERS))
        for host, kinds in zip(self.yard.hosts, silences, strict=True):

            def edit(way, text, kinds=kinds):
                return (text,) if way is Way.DOWN or text[1] not in kinds else ()

            host.ovs.ofctl("del-flows", BRIDGE)
            self.middle.do(host.name, Edit(edit))
        self.account.detach("red-1")
        self.account.detach("red-2")
        self.account.attach("red-1")
        self.account.attach("red-2")
        self.assert_safe()
        numbers = [f"{host.datapath_id:016x}" for host in self.yard.hosts]
        for number in numbers:
            self.await_long(f"switch {number} does not answer; dropping it")
        self.middle.behave()
        # What was swallowed since then is not waited for once more.
        for host in self.yard.hosts:
            self.yard.reset(host.name)
        self.assert_right()

    def await_long(self, words):
        """Wait longer than a switch is waited for."""
        deadline = time.monotonic() + 90
        while words not in self.log and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertIn(words, self.log)

    def test_refused_flow(self):
        """Whichever flow of a bundle is refused once, all comes right soon."""
        chosen = random.Random(SEED)  # noqa: S311  # a test that can be repeated
        places = chosen.sample(range(40), 6)
        for numbers in (places[:3], places[3:]):
            for host, number in zip(self.yard.hosts, numbers, strict=True):
                self.middle.do(host.name, Edit(refusing(lambda n, _, k=number: n == k)))
                host.ovs.ofctl("del-flows", BRIDGE)
            self.assert_safe()
            self.assert_right()

    def test_refused_guest(self):
        """If what one guest needs is refused, it is DOWN and no other."""
        address = bytes.fromhex("020000000002")
        names = self.account.stays.keys() - {"red-2"}
        port = self.two.ofports()["red-2"].to_bytes(4)
        self.account.detach("red-2")
        self.await_flows()
        self.middle.do("two", Edit(refusing(lambda _, t: address in t and port in t)))
        self.account.attach("red-2")
        self.await_true(lambda: self.account.status("red-2") == "DOWN", "it is DOWN")
        self.await_true(
            lambda: "OpenFlow error" in self.yard.switches()["two"]["last_error"],
            "the operator is told",
        )
        self.await_up(*names)
        self.assert_safe()
        self.middle.behave()
        self.assert_right()

    def test_hardly_reads(self):
        """A switch that reads a byte a second is given up, and costs nobody else."""
        self.middle.do("two", Trickle(Way.DOWN, 1.0))
        self.account.detach("red-1")
        self.account.attach("red-1")
        self.await_flows("one", "three")
        self.await_up(*self.on(self.one, self.three))
        self.assert_safe()
        self.middle.behave()
        self.yard.reset("two")
        self.assert_right()


def refusing(is_bad):
    """Spoil flow-mods in bundles, told by their number and bytes."""
    counted = itertools.count()

    def edit(way, text):
        is_mod = text[1] == EXPERIMENTER and len(text) > 64 and text[25] == 14
        if way is Way.UP or not is_mod or text[49] != 0:
            return (text,)
        if not is_bad(next(counted), text):
            return (text,)
        return (text[:BUNDLED_TABLE] + NO_TABLE + text[BUNDLED_TABLE + 1 :],)

    return edit
