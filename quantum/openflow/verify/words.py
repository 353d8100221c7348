# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A flow in words, as Open vSwitch's tools write it."""

from collections.abc import Iterator
from typing import Final

from quantum.openflow.flow import Encoded
from quantum.openflow.verify.deeds import Output, Sending
from quantum.openflow.verify.fields import ALL, METADATA
from quantum.openflow.verify.header import Pattern
from quantum.openflow.verify.rule import read

MANY: Final = 8
"""Outputs that are written out."""


def describe(flow: Encoded) -> str:
    """Write a flow as Open vSwitch's tools do, as far as it is understood."""
    rule = read(0, flow)
    effect = rule.effect
    words = [_output(output) for output in effect.outputs]
    if len(words) > MANY:
        words[MANY // 2 : -MANY // 2] = [f"and {len(words) - MANY} more"]
    words += _settings(effect.writes)
    if effect.asks:
        words.append("resubmit(,31)")
    if effect.writes.mask & METADATA.bits:
        value, mask = METADATA.of(effect.writes.value), METADATA.of(effect.writes.mask)
        words.append(f"write_metadata:{value:#x}/{mask:#x}")
    if effect.goto is not None:
        words.append(f"goto_table:{effect.goto}")
    words += [f"({doubt})" for doubt in (rule.doubt, effect.doubt) if doubt]
    match = str(Pattern(rule.value, rule.mask))
    head = f"cookie={flow.cookie:#x},table={flow.table},priority={flow.priority}"
    return f"{head}{',' if match else ''}{match} actions={','.join(words) or 'drop'}"


def _output(output: Output) -> str:
    if isinstance(output, Sending):
        return ",".join([*_settings(output.writes), f"output:{output.port}"])
    return f"output:{output}"


def _settings(writes: Pattern) -> Iterator[str]:
    for field in ALL:
        if writes.mask & field.bits and field is not METADATA:
            yield f"set_field:{field.text(writes.value, field.bits)}"
