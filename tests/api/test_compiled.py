# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
"""`CompiledKlein` answers as Klein's own resource does, byte for byte."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from klein import Klein
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.template import tags
from werkzeug.exceptions import NotFound

from quantum.api.compiled import CompiledKlein
from quantum.api.limits import Limits
from quantum.api.site import ApiSite
from tests.api.wire import Answer, answers, connect


class Trouble(Exception):
    """What the sample's endpoints raise."""


class Worse(Trouble):
    """A kind of trouble."""


class Sample:
    """An application with one of everything that Klein can route and return."""

    app = Klein()

    def __init__(self) -> None:
        self.waiting: list[Deferred[bytes]] = []
        self.seen: list[tuple[list[bytes], list[bytes]]] = []

    @app.route("/")
    def root(self, request) -> bytes:
        return b"root"

    @app.route("/v1.0/tenants/<tenant>/networks", methods=["GET"])
    def networks(self, request, tenant) -> bytes:
        self.seen.append((list(request.prepath), list(request.postpath)))
        return b"networks of " + repr(tenant).encode()

    @app.route("/v1.0/tenants/<tenant>/networks", methods=["POST"])
    def create(self, request, tenant):
        request.setResponseCode(202)
        return succeed(request.content.read())

    @app.route("/v1.0/tenants/<tenant>/networks/detail", methods=["GET"])
    def detail(self, request, tenant) -> str:
        return "d\xe9tail"

    @app.route("/v1.0/tenants/<tenant>/networks/<string:network>", methods=["GET"])
    async def network(self, request, tenant, network) -> bytes:
        request.setHeader(b"Content-Type", b"application/json")
        return repr((tenant, network)).encode()

    @app.route("/v1.0/tenants/<tenant>/networks/<network>", methods=["DELETE"])
    def delete(self, request, tenant, network) -> bytes:
        request.setResponseCode(204)
        return b""

    @app.route("/v1.0/tenants/<tenant>/networks/<network>", methods=["PUT"])
    def nothing(self, request, tenant, network) -> None:
        return None

    @app.route("/any/<what>")
    def any_method(self, request, what) -> bytes:
        return b""

    @app.route("/slash/")
    def slash(self, request) -> bytes:
        return b"slash"

    @app.route("/<first>/over/<second>")
    def over(self, request, first, second) -> bytes:
        return f"{first} over {second}".encode()

    @app.route("/any/under/<int:number>")
    def number(self, request, number) -> bytes:
        return b"number %d" % number

    @app.route("/any/under/<word>")
    def word(self, request, word) -> bytes:
        return b"word"

    @app.route("/rest/<path:rest>")
    def rest(self, request, rest) -> bytes:
        return rest.encode()

    @app.route("/branch/", branch=True)
    def branch(self, request):
        return Leaf()

    @app.route("/page", defaults={"number": 1})
    @app.route("/page/<number>")
    def page(self, request, number) -> bytes:
        return b"page %r" % number

    @app.route("/tag")
    def tag(self, request):
        return tags.p("shown")

    @app.route("/trouble/<kind>")
    def trouble(self, request, kind):
        problem = {"worse": Worse, "key": KeyError, "gone": NotFound}.get(kind, Trouble)
        raise problem

    @app.route("/later/<kind>")
    async def later(self, request, kind):
        await succeed(None)
        problem = {"worse": Worse, "key": KeyError, "gone": NotFound}.get(kind, Trouble)
        raise problem

    @app.route("/wait")
    def wait(self, request):
        self.waiting.append(Deferred())
        return self.waiting[-1]

    @app.route("/written")
    def written(self, request):
        request.write(b"some ")
        return b"more"

    @app.handle_errors(Worse)
    def fail_at_worse(self, request, failure):
        raise KeyError("while handling worse")

    @app.handle_errors(Trouble, KeyError)
    async def handle_trouble(self, request, failure) -> bytes:
        request.setResponseCode(440, b"trouble")
        return failure.type.__name__.encode()


class Leaf(Resource):
    """Something below a branch."""

    isLeaf = True

    def render(self, request) -> bytes:
        return b"leaf " + b"/".join(request.postpath)


def ask(resource, method: bytes, path: bytes, body: bytes = b"") -> Answer:
    """Put one request to a resource through real HTTP."""
    site = ApiSite(resource, Limits(), Clock())
    connection, transport = connect(site)
    connection.dataReceived(
        b"%b %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b"
        % (method, path, len(body), body)
    )
    (answer,) = answers(transport.value(), method)
    return answer


METHODS = [b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"get", b"FOO"]
WORDS = [
    *(b"v1.0 tenants t networks detail net.json any slash over under 7 rest").split(),
    *(b"branch leaf page 1 2 tag trouble worse key gone other later written").split(),
    *(b". .. %2F a%2Fb %00 %C3%A9 %FF %E2%82 %25 %zz a+b %20 ; a;b <x> \xb0").split(),
    b"",
]
ROUTES = [
    b"/",
    b"//",
    b"/v1.0/tenants/t/networks",
    b"/v1.0/tenants/t/networks.xml",
    b"/v1.0/tenants/t/networks/",
    b"/v1.0/tenants/t//networks",
    b"//v1.0/tenants/t/networks",
    b"/v1.0/tenants/t/networks/detail",
    b"/v1.0/tenants/t/networks/n",
    b"/v1.0/tenants/%C3%A9/networks/a%2Fb",
    b"/v1.0/tenants/a%20b/networks/%00",
    b"/any/thing",
    b"/any/under/7",
    b"/any/under/word",
    b"/any/over/b",
    b"/slash",
    b"/slash/",
    b"/page",
    b"/page/1",
    b"/page/2",
    b"/rest/a/b",
    b"/branch/leaf",
    b"/branch/none",
    b"/tag",
    b"/written",
    b"/trouble/any",
    b"/trouble/worse",
    b"/trouble/key",
    b"/trouble/gone",
    b"/later/any",
    b"/later/worse",
    b"/later/key",
    b"/later/gone",
    b"/%FF",
    b"/none",
    b"*",
    b"http://a/v1.0/tenants/t/networks",
]
paths = st.one_of(
    st.sampled_from(ROUTES),
    st.lists(st.sampled_from(WORDS), max_size=8).map(lambda w: b"/" + b"/".join(w)),
)


class SameAnswerTests(SynchronousTestCase):
    """Klein's own resource is the oracle."""

    def assert_same(self, method: bytes, path: bytes, body: bytes = b"") -> None:
        """Ask both."""
        ours = ask(CompiledKlein(Sample().app), method, path, body)
        ours_logged = len(self.flushLoggedErrors())
        kleins = ask(Sample().app.resource(), method, path, body)
        kleins_logged = len(self.flushLoggedErrors())
        self.assertEqual((kleins, kleins_logged), (ours, ours_logged))

    def test_all_routes(self) -> None:
        """Every route answers every method as Klein answers it."""
        for path in ROUTES:
            for method in METHODS:
                self.assert_same(method, path, b"{}")

    @settings(max_examples=300, deadline=None)
    @given(st.sampled_from(METHODS), paths)
    @example(b"GET", b"/v1.0/tenants/./networks/..")
    def test_any_path(self, method: bytes, path: bytes) -> None:
        """Whatever the path is made of, Klein answers the same."""
        self.assert_same(method, path)


class RouteTests(SynchronousTestCase):
    """What is answered without Klein, and how."""

    def setUp(self) -> None:
        self.sample = Sample()
        self.resource = CompiledKlein(self.sample.app)
        self.site = ApiSite(self.resource, Limits(), Clock())

    def test_at_once(self) -> None:
        """An answer that is known at once has a length and is not in chunks."""
        answer = ask(self.resource, b"GET", b"/v1.0/tenants/t/networks")
        self.assertEqual("length", answer.framing)

    def test_no_content(self) -> None:
        """An answer without content has neither length nor chunks."""
        answer = ask(self.resource, b"DELETE", b"/v1.0/tenants/t/networks/n")
        self.assertEqual("none", answer.framing)

    def test_consumed_path(self) -> None:
        """An endpoint sees the path as consumed, as it does under Klein."""
        ask(self.resource, b"GET", b"/v1.0/tenants/t/networks")
        ask(self.sample.app.resource(), b"GET", b"/v1.0/tenants/t/networks")
        ours, kleins = self.sample.seen
        self.assertEqual(kleins, ours)

    def test_does_not_need_klein(self) -> None:
        """The plain routes do not go through Werkzeug's matcher."""
        found = [self.resource._root.fixed["v1.0"].fixed["tenants"].variable]
        self.assertEqual(["networks"], list(found[0].fixed))
        routes = found[0].fixed["networks"]
        self.assertEqual({b"GET", b"HEAD", b"POST"}, set(routes.methods))
        self.assertEqual(("tenant", "network"), routes.variable.methods[b"PUT"].names)

    def test_waits(self) -> None:
        """An answer that comes later is written when it comes."""
        connection, transport = connect(self.site)
        connection.dataReceived(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(b"", transport.value())
        self.sample.waiting[0].callback(b"late")
        self.assertEqual([b"late"], [a.body for a in answers(transport.value())])

    def test_caller_gone(self) -> None:
        """A caller who hangs up cancels nothing, and is written nothing."""
        cancelled = []
        connection, transport = connect(self.site)
        connection.dataReceived(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        self.sample.waiting[0]._canceller = cancelled.append
        transport.lose()
        self.assertEqual([], cancelled)
        self.sample.waiting[0].callback(b"late")
        self.assertEqual(b"", transport.value())

    def test_failure_after_caller_has_gone(self) -> None:
        """What fails when nobody waits for it any more is logged."""
        connection, transport = connect(self.site)
        connection.dataReceived(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        transport.lose()
        self.sample.waiting[0].errback(ZeroDivisionError())
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.assertEqual(b"", transport.value())

    def test_bad_host(self) -> None:
        """A Host header that is no name is the caller's error, not ours."""
        connection, transport = connect(self.site)
        connection.dataReceived(b"GET /none HTTP/1.1\r\nHost: a..b\r\n\r\n")
        self.assertEqual([400], [a.status for a in answers(transport.value())])

    def test_unhandled(self) -> None:
        """What nobody handles is a 500 without a word about the program."""
        self.sample.app._error_handlers = []
        answer = ask(CompiledKlein(self.sample.app), b"GET", b"/trouble/any")
        self.assertEqual(500, answer.status)
        self.assertNotIn(b"Trouble", answer.body)
        self.assertEqual(1, len(self.flushLoggedErrors(Trouble)))

    def test_leaf(self) -> None:
        """It has no children."""
        with self.assertRaises(TypeError):
            self.resource.putChild(b"child", Leaf())
