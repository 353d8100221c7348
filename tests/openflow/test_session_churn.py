# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A session through whatever may happen, in whatever order."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from quantum.openflow.flow import encode
from quantum.openflow.member import Member, remote_key, uplink_key
from quantum.openflow.session import Session

from .journey import Frame
from .strategies import (
    UPLINKS,
    VLAN_SEGMENT,
    layout_of,
    member_keys,
    members,
    ofports,
)
from .table import Table

KEYS = [
    *range(1, 9),
    *(remote_key(switch, ofport) for switch in (1, 2, 3) for ofport in (1, 2, 3)),
    uplink_key(VLAN_SEGMENT),
]


class ChurnMachine(RuleBasedStateMachine):
    """Anything may happen in any order; in the end the switch has what is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table()
        self.session = Session(report=lambda _: None, is_gated=True)
        self.wanted: dict[int, Member] = {}
        self.is_here = False

    @rule()
    def know(self) -> None:
        """OVSDB tells everything."""
        for key in KEYS:
            self.session.want(key, self.wanted.get(key))
        self.session.know()

    @rule(key=member_keys, data=st.data())
    def plug(self, key, data) -> None:
        """A port is to carry something, here or elsewhere."""
        self.wanted[key] = data.draw(members(key))
        self.session.want(key, self.wanted[key])

    @rule(key=member_keys)
    def unplug(self, key) -> None:
        """A port is to carry nothing."""
        self.wanted.pop(key, None)
        self.session.want(key, None)

    @rule(tunnel=st.sampled_from([0, 65000, 65001]))
    def move_tunnels(self, tunnel) -> None:
        """The tunnels have another port, or none."""
        self.session.use_tunnel(tunnel)

    @precondition(lambda self: not self.is_here)
    @rule()
    def join(self) -> None:
        """The switch connects."""
        self.session.joined()
        self.is_here = True

    @rule()
    def admit(self) -> None:
        """It is the session's turn."""
        self.session.admit()

    @precondition(lambda self: self.is_here)
    @rule()
    def leave(self) -> None:
        """The connection breaks."""
        self.session.left()
        self.is_here = False

    @rule(is_full=st.booleans())
    def audit(self, is_full) -> None:
        """The clock asks for an audit."""
        self.session.audit(is_full=is_full)

    @rule(refused=st.sets(st.one_of(ofports, st.integers(65000, 65001)), max_size=2))
    def refuse(self, refused) -> None:
        """From now on the switch refuses some ports, or flows about tunnels."""
        words = [number.to_bytes(4, "big") for number in refused if number >= 65000]

        def refuses(entry) -> bool:
            is_bad = entry.match.get("in_port") in refused
            return is_bad or any(word in entry.body for word in words)

        self.table.refuses = refuses

    @rule()
    def retry(self) -> None:
        """The clock asks for a second try."""
        self.session.retry()

    @rule()
    def delete(self) -> None:
        """Somebody deletes a flow by hand."""
        if self.table.entries:
            self.table.entries.popitem()

    @rule()
    def talk_a_little(self) -> None:
        """One message goes, and is answered."""
        words = self.session.say()
        if words:
            self.table.converse_with(words, self.session)

    @rule()
    def talk(self) -> None:
        """All that is to be said is said."""
        self.table.converse(self.session)

    @invariant()
    def no_leak(self) -> None:
        """Never does a frame reach a network that is not its sender's."""
        networks = {
            entry.match["in_port"]: entry.cookie >> 32 & 0xFFFFFF
            for key, entry in self.table.entries.items()
            if key[0] == 0 and set(entry.match) == {"in_port"}
        }
        for in_port, segment in networks.items():
            frame = Frame(in_port, "02:00:00:00:00:03", "02:00:00:00:00:01")
            for sent in self.table.send(frame):
                assert networks.get(sent.port, segment) == segment
                assert sent.tun_id in {0, segment}
                assert sent.port not in UPLINKS or segment == VLAN_SEGMENT

    def teardown(self) -> None:
        """When the disturbances end, the switch has what is wanted."""
        self.table.refuses = lambda _: False
        self.know()
        if not self.is_here:
            self.session.joined()
        self.session.admit()
        self.table.converse(self.session)
        self.session.retry()
        self.session.audit(is_full=True)
        self.table.converse(self.session)
        self.table.converse(self.session)
        plan = layout_of(self.wanted, self.session.tunnel).plan()
        assert {encode(flow) for flow in plan} == self.table.flows()
        assert all(self.session.fate(key) is None for key in self.wanted)


ChurnTests = ChurnMachine.TestCase
