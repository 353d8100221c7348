# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A switch is forgotten over the socket of the real daemon."""

import json
import subprocess

from twisted.trial.unittest import SynchronousTestCase

from tests.daemon.scene import Scene, await_true
from tests.lab.ovs import OpenVSwitch

SETTINGS = (
    "openvswitch.audit_interval=0.3",
    "openflow.echo_interval=0.5",
    "openvswitch.segments=1-2",
)


class ForgettingTests(SynchronousTestCase):
    """A machine is on a hypervisor that dies, and that comes back at last."""

    def setUp(self):
        self.scene = Scene(SETTINGS, OpenVSwitch.start())
        self.addCleanup(self.scene.strike)
        self.scene.start()
        self.ovs, self.client = self.scene.ovs, self.scene.client()
        self.addCleanup(self.client.close)
        await_true(lambda: "br-int" in self.ovs.vsctl("list-br"), "the bridge is there")
        self.port = self.client.new_port(self.client.network())
        self.assertEqual(204, self.client.attach(self.port, "vif1").code)
        claims = ("type=dummy", "external_ids:iface-id=vif1")
        self.ovs.vsctl(
            "add-port", "br-int", "p1", "--", "set", "interface", "p1", *claims
        )
        await_true(self.is_up, "the port is UP")
        (self.name,) = self.listed()

    def is_up(self):
        return self.client.status(self.port) == "UP"

    def curl(self, method, path):
        """Ask as an operator; the status and what was answered."""
        socket = self.scene.folder / "state" / "operator.sock"
        words = ["curl", "-sS", "--unix-socket", str(socket), "-X", method]
        words += ["-w", "\n%{http_code}", f"http://localhost{path}"]
        said = subprocess.run(words, capture_output=True, check=True, text=True).stdout
        text, _, status = said.rpartition("\n")
        return int(status), json.loads(text) if text else None

    def listed(self):
        """List the datapath ids."""
        found = self.curl("GET", "/switches")[1]["switches"]
        return [switch["datapath_id"] for switch in found]

    def kept(self):
        """List the files of what was seen last."""
        return [path.stem for path in (self.scene.folder / "state").glob("switches/*")]

    def forget(self, name):
        """Ask that a switch be forgotten; the status and the error's name."""
        status, said = self.curl("DELETE", f"/switches/{name}")
        return status, said and said["QuantumError"]["type"]

    def make_network(self):
        """Ask for a network; the status."""
        return self.client("POST", "/networks", {"network": {"name": "new"}}).code

    def test_forgotten(self):
        """It stays while it is there; gone, it is let go with all that waits for it."""
        self.assertEqual((409, "switchInReach"), self.forget(self.name))
        self.assertEqual((404, "switchNotFound"), self.forget("00000000000000ff"))
        doomed = self.client.network()
        await_true(lambda: self.kept() == [self.name], "what is seen is kept")
        self.ovs.kill("ovs-vswitchd")
        self.ovs.kill("ovsdb-server")
        await_true(lambda: not self.is_up(), "the port is not UP")
        self.assertEqual(204, self.client("DELETE", f"/networks/{doomed}").code)
        self.assertEqual(503, self.make_network())
        await_true(lambda: self.forget(self.name) == (204, None), "it is forgotten")
        self.assertEqual((404, "switchNotFound"), self.forget(self.name))
        self.assertEqual([], self.listed())
        await_true(lambda: self.make_network() == 202, "the number is free")
        await_true(lambda: not self.kept(), "nothing is kept of it")
        self.scene.kill()
        self.scene.start()
        self.assertEqual([], self.listed())
        self.client = self.scene.client()
        self.ovs.start_database()
        self.ovs.start_vswitchd()
        await_true(self.is_up, "it is back, and the port is UP")
        self.assertEqual([self.name], self.listed())
        self.assertNotIn("Traceback", self.scene.log)
