# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
Keeping a replica up to date, whichever kind of monitor the server knows.

``monitor_cond_since`` sends only what happened since a transaction that we
have seen; ``monitor_cond`` and ``monitor`` (RFC 7047, 4.1.5) send all rows
again.  Large dumps are taken in slices, which all databases share, so that the
reactor stays responsive.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from attrs import define
from msgspec import Raw
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from quantum.channel.ovsdb.bridge import DATABASE
from quantum.channel.ovsdb.faults import Misspoken, RequestRefused
from quantum.channel.ovsdb.replica import COLUMNS, Replica
from quantum.channel.ovsdb.rpc import Session
from quantum.channel.ovsdb.update import rows
from quantum.channel.turns import Turns

NAME = "quantum"
DUMP_DEADLINE = 120.0
LARGE = 64 * 1024
_NEVER = "00000000-0000-0000-0000-000000000000"

_since = msgspec.json.Decoder(tuple[bool, str, Raw])
_plain = msgspec.json.Decoder(tuple[Any, Raw])
_named = msgspec.json.Decoder(tuple[Any, str, Raw])


async def in_slices(turns: Turns, steps: Iterator[None]) -> None:
    """Take all steps, in turn with whatever else is done in slices."""
    done: Deferred[None] = Deferred(lambda _: turns.forget(step))

    def step() -> bool:
        outcome: Failure | None = None
        try:
            next(steps)
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001  whoever awaits the steps is told
            outcome = Failure()
        else:
            return not done.called  # that step may have had the rest cancelled
        if not done.called:
            done.callback(outcome)
        return False

    turns.do(step)
    await done


@define
class Monitor:
    """What a session tells of the rows that we want."""

    _clock: IReactorTime
    _turns: Turns
    _session: Session
    _replica: Replica

    async def start(self) -> None:
        """
        Ask for the rows and take the first dump; the session is paused then.

        :raise OvsdbError: The server cannot or will not tell.
        """
        wanted = {table: [{"columns": list(names)}] for table, names in COLUMNS.items()}
        raw = await self._asked("monitor_cond_since", wanted, self._last)
        if raw is not None:
            is_known, transaction, updates = _read(_since, raw)
            await self._apply(updates, transaction, is_dump=not is_known)
            return
        raw = await self._asked("monitor_cond", wanted)
        if raw is None:
            raw = await self._request("monitor", wanted)
        await self._apply(raw, "", is_dump=True)

    async def take(self, method: str, params: Raw) -> None:
        """
        Take one notification.

        :raise Misspoken: It makes no sense.
        """
        if method == "update3":
            name, transaction, updates = _read(_named, params)
        elif method in {"update", "update2"}:
            transaction = ""
            name, updates = _read(_plain, params)
        else:
            return
        if name == NAME:
            await self._apply(updates, transaction, is_dump=False)

    @property
    def _last(self) -> str:
        return self._replica.last_transaction or _NEVER

    async def _asked(self, method: str, *params: Any) -> Raw | None:
        """Ask with a method that the server may be too old to know."""
        try:
            return await self._request(method, *params)
        except RequestRefused as refused:
            if refused.error != "unknown method":
                raise
            return None

    async def _request(self, method: str, *params: Any) -> Raw:
        words = [DATABASE, NAME, *params]
        raw = await self._session.request(method, words, DUMP_DEADLINE)
        self._session.pause()
        if len(raw) > LARGE:
            # It was found in this turn; its parts are found in the next.
            await deferLater(self._clock, 0)
        return raw

    async def _apply(self, updates: Raw, transaction: str, is_dump: bool) -> None:
        if is_dump:
            self._replica.clear()
        # Interrupted half-way the rows are good for nothing, least of all for
        # another difference.
        self._replica.last_transaction = ""
        await in_slices(self._turns, self._steps(updates))
        if transaction != _NEVER:
            self._replica.last_transaction = transaction

    def _steps(self, updates: Raw) -> Iterator[None]:
        # Finding the rows of a large dump takes long: not in the same turn as
        # finding the dump in its message.
        yield
        for table, row, update in rows(updates):
            self._replica.apply(table, row, update)
            yield


def _read(decoder: "msgspec.json.Decoder[Any]", raw: Raw) -> Any:
    try:
        return decoder.decode(raw)
    except (ValueError, RecursionError) as problem:
        raise Misspoken(f"a notification cannot be understood: {problem}") from None
