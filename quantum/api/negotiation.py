# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
In which format a request speaks, and is answered: JSON or XML.

One format serves both directions.  In order of precedence: the suffix of the
path, the media type of ``Content-Type`` (of a GET too: the clients of 2011 put
it on every request), the best match of ``Accept``, and else JSON.  What is not
understood is never an error, because it never was one.
"""

from functools import lru_cache

from attrs import frozen


@frozen(eq=False)
class Format:
    """A format of bodies; there are two, and no more are made."""

    media_type: bytes
    suffix: str


JSON = Format(b"application/json", ".json")
XML = Format(b"application/xml", ".xml")
SUFFIXES = (JSON.suffix, XML.suffix)
_BY_MEDIA_TYPE = {choice.media_type: choice for choice in (JSON, XML)}


def suffixed(path: bytes) -> Format | None:
    """Say which format the path itself asks for, if any."""
    if path.endswith(b".json"):
        return JSON
    if path.endswith(b".xml"):
        return XML
    return None


# A client sends the same two headers with each of its requests.  Few are kept,
# because each may be as long as a header line.
@lru_cache(maxsize=64)
def negotiated(content_type: bytes | None, accept: bytes | None) -> Format:
    """Choose the format of a request whose path has no suffix."""
    if content_type:
        media_type = content_type.partition(b";")[0].strip().lower()
        choice = _BY_MEDIA_TYPE.get(media_type)
        if choice is not None:
            return choice
    if not accept or accept == b"*/*":
        return JSON
    return _preferred(accept)


def chosen(path: bytes, content_type: bytes | None, accept: bytes | None) -> Format:
    """Choose the format of any request, from as much of it as has arrived."""
    return suffixed(path) or negotiated(content_type, accept)


def _preferred(accept: bytes) -> Format:
    """Weigh the two formats by the most specific range that covers each."""
    ranges = [_range(text) for text in accept.lower().split(b",")]
    weights = dict(reversed(ranges))  # of equal ranges the first one counts

    def weight(choice: Format) -> float:
        for covering in (choice.media_type, b"application/*", b"*/*"):
            if covering in weights:
                return weights[covering]
        return 0.0

    return XML if weight(XML) > weight(JSON) else JSON


def _range(text: bytes) -> tuple[bytes, float]:
    """Read one media range and its quality; a quality that is no number is 0."""
    media_range, *parameters = text.split(b";")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return media_range.strip(), quality
