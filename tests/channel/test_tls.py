# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Who comes to a port with transport security and does not have, or trust, it."""

import random

from twisted.internet import reactor
from twisted.internet.endpoints import (
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.ssl import optionsForClientTLS

from quantum.channel.limits import Limits
from tests.channel.corpus import READY, frame
from tests.channel.test_listener import (
    Far,
    ListenerCase,
    introduction,
    own_certificate,
)

SEED = 20261122
RECORD = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""How a client begins a TLS handshake (RFC 8446, 4.1.2)."""


def rubbish(count: int) -> bytes:
    """Give bytes without a meaning, always the same."""
    return random.Random(SEED).randbytes(count)  # noqa: S311  # a test to be repeated


class TlsTests(ListenerCase):
    """It ends for him, and a switch that speaks it goes on."""

    limits = Limits(handshake_deadline=5.0)

    async def setUp(self) -> None:
        """Have a switch connected over TLS."""
        await super().setUp()
        self.certificate = own_certificate()
        endpoint = SSL4ServerEndpoint(
            reactor, 0, self.certificate.options(), interface="127.0.0.1"
        )
        self.secured = (await self.listener.listen(endpoint)).getHost().port
        self.innocent = await self.speak_tls(self.certificate, introduction(0xFF))
        await self.until(lambda: self.host.switches)

    async def speak_tls(self, trusted, *greeting: bytes) -> Far:
        """Connect a switch that trusts who has a certificate."""
        client = wrapClientTLS(
            optionsForClientTLS("localhost", trustRoot=trusted), self.door()
        )
        far = await connectProtocol(client, Far(*greeting))
        self.far.append(far)
        return far

    def door(self) -> TCP4ClientEndpoint:
        """Give the way to the port."""
        return TCP4ClientEndpoint(reactor, "127.0.0.1", self.secured)

    async def assert_unharmed(self) -> None:
        """The switch that was there first is there alone, and answers."""
        self.assertEqual([0xFF], list(self.host.switches))
        answer = await self.host.switches[0xFF].request(frame(20), 30)
        self.assertEqual(21, answer[0].msg_type)
        self.assertEqual(1, len(self.listener._connections))

    async def assert_ended(self, *texts: bytes) -> None:
        """Who says one of these without TLS is hung up on."""
        bad = [await connectProtocol(self.door(), Far(text)) for text in texts]
        self.far += bad
        for far in bad:
            await far.ended
        await self.until(lambda: len(self.listener._connections) == 1)
        await self.assert_unharmed()

    async def test_plain_text(self) -> None:
        """A switch that speaks OpenFlow without it is refused."""
        await self.assert_ended(READY)

    async def test_garbage(self) -> None:
        """So is whoever says what is no TLS, or is no more after its first bytes."""
        request = b"GET / HTTP/1.1\r\n\r\n"
        await self.assert_ended(rubbish(1000), RECORD + rubbish(600), request)

    async def test_unfinished(self) -> None:
        """Who begins and does not finish is closed at the handshake's deadline."""
        await self.assert_ended(b"", RECORD[:3], RECORD)

    async def test_foreign(self) -> None:
        """A switch that trusts somebody else leaves, and is not kept."""
        stranger = await self.speak_tls(own_certificate(), introduction(1))
        await stranger.ended
        await self.until(lambda: len(self.listener._connections) == 1)
        await self.assert_unharmed()

    async def test_garbled(self) -> None:
        """A record that was tampered with on the way ends its connection."""
        far = await self.speak_tls(self.certificate, introduction(2))
        await self.until(lambda: 2 in self.host.switches)
        far.transport.transport.write(rubbish(100))
        await far.ended
        await self.until(lambda: len(self.listener._connections) == 1)
        await self.assert_unharmed()
