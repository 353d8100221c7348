# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Isolated Ethernets on OpenFlow 1.3 switches: a standard Ryu (os-ken) application.

It only carries words: each event goes to the switch's session in
`quantum.openflow`, and what the session says goes to the switch.  Inside the
daemon the sessions come as the context ``plans``; on os-ken's own runtime they
come from a plan file named by the environment variable ``QUANTUM_PLAN``.
"""

import os
from pathlib import Path
from typing import Any, Protocol

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import DEAD_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from os_ken.ofproto import ofproto_v1_3

from quantum.openflow.messages import error_words
from quantum.openflow.planfile import SwitchPlan, read_plan
from quantum.openflow.session import Session
from quantum.openflow.talk import WAITING

PORT_REASONS = frozenset(
    (ofproto_v1_3.OFPPR_ADD, ofproto_v1_3.OFPPR_DELETE, ofproto_v1_3.OFPPR_MODIFY)
)


class Plans(Protocol):
    """Where sessions come from, and how what they say reaches a switch."""

    def session(self, datapath_id: int) -> Session:
        """Give the session of a switch, the same each time."""

    def talk(self, datapath: Any, session: Session) -> None:
        """Send what the session has to say now."""

    def port_told(self, datapath: Any, ofport: int, name: bytes) -> None:
        """
        Take note that a switch has told of a port, which had or has this name.

        What is so now is in ``datapath.ports``, where os-ken keeps it.
        """

    def left(self, datapath: Any) -> None:
        """Tell the session of a switch that is gone, if it has one."""


class PlanFile:
    """The plans of os-ken's own runtime, read from a file."""

    def __init__(self) -> None:
        self._wanted = read_plan(Path(os.environ["QUANTUM_PLAN"]).read_bytes())
        self._sessions: dict[int, Session] = {}

    def session(self, datapath_id: int) -> Session:
        """Give the session of a switch; one that is not in the plan carries nothing."""
        if datapath_id not in self._sessions:
            session = Session(report=lambda _: None)
            plan = self._wanted.get(datapath_id, SwitchPlan({}))
            session.use_tunnel(plan.tunnel)
            for key, member in plan.members.items():
                session.want(key, member)
            session.know()
            self._sessions[datapath_id] = session
        return self._sessions[datapath_id]

    def talk(self, datapath: Any, session: Session) -> None:
        """Send everything; os-ken waits by itself when a switch is slow."""
        while (words := session.say()) != WAITING:
            if words:
                datapath.send(words)

    def port_told(self, datapath: Any, ofport: int, name: bytes) -> None:
        """Do nothing: the plan knows ports by their numbers alone."""

    def left(self, datapath: Any) -> None:
        """Tell the session."""
        if datapath.id in self._sessions:
            self._sessions[datapath.id].left()


class IsolationApp(app_manager.OSKenApp):
    """Brings every switch to the flows that its session wants."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)
    _CONTEXTS = {"plans": PlanFile}  # noqa: RUF012 - os-ken's own convention

    def __init__(self, *args: Any, plans: Plans, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans = plans

    @set_ev_cls(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])
    def state_change(self, ev: Any) -> None:
        """A switch has finished its handshake, or is gone."""
        if ev.datapath.id is None:
            return
        if ev.state == DEAD_DISPATCHER:
            self._plans.left(ev.datapath)
            return
        session = self._plans.session(ev.datapath.id)
        session.joined()
        self._plans.talk(ev.datapath, session)

    @set_ev_cls(ofp_event.EventOFPPortStatus, MAIN_DISPATCHER)
    def port_status(self, ev: Any) -> None:
        """A port has come, gone or changed; os-ken has noted that already."""
        port = ev.msg.desc
        if ev.msg.reason in PORT_REASONS:
            self._plans.port_told(ev.msg.datapath, port.port_no, port.name)

    @set_ev_cls(ofp_event.EventOFPFlowStatsReply, MAIN_DISPATCHER)
    def flow_stats(self, ev: Any) -> None:
        """A switch tells its flows."""
        session = self._plans.session(ev.msg.datapath.id)
        session.flow_stats(ev.msg.xid, bytes(ev.msg.buf))
        self._plans.talk(ev.msg.datapath, session)

    @set_ev_cls(ofp_event.EventOFPAggregateStatsReply, MAIN_DISPATCHER)
    def flow_count(self, ev: Any) -> None:
        """A switch tells how many flows it has."""
        session = self._plans.session(ev.msg.datapath.id)
        session.counted(ev.msg.xid, ev.msg.body.flow_count)
        self._plans.talk(ev.msg.datapath, session)

    @set_ev_cls(ofp_event.EventOFPBarrierReply, MAIN_DISPATCHER)
    def barrier(self, ev: Any) -> None:
        """A switch has done everything that it was told."""
        session = self._plans.session(ev.msg.datapath.id)
        session.barrier(ev.msg.xid)
        self._plans.talk(ev.msg.datapath, session)

    @set_ev_cls(ofp_event.EventOFPErrorMsg, MAIN_DISPATCHER)
    def error(self, ev: Any) -> None:
        """A switch refuses something."""
        session = self._plans.session(ev.msg.datapath.id)
        code = getattr(ev.msg, "exp_type", None) if ev.msg.code is None else ev.msg.code
        session.error(ev.msg.xid, error_words(ev.msg.type, code))
        self._plans.talk(ev.msg.datapath, session)
