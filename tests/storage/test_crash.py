# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""
A daemon is killed before and after every COMMIT of a scenario of fifty calls.

Each turn of the scenario is one batch.  A child makes the turn and stops at a
boundary, where it is killed; the record is then opened by a reader of another
process, as a restarted daemon would.
"""

import os
import signal
from pathlib import Path

from attrs import frozen
from sqlalchemy import event
from twisted.internet.defer import maybeDeferred
from twisted.trial.unittest import SynchronousTestCase

from quantum.model import AdminState
from quantum.storage.database import file_url
from tests.storage.means import Bench

ACTIVE, DOWN = AdminState.ACTIVE, AdminState.DOWN
ROUNDS = 5


def turns():
    """List the scenario: fifty calls in batches, some of one call, some of more."""
    for round_number in range(ROUNDS):
        tag = f"r{round_number}"
        network, doomed = (tag, f"{tag}-net"), (tag, f"{tag}-doomed")
        first, second, third = (f"{tag}-port-{n}" for n in "123")
        yield [("create_network", network[1], tag, "blue")]
        yield [
            ("create_network", doomed[1], tag, "red"),
            ("create_port", first, *network, ACTIVE),
        ]
        yield [("create_port", name, *network, DOWN) for name in (second, third)]
        yield [("plug", "", *network, first, f"{tag}-vif")]
        yield [
            ("delete_network", "", *doomed),
            ("set_port_state", "", *network, second, ACTIVE),
            ("delete_port", "", *network, third),
        ]
        yield [("rename_network", "", *network, "green")]


@frozen
class Turn:
    """Makes the calls of one turn over the file, in a process of its own."""

    path: Path
    calls: list

    def start(self, prepare):
        """Open the file and ask for everything."""
        ids = iter([name for _, name, *_ in self.calls if name])
        bench = Bench(file_url(self.path), prepare=prepare, new_id=lambda: next(ids))
        answers = [
            maybeDeferred(getattr(bench.plugin, verb), *words)
            for verb, _, *words in self.calls
        ]
        bench.pass_time()
        return bench, answers

    def killed_before_commit(self) -> None:
        """Die with every statement executed and nothing committed."""
        self.killed(lambda stop: self.start(lambda db: listen(db, stop)))

    def killed_after_commit(self) -> None:
        """Die when COMMIT has returned, before anybody was answered."""

        def commit_and_stop(database, stop):
            @event.listens_for(database.engine, "commit")
            def committing(connection):
                connection.connection.commit()
                stop(b"committed")

        self.killed(lambda stop: self.start(lambda db: commit_and_stop(db, stop)))

    def killed_after_answers(self) -> None:
        """Die when every call has been answered."""

        def answered(stop):
            _, answers = self.start(lambda _: None)
            results = []
            for answer in answers:
                answer.addCallback(results.append)
            stop(b"answered" if len(results) == len(answers) else b"refused")

        self.killed(answered)

    def killed(self, life) -> None:
        """Let a child live until it says that it has come to its end; kill it there."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            self.live(life, writing)
        os.close(writing)
        last_words = os.read(reading, 100)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        assert last_words in {b"about to commit", b"committed", b"answered"}

    def live(self, life, writing) -> None:
        """Be the child; never return."""

        def stop(words):
            os.write(writing, words)
            signal.pause()

        try:
            life(stop)
        finally:
            os._exit(1)


def listen(database, stop) -> None:
    """Stop when the database is about to commit."""
    event.listen(
        database.engine, "commit", lambda _connection: stop(b"about to commit")
    )


def record(path):
    """Read everything that a restarted daemon finds."""
    bench = Bench(file_url(path))
    plugin, found = bench.plugin, {}
    for tag in range(ROUNDS):
        for network in plugin.networks(f"r{tag}"):
            found[network.id] = (network.name, network.segment_id)
            for port in plugin.ports(f"r{tag}", network.id):
                found[port.id] = (port.network_id, port.admin_state, port.attachment)
    found["quarantine"] = bench.ledger.quarantined_segments()
    bench.stop()
    return found


class CrashTests(SynchronousTestCase):
    """Nothing acknowledged is lost, and nothing is half done."""

    def test_scenario(self) -> None:
        """The scenario has fifty calls, and no turn is refused or idle."""
        self.assertEqual(10 * ROUNDS, sum(len(calls) for calls in turns()))

    def test_killed_around_commit(self) -> None:
        """Before COMMIT nothing is there; as soon as it returns, everything."""
        self.survives(Turn.killed_after_commit)

    def test_killed_after_answers(self) -> None:
        """What was answered is there."""
        self.survives(Turn.killed_after_answers)

    def survives(self, kill) -> None:
        killed = Path(self.mktemp()).absolute()
        untouched = killed.with_name("untouched")
        before = record(killed)
        self.assertEqual(before, record(untouched))
        for calls in turns():
            bench, _ = Turn(untouched, calls).start(lambda _: None)
            bench.stop()
            after = record(untouched)
            self.assertNotEqual(before, after)
            Turn(killed, calls).killed_before_commit()
            self.assertEqual(before, record(killed))
            kill(Turn(killed, calls))
            self.assertEqual(after, record(killed))
            before = after
