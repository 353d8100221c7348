# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""OpenFlow ports get other owners while the database cannot tell."""

from tests.faults.case import YardTests
from tests.faults.middle import Refusal


class RenumberedTests(YardTests):
    """What the database said last is not believed of another interface."""

    def test_number_given_again(self):
        """A guest that gets a gone guest's port number does not get its network."""
        number = self.two.ofports()["red-2"]
        self.middle.do("two-db", Refusal())
        self.await_log("hypervisor two: ")
        self.account.unplug("red-2")
        self.account.unplug("blue-2")
        self.account.plug("blue-2", "two", f"ofport_request={number}")
        self.assertEqual(number, self.two.ofports()["blue-2"])
        try:
            self.assert_safe()
        finally:
            self.middle.behave()
            self.account.unplug("blue-2")
            self.account.plug("blue-2", "two")
            self.account.plug("red-2", "two")
