# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A report of who received whose frames, as tables to read."""

from collections.abc import Iterable

from tests.lab.isolation import COPIES, Report
from tests.lab.probe import KINDS
from tests.lab.tally import Tally


def by_pair(report: Report) -> str:
    """Show for every sender and receiver how many pings and frames arrived."""
    names = list(dict.fromkeys(count.receiver.name for count in report.counts))
    lines = [
        "",
        f"  Answers to {COPIES} pings + marked frames, from the left to the top",
        _row("", names),
    ]
    for sender in names:
        cells = [_cell(report, sender, receiver) for receiver in names]
        lines.append(_row(sender, cells))
    return "\n".join([*lines, "", ""])


def by_kind(report: Report) -> str:
    """Show for every kind of frame what arrived inside and outside its network."""
    heads = ("sent", "same network", "must be", "other network", "must be")
    lines = [f"  {'kind of frame':18}" + "".join(f"{head:>15}" for head in heads)]
    for kind in KINDS:
        counts = [count for count in report.counts if count.probe.kind == kind]
        inside = [count for count in counts if not count.is_crossing]
        sent = COPIES * len({count.probe.number for count in counts})
        outside = sum(count.seen for count in counts if count.is_crossing)
        must = sum(COPIES for one in inside if one.receiver.name in one.probe.must)
        cells = (sent, sum(count.seen for count in inside), must, outside, 0)
        lines.append(f"  {kind:18}" + "".join(f"{cell!s:>15}" for cell in cells))
    return "\n".join([*lines, "", ""])


def by_step(tallies: Iterable[tuple[str, Tally]]) -> str:
    """Show for every step how many frames were expected and what came of them."""
    heads = ("expected", "arrived", "leaked", "lost", "repeated")
    lines = ["", f"  {'frames, and answers to pings':56}" + _numbers(heads)]
    for text, tally in tallies:
        cells = (tally.expected, tally.arrived, tally.leaked, tally.lost)
        lines.append(f"  {text[:55]:56}" + _numbers((*cells, tally.repeated)))
    return "\n".join([*lines, "", ""])


def _numbers(cells: Iterable[object]) -> str:
    return "".join(f"{cell!s:>9}" for cell in cells)


def _cell(report: Report, sender: str, receiver: str) -> str:
    frames = sum(
        count.seen
        for count in report.counts
        if (count.probe.sender.name, count.receiver.name) == (sender, receiver)
    )
    pings = report.answers.seen.get((sender, receiver))
    return str(frames) if pings is None else f"{pings.total()}+{frames}"


def _row(head: str, cells: Iterable[str]) -> str:
    return f"  {head:10}" + "".join(f"{cell:>9}" for cell in cells)
