# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""Who calls himself what: hypervisors, switches, versions, controllers."""

import contextlib
import socket
import struct

from tests.daemon.test_hostile_switches import ready
from tests.faults.case import YardTests
from tests.faults.middle import Refusal, Way
from tests.faults.proof import held
from tests.faults.yard import BRIDGE, PATIENCE, Host

SLAVE, EQUAL, MASTER = 3, 1, 2
OTHERS_XID = 0x7000_0001
HELLOS = {
    "1.0": (1, b""),
    "1.1": (2, b""),
    "1.4 and 1.5 alone": (6, struct.pack("!HHI", 1, 8, 0b1100000)),
    "no version at all": (6, struct.pack("!HHI", 1, 8, 0)),
    "an empty bitmap": (6, struct.pack("!HH4x", 1, 4)),
    "a bitmap longer than it": (4, struct.pack("!HHI", 1, 64, 16)),
    "a bitmap of no length": (4, struct.pack("!HHI", 1, 0, 16)),
    "nonsense": (0xFF, b"\xff" * 40),
    "text": (0x47, b"ET / HTTP/1.1\r\n\r\n"),
}
WELCOME = {
    "1.3": (4, b""),
    "1.3 to 1.5": (6, struct.pack("!HHI", 1, 8, 0b1110000)),
}


class IdentityTests(YardTests):
    """Who is not what he says is refused, and disturbs nobody."""

    def greet(self, hello):
        """Connect, say a greeting, and listen until asked for more or let go."""
        version, elements = hello
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(PATIENCE)
            wire.connect(str(self.yard.office.openflow))
            header = struct.pack("!BBHI", version, 0, 8 + len(elements), 1)
            # In one piece: who is refused by the header takes no more after it.
            wire.sendall(header + elements)
            heard = b""
            with contextlib.suppress(ConnectionResetError):
                while chunk := wire.recv(4096):
                    heard += chunk
                    if heard[9:10] == b"\x05":
                        return "welcome"
            return "refused"

    def test_versions(self):
        """Only who knows OpenFlow 1.3 is asked for more; others are let go at once."""
        for name, hello in WELCOME.items():
            self.assertEqual("welcome", self.greet(hello), name)
        for name, hello in HELLOS.items():
            self.assertEqual("refused", self.greet(hello), name)

    def test_longest_message(self):
        """A message of almost 64 KiB is taken, and answered as a whole."""
        body = bytes(range(256)) * 255
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(PATIENCE)
            wire.connect(str(self.yard.office.openflow))
            wire.sendall(ready(0x9999))
            wire.sendall(struct.pack("!BBHI", 4, 2, 8 + len(body), 77) + body)
            heard = b""
            while body not in heard:
                chunk = wire.recv(65536)
                self.assertNotEqual(b"", chunk)
                heard += chunk

    def test_strangers(self):
        """A switch that comes and leaves, and is no hypervisor's, is forgotten."""
        for number in range(0x9101, 0x9111):
            with socket.socket(socket.AF_UNIX) as wire:
                wire.settimeout(PATIENCE)
                wire.connect(str(self.yard.office.openflow))
                wire.sendall(ready(number))
                self.assertNotEqual(b"", wire.recv(4096))
        self.await_true(lambda: "00000000000091" not in self.known(), "it is forgotten")

    def known(self):
        """Say which switches are known."""
        return str(self.yard.operate("GET", "/switches"))

    def newcomer(self, name, number):
        """Start another hypervisor, which calls the daemon."""
        host = Host.start(name, number)
        self.addCleanup(host.ovs.stop)
        return host

    def test_second_system(self):
        """A second hypervisor with the name of one that lives is not listened to."""
        host = self.newcomer("two", 9)
        self.call(host)
        self.await_log("two")
        self.await_true(lambda: "already" in self.log or "both" in self.log, "told")
        self.assertNotIn(BRIDGE, host.ovs.vsctl("list-br"))
        self.assert_right()

    def test_system_renamed(self):
        """A hypervisor that takes another name keeps its switch and its guests."""
        words = ("set", "open_vswitch", ".")
        before = held(self.two)
        self.two.ovs.vsctl(*words, "external_ids:system-id=deux")
        self.await_true(lambda: self.yard.phase("deux") == "settled", "it is renamed")
        self.assertEqual("", self.yard.phase("two"))
        self.two.ovs.vsctl(*words, "external_ids:system-id=two")
        self.await_true(lambda: self.yard.phase("two") == "settled", "it is as it was")
        self.assert_right()
        self.assertEqual(before, held(self.two))
        self.assertNotIn("is absent", self.log)

    def test_second_datapath(self):
        """Of two switches with one number the first is kept, the second told of."""
        number = f"{self.two.datapath_id:016x}"
        self.call(self.clone("four", number))
        self.await_log(f"hypervisors two and four both have a switch {number}")
        self.await_log(f"another connection is {number}, and lives")
        self.assert_right()
        self.assertEqual("settled", self.yard.phase("two"))

    def test_clone(self):
        """A clone takes no switch that lives, though its database is away."""
        number = f"{self.two.datapath_id:016x}"
        host = self.clone("five", number)
        for guest, other in (("red-2", "blue-2"), ("blue-2", "red-2")):
            ofport = f"ofport_request={self.two.ofports()[guest]}"
            words = ("type=dummy", f"external_ids:iface-id={other}", ofport)
            add = ("add-port", BRIDGE, guest, "--", "set", "interface", guest)
            host.ovs.vsctl(*add, *words)
        self.middle.do("two-db", Refusal())
        self.await_log("hypervisor two: ")
        self.call(host)
        self.await_log(f"hypervisors two and five both have a switch {number}")
        self.assert_safe()
        self.assertEqual(self.account.stays.keys(), self.account.up())
        self.assertEqual("settled", self.yard.phase("two"))
        self.middle.behave()
        self.assert_right()

    def test_clone_waits(self):
        """A clone that waits has the switch when the first is gone, and so back."""
        number = f"{self.two.datapath_id:016x}"
        host = self.clone("six", number)
        self.call(host)
        self.await_log(f"hypervisors two and six both have a switch {number}")
        for channel in ("two", "two-db"):
            self.middle.do(channel, Refusal())
        self.await_true(lambda: self.yard.phase("six") == "settled", "it has it")
        self.await_up(*self.on(self.one, self.three))
        self.assert_safe()
        self.middle.behave()
        self.await_log(f"hypervisors six and two both have a switch {number}")
        self.assert_safe()
        host.ovs.stop()
        self.assert_right()
        self.assertEqual("settled", self.yard.phase("two"))

    def clone(self, name, number):
        """Start a hypervisor with a switch that calls itself what another does."""
        host = self.newcomer(name, 9)
        host.ovs.vsctl(
            *("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=dummy"),
            *("fail_mode=secure", f"other-config:datapath-id={number}"),
        )
        return host

    def call(self, host):
        """Let a hypervisor call the daemon."""
        host.ovs.vsctl("set-manager", f"unix:{self.yard.office.folder / 'manager'}")

    def test_number_changed(self):
        """A switch that takes another number is the same to all others."""
        before = self.two.datapath_id
        words = ("set", "bridge", BRIDGE, "other-config:datapath-id=" + "0" * 15 + "7")
        self.two.ovs.vsctl(*words)
        self.await_log("0000000000000007 on two is settled")
        self.assert_right()
        self.two.ovs.vsctl(*words[:-1], f"other-config:datapath-id={before:016x}")
        self.await_true(lambda: self.two.datapath_id == before, "it is as it was")
        self.assert_right()

    def test_slave(self):
        """While a switch takes no orders from us its ports say so, and then recover."""
        self.account.detach("red-2")
        self.await_flows()
        self.order("two", SLAVE, 101)
        self.account.attach("red-2")
        self.await_true(
            lambda: "master" in self.yard.switches()["two"]["last_error"],
            "the operator is told",
        )
        self.assertNotEqual("UP", self.account.status("red-2"))
        self.assertLessEqual(self.on(self.one, self.three), self.account.up())
        self.assert_safe("red-2")
        self.order("two", EQUAL, 102)
        self.assert_right()

    def test_master(self):
        """Another controller that becomes master takes nothing from us."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(PATIENCE)
            wire.connect(str(self.two.ovs.rundir / f"{BRIDGE}.mgmt"))
            wire.sendall(struct.pack("!BBHI", 4, 0, 8, 1) + role(MASTER, 7))
            heard = b""
            while OTHERS_XID.to_bytes(4) not in heard:
                chunk = wire.recv(4096)
                self.assertNotEqual(b"", chunk)
                heard += chunk
            self.account.detach("red-2")
            self.await_flows()
            self.account.attach("red-2")
            self.assert_right()

    def order(self, name, what, generation):
        """Change our role at a switch, as another controller's rise would."""
        self.middle.inject(name, Way.DOWN, role(what, generation))


def role(what, generation):
    """Ask for a role."""
    return struct.pack("!BBHIIIQ", 4, 24, 24, OTHERS_XID, what, 0, generation)
