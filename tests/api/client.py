# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""A client for tests: every request goes through real HTTP bytes, and no socket."""

import json
from typing import Any

from attrs import define, field, frozen
from lxml import etree
from treq.testing import StubTreq
from twisted.web.resource import IResource

from quantum.api.compiled import CompiledKlein
from quantum.api.routes import Api
from quantum.testing import MemoryPlugin

JSON = "application/json"
XML = "application/xml"


@frozen
class Reply:
    """What came back."""

    code: int
    phrase: str
    headers: dict[str, str]
    body: bytes
    length: object

    @property
    def json(self) -> Any:
        """The body as JSON, having made sure that it says it is."""
        assert self.headers["content-type"] == JSON, self
        return json.loads(self.body)

    @property
    def xml(self) -> Any:
        """The body as XML, having made sure that it says it is."""
        assert self.headers["content-type"] == XML, self
        return etree.fromstring(self.body)


@define
class Client:
    """A tenant who speaks one version of the API, in JSON unless told otherwise."""

    case: Any
    resource: IResource
    version: str = "v1.0"
    tenant: str = "acme"
    form: str = JSON
    _treq: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._treq = StubTreq(self.resource)

    def send(self, method: str, path: str, body: Any = b"", **headers: str) -> Reply:
        """Send a request to a path of the whole site."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        names = {name.replace("_", "-"): [value] for name, value in headers.items()}
        # treq asks for gzip unless told otherwise, and hides lengths then.
        names["accept-encoding"] = ["identity"]
        asked = self._treq.request(
            method, f"http://quantum.test:9696{path}", data=body, headers=names
        )
        self.case.pass_time()
        self._treq.flush()
        answer = self.case.successResultOf(asked)
        return Reply(
            answer.code,
            answer.phrase.decode(),
            {
                name.decode().lower(): values[-1].decode()
                for name, values in answer.headers.getAllRawHeaders()
            },
            self.case.successResultOf(answer.content()),
            answer.length,
        )

    def __call__(self, method: str, path: str, body: Any = b"") -> Reply:
        """Send a request to a path below the tenant's."""
        where = f"/{self.version}/tenants/{self.tenant}{path}"
        return self.send(method, where, body, content_type=self.form)

    def network(self, name: str = "blue") -> str:
        """Make a network."""
        reply = self("POST", "/networks.json", {"network": {"name": name}})
        return str(reply.json["network"]["id"])

    def port(self, network: str, attachment: str = "", state: str = "") -> str:
        """Make a port, with something plugged into it if so asked."""
        body = {"port": {"state": state}} if state else b""
        reply = self("POST", f"/networks/{network}/ports.json", body)
        port = str(reply.json["port"]["id"])
        if attachment:
            path = f"/networks/{network}/ports/{port}/attachment.json"
            plugged = self("PUT", path, {"attachment": {"id": attachment}})
            assert plugged.code == 204, plugged
        return port


class ApiMixin:
    """
    Tests of the API, through the resource that `make_resource` makes.

    The same tests run on Klein's own resource and on the compiled one.
    """

    def make_plugin(self) -> Any:
        """Make the plugin under the API."""
        return MemoryPlugin()

    def pass_time(self) -> None:
        """Let the plugin do what it does by and by."""

    def setUp(self) -> None:
        self.plugin = self.make_plugin()
        self.api = Api(self.plugin)
        self.resource = self.make_resource(self.api)
        self.v1_0 = self.client("v1.0")
        self.v1_1 = self.client("v1.1")

    def client(self, version: str, tenant: str = "acme", form: str = JSON) -> Client:
        """Make a client of the API under test."""
        return Client(self, self.resource, version, tenant, form)


class OnKlein:
    """Serve the API by Klein's own resource."""

    def make_resource(self, api: Api) -> IResource:
        return api.app.resource()


class OnCompiled:
    """Serve the API by what is compiled from Klein's routes."""

    def make_resource(self, api: Api) -> IResource:
        return CompiledKlein(api.app)
