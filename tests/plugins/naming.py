# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What switches may say of their ports at any time, true or not (any more)."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from .hypervisors import names
from .landscape import switches
from .switching import Switching
from .words import Described


class Naming(Switching):
    """They name their ports, and say that some are gone."""

    @rule(
        switch=switches,
        ofport=st.integers(1, 5),
        name=st.one_of(st.none(), names),
        is_true=st.sampled_from((True, True, False)),
    )
    def say(self, switch, ofport, name, is_true) -> None:
        """A port has come, gone or got another name, says OpenFlow."""
        if self.line(switch) is None:
            self.connect(switch, True, is_frank=True)
        self.name_port(switch, ofport, self.owner(switch, ofport) if is_true else name)

    @rule(switch=switches)
    def say_truly(self, switch) -> None:
        """All names are right now."""
        for ofport in range(1, 99):
            owner = self.owner(switch, ofport)
            line = self.line(switch)
            if owner is not None or (line is not None and ofport in line.ports):
                self.name_port(switch, ofport, owner)

    def name_port(self, switch: int, ofport: int, name: str | None) -> None:
        """Let a switch say a port's name, or that it is gone."""
        line = self.line(switch)
        if line is None:
            return
        before = line.ports.pop(ofport, None)
        if name is not None:
            line.ports[ofport] = Described.of(name)
        spoken = line.ports.get(ofport) or before or Described(b"tap1")
        self.told.name(switch, ofport, spoken.name, is_gone=name is None)
        self.site.fabric.port_told(line, ofport, spoken.name)

    def owner(self, switch: int, ofport: int) -> str | None:
        """Say which interface has a number in truth."""
        truth = self.truth[switch].values()
        return next((one.name for one in truth if one.ofport == ofport), None)
