# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Rows as bytes: JSON or XML.

The rule for XML is the dialects' own: a string or number is an attribute, a struct is a
child element, a list is a wrapper element around one child per row; the
namespace is declared on the root only, as the default one.  There is no XML
declaration and no white space between elements, because the clients of 2011
take an indented empty list for a string.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, Struct

from quantum.api.dialects import FaultShape
from quantum.api.negotiation import JSON, Format

_encode = msgspec.json.Encoder().encode
_UNSAFE = re.compile('[&<>"\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML cannot hold, or that are controls: never in a name."""


def shown(text: str, limit: int = 300) -> str:
    """Make text fit to be quoted to anyone: bounded, and nothing unshowable."""
    if len(text) > limit:
        text = text[:limit] + "..."
    return UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def escaped(text: str) -> str:
    """Escape text for an XML attribute or element."""
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(
        lambda found: _ESCAPES.get(found[0], "\N{REPLACEMENT CHARACTER}"), text
    )


def one(form: Format, name: str, row: Struct, namespace: str) -> bytes:
    """Write one row under its name."""
    if form is JSON:
        return b'{"%b":%b}' % (name.encode(), _encode(row))
    return _element(name, row, _declared(namespace)).encode()


def many(
    form: Format, names: tuple[str, str], rows: Sequence[Struct], namespace: str
) -> bytes:
    """Write a list of rows; ``names`` are what the list and each row are called."""
    collection, name = names
    if form is JSON:
        return b'{"%b":%b}' % (collection.encode(), _encode(rows))
    return _elements(collection, name, rows, _declared(namespace)).encode()


def fault(
    form: Format, shape: FaultShape, members: Mapping[str, str | int], namespace: str
) -> bytes:
    """Write an error; ``members["name"]`` is its root where the shape has none."""
    root = shape.root or str(members["name"])
    if form is JSON:
        content = {name: members[name] for name in shape.attributes + shape.children}
        return _encode({root: content})
    attributes = "".join(
        f' {name}="{escaped(str(members[name]))}"' for name in shape.attributes
    )
    children = "".join(
        f"<{name}>{escaped(str(members[name]))}</{name}>" for name in shape.children
    )
    return f"<{root}{attributes}{_declared(namespace)}>{children}</{root}>".encode()


def _declared(namespace: str) -> str:
    """Declare a default namespace, if there is one."""
    return f' xmlns="{namespace}"' if namespace else ""


def _element(name: str, row: Struct, attributes: str = "") -> str:
    """Write a struct as an element."""
    children = ""
    for member, value in zip(
        row.__struct_encode_fields__, msgspec.structs.astuple(row), strict=True
    ):
        if value is UNSET:
            continue
        if isinstance(value, str):
            attributes += f' {member}="{escaped(value)}"'
        elif isinstance(value, int):
            attributes += f' {member}="{value}"'
        elif isinstance(value, Struct):
            children += _element(member, value)
        else:
            # English plurals of this API: ports, versions, links, extensions.
            children += _elements(member, member.removesuffix("s"), value)
    return (
        f"<{name}{attributes}>{children}</{name}>"
        if children
        else f"<{name}{attributes}/>"
    )


def _elements(
    collection: str, name: str, rows: Sequence[Struct], attributes: str = ""
) -> str:
    """Write a list as an element around its rows."""
    if not rows:
        return f"<{collection}{attributes}/>"
    children = "".join([_element(name, row) for row in rows])
    return f"<{collection}{attributes}>{children}</{collection}>"
