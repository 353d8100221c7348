# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Random ports and layouts."""

from hypothesis import strategies as st

from quantum.openflow.layout import Layout, LocalPort


def mac(number: int) -> bytes:
    """Make a unicast, locally administered address."""
    return (0x020000000000 + number).to_bytes(6, "big")


def text(address: bytes) -> str:
    """Write an address as people do."""
    return address.hex(":")


ofports = st.integers(1, 8)
segments = st.integers(1, 3)
macs = st.one_of(st.none(), st.integers(1, 3).map(mac))


@st.composite
def local_ports(draw: st.DrawFn) -> LocalPort:
    """A port of a small switch with few networks and few, often equal, addresses."""
    return LocalPort(draw(ofports), draw(segments), draw(macs))


port_maps = st.lists(local_ports(), max_size=8).map(
    lambda ps: {p.ofport: p for p in ps}
)


def layout_of(ports: dict[int, LocalPort]) -> Layout:
    """Make a layout."""
    layout = Layout()
    for ofport, port in ports.items():
        layout.put(ofport, port)
    return layout
