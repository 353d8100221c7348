# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A plain Ryu application: a learning switch that also asks what it can ask.

It knows nothing of who runs it.  What it saw goes, a line each, to the file named
by the environment variable ``SEEN``.
"""

import os
from pathlib import Path

from os_ken.base import app_manager
from os_ken.controller import ofp_event
from os_ken.controller.handler import (
    CONFIG_DISPATCHER,
    DEAD_DISPATCHER,
    MAIN_DISPATCHER,
    set_ev_cls,
)
from os_ken.lib.packet import ethernet, packet
from os_ken.ofproto import ofproto_v1_3


class Learning(app_manager.OSKenApp):
    """Learns which address is behind which port."""

    OFP_VERSIONS = [ofproto_v1_3.OFP_VERSION]  # noqa: RUF012  as applications do

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}

    def note(self, line):
        with Path(os.environ["SEEN"]).open("a", encoding="utf-8") as seen:
            seen.write(line + "\n")

    @set_ev_cls(ofp_event.EventOFPStateChange, [MAIN_DISPATCHER, DEAD_DISPATCHER])
    def state_changed(self, ev):
        self.note(f"state {ev.state}")
        if ev.state == MAIN_DISPATCHER:
            self.ask(ev.datapath)

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def features(self, ev):
        self.note(f"features {ev.msg.datapath.id:x}")

    def ask(self, datapath):
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        actions = [parser.OFPActionOutput(ofproto.OFPP_CONTROLLER)]
        instructions = [
            parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)
        ]
        for table, match in (0, parser.OFPMatch()), (99, parser.OFPMatch(in_port=1)):
            datapath.send_msg(
                parser.OFPFlowMod(
                    datapath=datapath,
                    cookie=7,
                    table_id=table,
                    priority=table,
                    match=match,
                    instructions=instructions,
                )
            )
        # A table that cannot be gone to: refused.
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath=datapath,
                table_id=5,
                match=parser.OFPMatch(),
                instructions=[parser.OFPInstructionGotoTable(2)],
            )
        )
        datapath.send_msg(parser.OFPFlowStatsRequest(datapath))
        self.commit(datapath)
        datapath.send_barrier()

    def commit(self, datapath):
        """Commit an empty bundle, and one that was never opened."""
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        steps = (
            (1, ofproto.ONF_BCT_OPEN_REQUEST),
            (1, ofproto.ONF_BCT_COMMIT_REQUEST),
            (9, ofproto.ONF_BCT_COMMIT_REQUEST),
        )
        for bundle, kind in steps:
            flags = ofproto.ONF_BF_ATOMIC | ofproto.ONF_BF_ORDERED
            datapath.send_msg(
                parser.ONFBundleCtrlMsg(datapath, bundle, kind, flags, [])
            )

    @set_ev_cls(ofp_event.EventOFPFlowStatsReply, MAIN_DISPATCHER)
    def flows(self, ev):
        tables = sorted((entry.table_id, entry.cookie) for entry in ev.msg.body)
        self.note(f"flows {tables}")

    @set_ev_cls(ofp_event.EventOFPErrorMsg, MAIN_DISPATCHER)
    def error(self, ev):
        code = ev.msg.exp_type if ev.msg.type == 0xFFFF else ev.msg.code
        self.note(f"error {ev.msg.type} {code}")

    @set_ev_cls(ofp_event.EventONFBundleCtrlMsg, MAIN_DISPATCHER)
    def bundle(self, ev):
        self.note(f"bundle {ev.msg.bundle_id} {ev.msg.type}")

    @set_ev_cls(ofp_event.EventOFPBarrierReply, MAIN_DISPATCHER)
    def barrier(self, ev):
        self.note("barrier")

    @set_ev_cls(ofp_event.EventOFPPortStateChange, MAIN_DISPATCHER)
    def port_changed(self, ev):
        name = ev.datapath.ports[ev.port_no].name.decode()
        self.note(f"port {ev.reason} {ev.port_no} {name}")

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def packet_in(self, ev):
        frame = packet.Packet(ev.msg.data).get_protocols(ethernet.ethernet)[0]
        self.ports[frame.src] = ev.msg.match["in_port"]
        self.note(f"packet {ev.msg.match['in_port']} {frame.src} {frame.dst}")
