# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
XML that somebody sent us, and what may safely be asked of it.

Prefixes, comments and processing instructions mean nothing here.  A member of an
element is an attribute or a child element: the documents of 2011 used the one,
its clients the other.
"""

from typing import Any

from lxml import etree

from quantum.api.wire import shown
from quantum.errors import Malformed

_NAMESPACES = frozenset(
    {
        None,
        "http://openstack.org/quantum/api/v1.0",
        "http://openstack.org/quantum/api/v1.1",
        "http://netstack.org/quantum/api/v1.0",
        "http://docs.openstack.org/netconn/api/v1.0",
    }
)


def parsed(body: bytes) -> Any:
    """
    Parse XML that somebody sent us.

    The encoding is UTF-8 whatever the document declares, so that looking for a
    document type by its letters cannot be evaded in UTF-7 or EBCDIC.  Without
    one there are no entities to expand or fetch; depth and size are bounded by
    libxml2 itself as long as ``huge_tree`` is off.
    """
    if b"<!DOCTYPE" in body:
        raise Malformed("The XML body must not have a document type declaration")
    if b"\0" in body:
        raise Malformed("The XML body must be UTF-8")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        collect_ids=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as problem:
        raise Malformed(f"The body is not XML: {shown(str(problem))}") from None
    return root


def name_of(root: Any) -> str:
    """
    Name the root of a document.

    :raise Malformed: It is in a namespace that is none of this API's.
    """
    name = etree.QName(root)
    if name.namespace not in _NAMESPACES:
        raise Malformed(
            f"The XML namespace {shown(name.namespace)} is not one of this API"
        )
    return str(name.localname)


def values_of(element: Any, member: str) -> list[object]:
    """
    Find every value of a member: text, or an object where it is deeper.

    libxml2 looks for the names that it is told; to list all attributes, lxml
    would search for each anew, which takes minutes when there are 100,000.
    """
    names = [f"{{{space}}}{member}" if space else member for space in _NAMESPACES]
    found = (element.get(name) for name in names)
    attributes: list[object] = [value for value in found if value is not None]
    children: list[object] = [
        {} if len(child) else child.text or "" for child in element.iterchildren(*names)
    ]
    return attributes + children
