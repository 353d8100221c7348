# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Runs an application on the reactor: ``python -m ... PORT MODULE``."""

import sys

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react

from quantum.channel.host import RyuHost
from quantum.channel.listener import OpenFlowListener


async def main(reactor):
    """Listen until the process ends."""
    host = RyuHost(reactor)
    host.run([sys.argv[2]])
    endpoint = TCP4ServerEndpoint(reactor, int(sys.argv[1]), interface="127.0.0.1")
    await OpenFlowListener(host).listen(endpoint)
    await Deferred()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
