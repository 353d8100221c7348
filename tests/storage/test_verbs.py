# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Any sequence of verbs and restarts does what a dictionary would."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from twisted.internet.defer import maybeDeferred

from quantum.errors import (
    AlreadyAttached,
    NetworkInUse,
    NetworkNotFound,
    PortInUse,
    PortNotFound,
    QuantumError,
)
from quantum.model import AdminState
from quantum.storage.database import file_url
from tests.storage.means import Bench, numbered

TENANTS = st.sampled_from(["tenant-a", "tenant-b"])
STATES = st.sampled_from(list(AdminState))
VIFS = st.sampled_from(["vif-1", "vif-2", "vif-3"])


class Verbs(RuleBasedStateMachine):
    """Compares the ledger with two dictionaries after every step."""

    networks = Bundle("networks")
    ports = Bundle("ports")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="verbs"))
        self.new_id = numbered()
        self.known = {}
        self.plugged = {}
        self.start()

    def start(self) -> None:
        url = file_url(self.folder / "quantum.db")
        self.bench = Bench(url, new_id=self.new_id)

    def ask(self, verb, *words):
        """Call a verb, and answer with its result or its refusal's class."""
        answers = []
        answer = maybeDeferred(getattr(self.bench.plugin, verb), *words)
        answer.addErrback(lambda f: f.trap(QuantumError) and type(f.value))
        answer.addCallback(answers.append)
        self.bench.pass_time()
        return answers.pop()

    def refusal(self, tenant, network, port=None):
        """Say how the model refuses a verb that takes these."""
        if self.known.get(network, (None,))[0] != tenant:
            return NetworkNotFound
        if port is not None and self.plugged.get(port, (None,))[0] != network:
            return PortNotFound
        return None

    @rule(target=networks, tenant=TENANTS, name=st.text(max_size=5))
    def create_network(self, tenant, name):
        name = name.encode("utf-8", "ignore").decode()
        network = self.ask("create_network", tenant, name)
        self.known[network.id] = (tenant, name)
        return network.id

    @rule(tenant=TENANTS, network=networks, name=st.sampled_from(["x", "y"]))
    def rename_network(self, tenant, network, name):
        expected = self.refusal(tenant, network)
        answer = self.ask("rename_network", tenant, network, name)
        if expected is None:
            self.known[network] = (tenant, name)
            assert answer.name == name
        else:
            assert answer is expected

    @rule(tenant=TENANTS, network=networks)
    def delete_network(self, tenant, network):
        inside = {p: row for p, row in self.plugged.items() if row[0] == network}
        expected = self.refusal(tenant, network)
        if expected is None and any(row[2] for row in inside.values()):
            expected = NetworkInUse
        assert self.ask("delete_network", tenant, network) is expected
        if expected is None:
            del self.known[network]
            for port in inside:
                del self.plugged[port]

    @rule(target=ports, tenant=TENANTS, network=networks, state=STATES)
    def create_port(self, tenant, network, state):
        expected = self.refusal(tenant, network)
        answer = self.ask("create_port", tenant, network, state)
        if expected is not None:
            assert answer is expected
            return (network, "no-such-port")
        self.plugged[answer.id] = (network, state, None)
        return (network, answer.id)

    @rule(tenant=TENANTS, place=ports, state=STATES)
    def set_port_state(self, tenant, place, state):
        network, port = place
        expected = self.refusal(tenant, network, port)
        answer = self.ask("set_port_state", tenant, network, port, state)
        if expected is None:
            self.plugged[port] = (network, state, self.plugged[port][2])
            assert answer.admin_state is state
        else:
            assert answer is expected

    @rule(tenant=TENANTS, place=ports)
    def delete_port(self, tenant, place):
        network, port = place
        expected = self.refusal(tenant, network, port)
        if expected is None and self.plugged[port][2]:
            expected = PortInUse
        assert self.ask("delete_port", tenant, network, port) is expected
        if expected is None:
            del self.plugged[port]

    @rule(tenant=TENANTS, place=ports, vif=VIFS)
    def plug(self, tenant, place, vif):
        network, port = place
        expected = self.refusal(tenant, network, port)
        if expected is None and self.plugged[port][2]:
            expected = PortInUse
        elif expected is None and vif in {row[2] for row in self.plugged.values()}:
            expected = AlreadyAttached
        answer = self.ask("plug", tenant, network, port, vif)
        if expected is None:
            self.plugged[port] = (network, self.plugged[port][1], vif)
            assert answer.attachment == vif
        else:
            assert answer is expected

    @rule(tenant=TENANTS, place=ports)
    def unplug(self, tenant, place):
        network, port = place
        expected = self.refusal(tenant, network, port)
        answer = self.ask("unplug", tenant, network, port)
        if expected is None:
            self.plugged[port] = (network, self.plugged[port][1], None)
            assert answer.attachment is None
        else:
            assert answer is expected

    @rule()
    def restart(self):
        self.bench.stop()
        self.start()

    @invariant()
    def reads_as_the_model(self):
        plugin = self.bench.plugin
        found = [n for t in ("tenant-a", "tenant-b") for n in plugin.networks(t)]
        assert {n.id: (n.tenant_id, n.name) for n in found} == self.known
        assert len({n.segment_id for n in found}) == len(found)
        ports = [p for n in found for p in plugin.ports(n.tenant_id, n.id)]
        assert {
            p.id: (p.network_id, p.admin_state, p.attachment) for p in ports
        } == self.plugged

    @invariant()
    def binds_what_is_plugged(self):
        ledger = self.bench.ledger
        expected = {
            (row[2], port, row[0], row[1] is AdminState.ACTIVE)
            for port, row in self.plugged.items()
            if row[2]
        }
        bindings = list(ledger.bindings())
        assert {
            (b.attachment, b.port_id, b.network_id, b.is_active) for b in bindings
        } == expected
        assert [ledger.bound(b.attachment) for b in bindings] == bindings

    @invariant()
    def statuses_follow_the_fabric(self):
        for port_id, (network_id, state, vif) in self.plugged.items():
            tenant = self.known[network_id][0]
            status = self.bench.plugin.port(tenant, network_id, port_id).status
            is_up = bool(vif) and state is AdminState.ACTIVE
            assert (status.op_status.value == "UP") is is_up
            assert is_up or status.reason

    def teardown(self):
        self.bench.stop()
        shutil.rmtree(self.folder)


VerbsTests = Verbs.TestCase
VerbsTests.settings = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
