"""One simulator for the whole run, the unchanged clients, and what every test needs of them."""

import atexit
import json
import logging
import os
import re
import subprocess
import threading
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import network

network.block()

import requests  # noqa: E402
from gql import Client  # noqa: E402
from gql.transport.requests import RequestsHTTPTransport  # noqa: E402
from graphql import TypeInfo, TypeInfoVisitor, Visitor, parse, visit  # noqa: E402

# They log what these tests make them meet.
logging.disable(logging.CRITICAL)

KEY = "0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p"
TOKEN = "0123456789abcdef0123456789abcdef"


def start():
    process = subprocess.Popen(
        [os.environ["SIMULATOR"], "consonance", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.terminate)
    line = process.stdout.readline()
    place, storage = re.findall(r"http://(127\.0\.0\.1:\d+)", line)[:2]
    return f"http://{place}", f"http://{storage}"


SERVER, STORAGE = start()
ENDPOINT = f"{SERVER}/graphql"
PRODUCTS = f"{SERVER}/api/v4/products.json"


def admin(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SERVER}/_simulator/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def shows(*operations):
    """What a test proves: fields of the schema that it asks for, or behaviour with a name of its own."""

    def mark(test):
        test.shows = operations
        return test

    return mark


class _Asked(Visitor):
    """Fields of the root types and members of inputs that a document names."""

    def __init__(self, types, asked):
        super().__init__()
        self.types, self.asked = types, asked

    def enter_field(self, node, *_):
        of = self.types.get_parent_type()
        if of and of.name in ("Query", "Mutation"):
            self.asked.add(f"{of.name}.{node.name.value}")

    def enter_object_field(self, node, *_):
        of = getattr(self.types.get_parent_input_type(), "of_type", self.types.get_parent_input_type())
        if of:
            self.asked.add(f"{of.name}.{node.name.value}")


def asked_by(schema, text):
    """What of `operations` a document asks for, found in it by the reference implementation."""
    asked, types = set(), TypeInfo(schema)
    visit(parse(text), TypeInfoVisitor(types, _Asked(types, asked)))
    return asked


class Story(unittest.TestCase):
    """Each test starts with the seeded publisher, and ends without a call to an unknown URL or to another host."""

    def setUp(self):
        admin("POST", "reset")
        network.ATTEMPTS.clear()
        self.asked = set()

    def tearDown(self):
        self.assertEqual(network.ATTEMPTS, [], "a test tried to leave this machine")
        unknown = [entry for entry in admin("GET", "journal")["entries"] if entry["unknown"]]
        self.assertEqual(unknown, [], "URLs that the simulator does not know were called")
        promised = set(getattr(getattr(self, self._testMethodName), "shows", ()))
        promised = {operation for operation in promised if " " not in operation}
        self.assertEqual(promised - self.asked, set(), "shown in name only: the test never asked for it")

    def client(self, key=KEY, **options):
        """The client gql, which reads the schema by the full standard introspection and validates what it sends."""
        transport = RequestsHTTPTransport(ENDPOINT, headers={"Authorization": f"Bearer {key}"}, timeout=30, **options)
        made = Client(transport=transport, fetch_schema_from_transport=True)
        # The latest introspection that the libraries know, not the least.
        made.introspection_args = {
            "descriptions": True, "specified_by_url": True, "directive_is_repeatable": True,
            "schema_description": True, "input_value_deprecation": True,
        }
        return made

    def execute(self, text, variables=None, client=None, **options):
        from gql import gql

        client = client or self.client()
        with client as session:
            document = gql(text)
            if variables:
                document.variable_values = variables
            answer = session.execute(document, **options)
            self.asked |= asked_by(client.schema, text)
            return answer

    def switch(self, **settings):
        """Turns switches of the simulator; `reset` turns them back."""
        admin("PUT", "settings", settings)

    def fault(self, **rule):
        admin("POST", "faults", rule)

    def wait(self, seconds):
        admin("POST", "clock", {"advance_seconds": seconds})

    def state(self):
        return admin("GET", "state")

    def raw(self, body, headers=None, data=None):
        """A request with nothing of a client's own in it."""
        headers = {"Authorization": f"Bearer {KEY}", **(headers or {})}
        if data is not None:
            return requests.post(ENDPOINT, data=data, headers=headers, timeout=30)
        return requests.post(ENDPOINT, json=body, headers=headers, timeout=30)


class Between:
    """Stands between our client and the simulator, and keeps what goes by: nothing of it is copied into these tests."""

    def __init__(self):
        self.seen = []
        seen = self.seen

        class Passing(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else None
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                seen.append((self.command, self.path, headers, body))
                request = urllib.request.Request(f"{SERVER}{self.path}", data=body, headers=headers, method=self.command)
                try:
                    with urllib.request.urlopen(request, timeout=30) as response:
                        status, kind, text = response.status, response.headers["content-type"], response.read()
                except urllib.error.HTTPError as error:
                    status, kind, text = error.code, error.headers["content-type"], error.read()
                self.send_response(status)
                self.send_header("content-type", kind or "text/plain")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = _pass

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Passing)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def our_calls(follow_up=""):
    """Every call of our client, made through a listener: its requests, and what it said of them."""
    between = Between()
    try:
        secret = json.dumps({"graphql_key": KEY, "rest_token": TOKEN})
        command = [os.environ["CALLS"], between.address, secret, *([follow_up] if follow_up else [])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    finally:
        between.end()
    assert done.returncode == 0, done.stdout + done.stderr
    return between.seen, done.stdout
