# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
What a request's body says, or which part of it is wrong and why.

A body is one root that holds members.  Of these a request reads one; whatever
else is there may be anything and is ignored, because Nova sends more than it
has names for.  JSON and XML lead to the same checks and the same words.
"""

import json
import re
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET, UnsetType, defstruct

from quantum.api import elements
from quantum.api.negotiation import JSON, Format
from quantum.api.wire import UNSHOWABLE, shown
from quantum.errors import Malformed, StateInvalid
from quantum.model import AdminState

LONGEST = 255
_WRONG_TYPE = re.compile(
    r"Expected `(?P<wanted>\w+)`, got `(?P<got>\w+)`(?: - at `\$\.(?P<where>.*)`)?"
)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_STATES = {state.value: state for state in AdminState}


def text(value: object, what: str) -> str:
    """
    Check something a tenant chose: a name, or the id of an interface.

    :raise Malformed: It is not text of 1 to 255 characters that can be shown.
    """
    if value is UNSET:
        raise Malformed(f"Failed to parse request. Parameter: {what} not specified")
    if not isinstance(value, str):
        raise Malformed(f"{what} must be a string, not {_kind(value)}")
    if not value:
        raise Malformed(f"{what} must not be empty")
    if len(value) > LONGEST:
        raise Malformed(
            f"{what} must have at most {LONGEST} characters, not {len(value)}"
        )
    bad = UNSHOWABLE.search(value)
    if bad is not None:
        raise Malformed(
            f"{what} must have no control characters or surrogates:"
            f" U+{ord(bad[0]):04X} at position {bad.start()}"
        )
    return value


def state(value: object) -> AdminState | None:
    """
    Check a port's admin state; null is as good as none.

    :raise StateInvalid: It is not one of the two, exactly so spelled.
    """
    if value is UNSET or value is None:
        return None
    found = _STATES.get(value) if isinstance(value, str) else None
    if found is None:
        # What is no text is only named: it may be too deep or too long to quote.
        raise StateInvalid(value if isinstance(value, str) else _kind(value))
    return found


class Body:
    """
    How one kind of request body is read.

    :ivar root: The name of the one thing it holds.
    :ivar member: The member of that thing which is read.
    """

    def __init__(self, root: str, member: str) -> None:
        self.root = root
        self.member = member
        content = defstruct("Content", [(member, Any, UNSET)])
        document = defstruct("Document", [(root, content | UnsetType, UNSET)])
        self._decode = msgspec.json.Decoder(document).decode
        self._keys = (f'"{root}"'.encode(), f'"{member}"'.encode())

    def read(self, form: Format, body: bytes) -> object:
        """
        Find the member, or ``UNSET``; its value is yet to be checked.

        :raise Malformed: There is no such root, or it is no container, or the
            body is not of this format, or says the same thing twice.
        """
        if not body.strip():
            raise Malformed(
                f"Unable to find '{self.root}' in request body: it is empty"
            )
        return self._json(body) if form is JSON else self._xml(body)

    def _json(self, body: bytes) -> object:
        try:
            document = self._decode(body)
            # Decoders silently take the last of two members of one name; only
            # where there may be two is it worth a second, slower reading.
            if any(body.count(key) > 1 for key in self._keys) or b"\\" in body:
                self._refuse_repetition(body)
        except msgspec.ValidationError as problem:
            raise Malformed(_in_our_words(str(problem), self.member)) from None
        except RecursionError:
            raise Malformed("The JSON body is nested too deeply") from None
        except (msgspec.DecodeError, ValueError) as problem:
            reason = shown(str(problem))
            if _SURROGATE.search(body) is not None:
                reason += "; an escape may be half of a surrogate pair"
            raise Malformed(f"The body is not JSON: {reason}") from None
        content = getattr(document, self.root)
        if content is UNSET:
            self._root_is_missing()
        return getattr(content, self.member)

    def _refuse_repetition(self, body: bytes) -> None:
        """Read JSON keeping every pair, to see whether one we need comes twice."""
        document = json.loads(
            body, object_pairs_hook=_Pairs, parse_int=str, parse_float=str
        )
        for content in document.only(self.root):
            content.only(self.member)

    def _xml(self, body: bytes) -> object:
        root = elements.parsed(body.strip())
        if elements.name_of(root) != self.root:
            self._root_is_missing()
        if not (root.attrib or len(root)) and (root.text or "").strip():
            raise Malformed(f"{self.root} must hold elements or attributes, not text")
        values = elements.values_of(root, self.member)
        if len(values) > 1:
            raise Malformed(f"{self.member} is given {len(values)} times")
        return values[0] if values else UNSET

    def _root_is_missing(self) -> NoReturn:
        raise Malformed(
            f"Failed to parse request. Resource: {self.root} not found in request body"
        )


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, in order, even those of one name."""

    def only(self, name: str) -> list[Any]:
        """Give the member's value, if any, having refused to choose among more."""
        values = [value for key, value in self if key == name]
        if len(values) > 1:
            raise Malformed(f"{name} is given {len(values)} times")
        return values


def _in_our_words(problem: str, member: str) -> str:
    """Say what a decoder found, without its notation."""
    found = _WRONG_TYPE.fullmatch(problem)
    if found is not None:
        where = found["where"] or "The body"
        return f"{where} must be an {found['wanted']}, not {_NAMES[found['got']]}"
    return f"Failed to parse request: {member} must be a string: {shown(problem)}"


_NAMES = {
    "array": "an array",
    "bool": "a boolean",
    "float": "a number",
    "int": "a number",
    "null": "null",
    "object": "an object",
    "str": "a string",
}
_KINDS: dict[type, str] = {
    list: "an array",
    bool: "a boolean",
    float: "a number",
    int: "a number",
    type(None): "null",
    dict: "an object",
}


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "this")


NETWORK = Body("network", "name")
PORT = Body("port", "state")
ATTACHMENT = Body("attachment", "id")


def name_of(form: Format, body: bytes) -> str:
    """Read the name that a network shall have."""
    return text(NETWORK.read(form, body), "name")


def interface_of(form: Format, body: bytes) -> str:
    """Read the id of the interface that shall be plugged in."""
    return text(ATTACHMENT.read(form, body), "id")


def new_state_of(form: Format, body: bytes) -> AdminState:
    """Read the state of a port to be made: ``DOWN`` where nothing says otherwise."""
    if not body.strip():
        return AdminState.DOWN
    return state(PORT.read(form, body)) or AdminState.DOWN


def state_of(form: Format, body: bytes) -> AdminState:
    """Read the state that a port shall have."""
    wanted = state(PORT.read(form, body))
    if wanted is None:
        raise Malformed("Failed to parse request. Parameter: state not specified")
    return wanted
