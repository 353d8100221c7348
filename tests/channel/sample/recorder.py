# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Applications that remember what they are told."""

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.event import EventBase, EventRequestBase
from os_ken.controller.handler import (
    CONFIG_DISPATCHER,
    DEAD_DISPATCHER,
    MAIN_DISPATCHER,
    set_ev_cls,
)
from os_ken.ofproto import ofproto_v1_3


class Seen(list):
    """What was told: the context that applications share."""


class EventGossip(EventBase):
    """What one application tells another."""


class Recorder(app_manager.OSKenApp):
    """Writes down every event, the datapath's id as it is then, and what matters."""

    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]  # noqa: RUF012
    _CONTEXTS = {"seen": Seen}  # noqa: RUF012
    _EVENTS = [EventGossip]  # noqa: RUF012

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = kwargs["seen"]
        self.is_talking = False

    def start(self):
        super().start()
        self.seen.append("started")

    @set_ev_cls(
        ofp_event.EventOFPStateChange,
        [CONFIG_DISPATCHER, MAIN_DISPATCHER, DEAD_DISPATCHER],
    )
    def state_changed(self, ev):
        self.seen.append((ev.state, ev.datapath.id))

    @set_ev_cls(
        [ofp_event.EventOFPSwitchFeatures, ofp_event.EventOFPPortDescStatsReply],
        CONFIG_DISPATCHER,
    )
    def introduced(self, ev):
        self.seen.append((type(ev).__name__, ev.msg.datapath.id))

    @set_ev_cls(
        [
            ofp_event.EventOFPFlowStatsReply,
            ofp_event.EventOFPErrorMsg,
            ofp_event.EventONFBundleCtrlMsg,
            ofp_event.EventOFPExperimenter,
        ],
        MAIN_DISPATCHER,
    )
    def told(self, ev):
        self.seen.append(ev.msg)

    @set_ev_cls(ofp_event.EventOFPBarrierReply, MAIN_DISPATCHER)
    def barrier(self, ev):
        self.seen.append("barrier begins")
        self.send_event_to_observers(EventGossip())
        self.seen.append("barrier ends")

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, ev):
        raise ZeroDivisionError(ev.msg.xid)

    @set_ev_cls(EventGossip)
    def gossip(self, ev):
        self.seen.append("gossip")

    def ask_for_ever(self):
        return self.send_request(EventRequestBase())
