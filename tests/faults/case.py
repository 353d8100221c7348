# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A test case whose tests share a yard, and find and leave everything right."""

import time
from contextlib import suppress
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.faults.account import Account
from tests.faults.passage import Passage, leaks
from tests.faults.proof import differences, problems
from tests.faults.yard import PATIENCE, Guest, Host, Yard
from tests.lab.ovs import LabError

POPULATION = (
    (Guest("red-1", 1), "red", "one"),
    (Guest("red-2", 2), "red", "two"),
    (Guest("red-3", 3, is_known=False), "red", "three"),
    (Guest("red-4", 4), "red", "one"),
    (Guest("blue-1", 1), "blue", "one"),
    (Guest("blue-2", 2), "blue", "two"),
    (Guest("green-2", 2), "green", "two"),
    (Guest("green-3", 3), "green", "three"),
)
VLAN = 100


class YardTests(SynchronousTestCase):
    """Every test begins where all guests are UP, and ends there."""

    settings: ClassVar[tuple[str, ...]] = ()
    yard: ClassVar[Yard]
    account: ClassVar[Account]

    @classmethod
    def setUpClass(cls):
        """Start everything, and plug everybody in."""
        cls.yard = Yard.start(*cls.settings)
        try:
            cls.account = populated(cls.yard)
        except BaseException:
            cls.yard.stop()
            raise

    @classmethod
    def tearDownClass(cls):
        """Take everything away."""
        cls.yard.stop()

    def setUp(self):
        """Begin where all is right."""
        self.middle = self.yard.middle
        self.one, self.two, self.three = self.yard.hosts[:3]
        self.said = len(self.yard.office.log)
        self.assert_right()

    def tearDown(self):
        """End where all is right, and nothing went wrong inside the daemon."""
        self.middle.behave()
        self.assert_right()
        self.assertNotIn("Traceback", self.log)

    @property
    def log(self):
        """What the daemon has said since the test began."""
        return self.yard.office.log[self.said :]

    def await_true(self, is_true, text):
        """Wait for something to become true."""
        self.yard.await_true(is_true, text)

    def await_log(self, words):
        """Wait until the daemon has said something."""
        self.await_true(lambda: words in self.log, f"it says: {words}")

    def await_up(self, *names):
        """Wait until these guests' ports are UP, and no others."""
        expected = set(names)
        self.await_true(lambda: self.account.up() == expected, f"only {names} are UP")

    def await_flows(self, *hosts):
        """Wait until switches hold what they must."""
        self.await_true(
            lambda: not list(differences(self.account, *hosts)), f"flows on {hosts}"
        )

    def assert_right(self):
        """Everything becomes as it must be: flows, statuses, frames (L1 to L3)."""
        found = until_right(self.account)
        self.assertEqual([], found, self.yard.switches())

    def assert_safe(self, *doubtful):
        """No frame goes where it must not, whatever has failed (I1 to I3)."""
        passage, doubts = Passage.now(self.yard), dict.fromkeys(doubtful, ())
        self.assertEqual([], list(leaks(self.account, passage, doubts)))

    def on(self, *hosts: Host):
        """List the guests of some hypervisors."""
        names = {host.name for host in hosts}
        stays = self.account.stays.values()
        return {stay.guest.name for stay in stays if stay.host in names}


def populated(yard):
    """Make three networks, one of them a VLAN, and plug everybody in."""
    account = Account.open(yard)
    account.add_net("red")
    account.add_net("blue")
    account.add_net("green", VLAN)
    for guest, net, host in POPULATION:
        account.add_guest(guest, net, host)
    return account


def until_right(account, patience=PATIENCE):
    """Look until nothing is wrong; what is wrong at last."""
    deadline = time.monotonic() + patience
    found = ["nobody has looked"]
    while found and time.monotonic() < deadline:
        # While a switch restarts it has no ports, or does not answer at all.
        found = ["a switch does not answer"]
        with suppress(LabError, OSError, KeyError):
            found = problems(account)
        if found:
            time.sleep(0.03)
    return found
