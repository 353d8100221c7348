# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
The two dialects of the Quantum API, 1.0 and 1.1, as data.

All that differs between them is here and in the fault table; whoever writes a
third ``if version`` somewhere else has a field to add.
"""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen


@frozen
class FaultShape:
    """
    How a dialect shows an error.

    ``root`` is the name of the only member, or ``None`` where that is the fault's
    own name.  In XML ``attributes`` are attributes and ``children`` are elements;
    JSON makes no difference between them.
    """

    root: str | None
    attributes: tuple[str, ...]
    children: tuple[str, ...]


@frozen(eq=False)
class Dialect:
    """
    One version of the API.

    ``generation`` orders dialects: a field appears from its own generation on.
    """

    version: str
    generation: int
    created: int
    namespace: str
    faults: FaultShape


V1_0 = Dialect(
    version="v1.0",
    generation=10,
    # Nova 2011.3 does not decode the body of a 202.
    created=200,
    namespace="http://openstack.org/quantum/api/v1.0",
    faults=FaultShape(None, ("code",), ("message", "detail")),
)
V1_1 = Dialect(
    version="v1.1",
    generation=11,
    created=202,
    namespace="http://openstack.org/quantum/api/v1.1",
    faults=FaultShape("QuantumError", (), ("type", "message", "detail")),
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.version: dialect for dialect in (V1_0, V1_1)}
)


def spoken(path: bytes) -> Dialect | None:
    """Say which dialect a path belongs to, if it is inside a version at all."""
    version, _, rest = path.removeprefix(b"/").partition(b"/")
    return DIALECTS.get(version.decode("latin-1")) if rest else None
