# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""The ledger with its real thread, on the real reactor."""

import threading

from sqlalchemy import event
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from quantum.model import AdminState
from quantum.plugins.memory import MemoryFabric
from quantum.plugins.recorded import RecordedPlugin
from quantum.storage.database import Database, file_url
from quantum.storage.ledger import Ledger, Means
from quantum.storage.thread import DatabaseThread


class DatabaseThreadTests(TestCase):
    """One thread, off the reactor's, that ends when told to."""

    def setUp(self) -> None:
        """Have the reactor."""
        from twisted.internet import reactor  # noqa: PLC0415  (installed by the runner)

        self.reactor = reactor

    async def test_answers_on_the_reactors_thread(self) -> None:
        """A job runs elsewhere; its answer or failure arrives here."""
        thread = DatabaseThread(self.reactor)
        self.addCleanup(thread.stop)
        here = threading.get_ident()
        self.assertNotEqual(here, await thread.run(threading.get_ident))
        self.assertEqual(here, threading.get_ident())
        with self.assertRaises(ZeroDivisionError):
            await thread.run(lambda: 1 / 0)
        self.assertEqual(7, await thread.run(lambda: 7))

    async def test_stops(self) -> None:
        """Stopped, it has ended; a thread that was never needed too."""
        thread = DatabaseThread(self.reactor)
        thread.stop()
        mine = await thread.run(threading.current_thread)
        self.assertIs(mine, await thread.run(threading.current_thread))
        self.assertTrue(mine.is_alive())
        thread.stop()
        self.assertFalse(mine.is_alive())

    async def test_many_clients(self) -> None:
        """Clients that ask at the same time share commits, and all are answered."""
        database = Database.open(file_url(self.mktemp()))
        ledger = Ledger.over(database, Means.of_daemon(self.reactor))
        plugin = RecordedPlugin(ledger, MemoryFabric(ledger, ledger))
        plugin.startService()
        network = await plugin.create_network("t", "blue")
        commits = []
        event.listen(database.engine, "commit", commits.append)

        async def client(number) -> None:
            for turn in range(10):
                port = await plugin.create_port("t", network.id, AdminState.ACTIVE)
                vif = f"vif-{number}-{turn}"
                await plugin.plug("t", network.id, port.id, vif)

        await gatherResults([Deferred.fromCoroutine(client(n)) for n in range(20)])
        last = plugin.create_network("t", "red")
        await plugin.stopService()
        self.assertEqual("red", (await last).name)
        self.assertEqual(200, len(list(ledger.bindings())))
        self.assertLess(len(commits), 200)
