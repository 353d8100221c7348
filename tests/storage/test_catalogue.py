# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is read from memory: statuses of networks, and what a port costs."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import UP, AdminState, Network, OpStatus, Port, Status
from quantum.storage.catalogue import Catalogue

BUDGET = 600
"""Bytes of memory that one attached port may cost."""

WEIGH = """
import tracemalloc
from uuid import uuid4
from quantum.model import AdminState, Network, Port
from quantum.storage.catalogue import Catalogue
catalogue = Catalogue()
tracemalloc.start()
for n in range(1000):
    network = Network(str(uuid4()), f"tenant-{n % 100}", f"network {n}", n + 1)
    catalogue.put_network(network)
    for _ in range(20):
        port = Port(str(uuid4()), network.id, AdminState.ACTIVE, str(uuid4()))
        catalogue.put_port(port)
print(tracemalloc.get_traced_memory()[0] // 20_000)
"""

statuses = st.sampled_from(list(OpStatus)).map(Status)
free = st.builds(
    Port,
    id=st.sampled_from("abc"),
    network_id=st.just("net"),
    admin_state=st.sampled_from(AdminState),
    status=statuses,
)
plugged = st.builds(
    lambda port, status, state: Port(port, "net", state, f"vif-{port}", status),
    st.sampled_from("abc"),
    statuses,
    st.sampled_from(AdminState),
)


class CatalogueTests(SynchronousTestCase):
    """The state of a network from that of its ports."""

    @given(st.lists(st.one_of(free, plugged, st.sampled_from("abc"))))
    def test_network_status(self, steps) -> None:
        """However ports come, change and go, the network's status fits them."""
        catalogue = Catalogue()
        catalogue.put_network(Network("net", "t", "blue", 1))
        for step in steps:
            if isinstance(step, Port):
                catalogue.put_port(step)
            elif catalogue.recorded_port(step):
                catalogue.drop_port(step)
        wanted = {
            port.status.op_status
            for port in catalogue.ports("t", "net")
            if port.attachment and port.admin_state is AdminState.ACTIVE
        }
        expected = OpStatus.DOWN
        if OpStatus.UP in wanted or not wanted:
            expected = OpStatus.UP
        elif OpStatus.PROVISIONING in wanted:
            expected = OpStatus.PROVISIONING
        status = catalogue.network("t", "net").status
        self.assertIs(expected, status.op_status)
        self.assertEqual(status == UP, not status.reason)

    def test_weight(self) -> None:
        """An attached port and its share of everything else is light."""
        command = [sys.executable, "-c", WEIGH]
        weighed = subprocess.run(command, capture_output=True, check=True)
        self.assertLess(int(weighed.stdout), BUDGET)

    def test_nothing_stays(self) -> None:
        """A network that is gone leaves nothing but its quarantined segment."""
        catalogue = Catalogue()
        catalogue.put_network(Network("net", "t", "blue", 1))
        catalogue.put_port(Port("a", "net", AdminState.ACTIVE, "vif-1"))
        catalogue.put_port(Port("b", "net", AdminState.ACTIVE))
        catalogue.drop_port("a")
        catalogue.drop_network("net")
        catalogue.free_segment(1)
        self.assertEqual(Catalogue(), catalogue)
