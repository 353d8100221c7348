# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""What is done to make the integration bridge right, and when."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from quantum.channel.ovsdb.bridge import WantedBridge, repair
from quantum.channel.ovsdb.operation import Operation
from quantum.channel.ovsdb.replica import Replica
from tests.channel.database import apply, dump, name_of, refer

WANTED = WantedBridge("br-int", "tcp:127.0.0.1:6653")


def replica(**changes: dict[int, Any]) -> Replica:
    """A replica in which all is right but for some changes."""
    made = Replica()
    apply(made, **dump())
    apply(made, **changes)
    return made


def summary(operations: list[Operation]) -> list[tuple[str, str]]:
    """What the operations do to which table."""
    return [(one["op"], one["table"]) for one in operations]


class RepairTests(SynchronousTestCase):
    """One transaction, guarded; nothing when all is right."""

    def test_right(self) -> None:
        """Nothing is written when all is right."""
        work = repair(replica(), WANTED)
        self.assertEqual(([], []), (work.operations, work.complaints))

    def test_not_initialised(self) -> None:
        """A database without its root row is left alone."""
        self.assertEqual([], repair(Replica(), WANTED).operations)

    def test_absent(self) -> None:
        """A missing bridge is made whole, unless somebody just made it."""
        work = repair(replica(Bridge={2: {"delete": None}}), WANTED)
        self.assertEqual(
            [
                ("wait", "Bridge"),
                ("insert", "Interface"),
                ("insert", "Port"),
                ("insert", "Controller"),
                ("insert", "Bridge"),
                ("mutate", "Open_vSwitch"),
            ],
            summary(work.operations),
        )
        self.assertNotIn("datapath_type", work.operations[4]["row"])

    def test_guard(self) -> None:
        """A change is refused if the bridge is no longer as it was seen."""
        wrong = replica(Bridge={2: {"modify": {"fail_mode": "standalone"}}})
        guard, update = repair(wrong, WANTED).operations
        self.assertEqual(("wait", 0), (guard["op"], guard["timeout"]))
        self.assertEqual("standalone", guard["rows"][0]["fail_mode"])
        controllers = ["set", [["uuid", name_of(30)]]]
        self.assertEqual(controllers, guard["rows"][0]["controller"])
        self.assertEqual({"fail_mode": "secure"}, update["row"])

    def test_in_band(self) -> None:
        """Open vSwitch's own flows for its controllers are turned off, and said."""
        for pairs in ([], [["disable-in-band", "false"]]):
            undo = {"insert": {"name": "br-int", "fail_mode": "secure"}}
            undo["insert"]["controller"] = refer(30)
            undo["insert"]["other_config"] = ["map", pairs]
            work = repair(replica(Bridge={2: undo}), WANTED)
            guard, gone, come = work.operations
            self.assertEqual("wait", guard["op"])
            self.assertEqual(
                [["other_config", "delete", ["set", ["disable-in-band"]]]],
                gone["mutations"],
            )
            self.assertEqual(
                [["other_config", "insert", ["map", [["disable-in-band", "true"]]]]],
                come["mutations"],
            )
            self.assertIn("disable-in-band", work.complaints[0])

    def test_protocols(self) -> None:
        """OpenFlow 1.3 is added where others are listed, and only there."""
        old = replica(Bridge={2: {"modify": {"protocols": "OpenFlow10"}}})
        mutation = repair(old, WANTED).operations[1]["mutations"]
        self.assertEqual([["protocols", "insert", "OpenFlow13"]], mutation)
        both = ["set", ["OpenFlow10", "OpenFlow13"]]
        new = replica(Bridge={2: {"modify": {"protocols": both}}})
        self.assertEqual([], repair(new, WANTED).operations)

    def test_controllers(self) -> None:
        """Another's controller is left alone; ours is added beside it."""
        work = repair(replica(), WantedBridge("br-int", "unix:/run/q.sock"))
        expected = [("wait", "Bridge"), ("insert", "Controller"), ("mutate", "Bridge")]
        self.assertEqual(expected, summary(work.operations))

    def test_timings(self) -> None:
        """Our controller's timings are set right."""
        slow = replica(Controller={30: {"modify": {"inactivity_probe": 60000}}})
        update = repair(slow, WANTED).operations[1]
        self.assertEqual("Controller", update["table"])
        self.assertEqual({"inactivity_probe": 5000, "max_backoff": 1000}, update["row"])

    def test_unknown_controller(self) -> None:
        """While a controller's row has not arrived, none is added."""
        partial = replica(Bridge={2: {"modify": {"controller": refer(31)}}})
        self.assertEqual([], repair(partial, WANTED).operations)

    def test_datapath_type(self) -> None:
        """An existing bridge's datapath type is complained of, never changed."""
        work = repair(replica(), WantedBridge("br-int", WANTED.controller, "netdev"))
        self.assertEqual([], work.operations)
        self.assertIn("datapath_type system, not netdev", work.complaints[0])
