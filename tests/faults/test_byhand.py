# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What people do by hand to switches of which networks span several."""

from tests.faults.case import YardTests
from tests.faults.yard import BRIDGE, OUTSIDE, TUNNEL

FOREIGN = "cookie=0x77,table=0,priority=7,in_port=4242,actions=drop"


class ByHandTests(YardTests):
    """It is undone where it is ours, and left where it is not."""

    def test_all_flows_deleted(self):
        """Flows that somebody deletes come back, with those to other hypervisors."""
        self.two.ovs.ofctl("del-flows", BRIDGE)
        self.assert_safe()
        self.await_flows("two")
