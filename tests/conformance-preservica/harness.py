"""One simulator for the whole run, the unchanged client, and what every test needs of them."""

import atexit
import datetime
import http.server
import json
import os
import select
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import network

network.block()

import pyPreservica  # noqa: E402

OPERATOR = "operator@example.com"
MANAGER = "manager@example.com"
PASSWORD = "demo-password"
TENANT = "DEMO"
# Where the client takes storage accounts of Azure to be, whatever it is told.
AZURE = "blob.core.windows.net"


FOLDER = tempfile.TemporaryDirectory()


def certificate():
    """A certificate for this machine, made here and believed by this process alone."""
    chain, key = (os.path.join(FOLDER.name, name) for name in ("certificate.pem", "key.pem"))
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", f"subjectAltName=IP:127.0.0.1,DNS:*.{AZURE}", "-keyout", key, "-out", chain,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return chain, key


def start():
    """The ports of the interface, of the bulk location, of the interface over TLS, and of the container of Azure."""
    chain, key = certificate()
    os.environ["REQUESTS_CA_BUNDLE"] = chain
    process = subprocess.Popen(
        [
            os.environ["SIMULATOR"], "preservica", "--port", "0", "--bulk-port", "0", "--tls-port", "0",
            "--container-port", "0", "--certificate", chain, "--key", key,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.terminate)
    return [process.stdout.readline().split("://127.0.0.1:")[1].split("/")[0].strip() for _ in range(4)]


SERVER, BULK, SECURE, CONTAINER = (f"127.0.0.1:{port}" for port in start())
# The client takes Amazon's own address for the bulk location, whatever it is told.
os.environ["AWS_ENDPOINT_URL_S3"] = f"http://{BULK}"


def admin(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{SERVER}/_simulator/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def shows(*operations):
    """The operations of the client that a test proves: `shows("EntityAPI.folder")`."""

    def mark(test):
        test.shows = operations
        return test

    return mark


class Recorded:
    """A part of the client, unchanged, that notes which of its methods are called."""

    def __init__(self, called, target):
        self._called, self._target = called, target

    def __getattr__(self, name):
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def call(*arguments, **options):
            self._called.add(f"{type(self._target).__name__}.{name}")
            return found(*arguments, **options)

        return call


class Story(unittest.TestCase):
    """Each test starts with the seeded archive, and ends without a call to an unknown URL or to another host."""

    def setUp(self):
        # The client asks for events up to its own time.
        admin("POST", "clock", {"now": datetime.datetime.now(datetime.UTC).isoformat()})
        admin("POST", "reset")
        network.ATTEMPTS.clear()
        self.called = set()
        self.made = {}

    def tearDown(self):
        self.assertEqual(network.ATTEMPTS, [], "a test tried to leave this machine")
        unknown = [entry for entry in admin("GET", "journal")["entries"] if entry["unknown"]]
        self.assertEqual(unknown, [], "the client called URLs that the simulator does not know")
        promised = set(getattr(getattr(self, self._testMethodName), "shows", ()))
        self.assertEqual(promised - self.called, set(), "shown in name only: the test never called it")

    def part(self, name, user=OPERATOR, secure=False):
        """A part of the client as somebody: `EntityAPI`, `UploadAPI` …"""
        if (name, user, secure) not in self.made:
            server, protocol = (SECURE, "https") if secure else (SERVER, "http")
            made = getattr(pyPreservica, name)(
                username=user, password=PASSWORD, tenant=TENANT, server=server, protocol=protocol
            )
            self.made[name, user, secure] = Recorded(self.called, made)
        return self.made[name, user, secure]

    @property
    def entities(self):
        return self.part("EntityAPI")

    def switch(self, **settings):
        """Turns switches of the simulator; `reset` turns them back."""
        admin("PUT", "settings", settings)

    def state(self):
        return admin("GET", "state")

    def held(self, title):
        """What the simulator holds under a title, read without the client."""
        found = [entity for entity in self.state()["entities"].values() if entity["title"] == title]
        self.assertEqual(len(found), 1, title)
        return found[0]

    def asset(self, title="Spring launch"):
        return self.entities.asset(self.held(title)["reference"])

    def folder(self, title="Records"):
        return self.entities.folder(self.held(title)["reference"])

    def wait(self, seconds):
        now = admin("GET", "clock")["now"]
        admin("POST", "clock", {"advance_seconds": seconds})
        return now

    def pack(self, name, **options):
        """What one of the client's functions makes of files: a package for a folder."""
        self.called.add(f"uploadAPI.{name}")
        return getattr(pyPreservica, name)(export_folder=FOLDER.name, **options)

    def noted(self, target):
        """Something else of the client, unchanged, whose calls count as shown."""
        return Recorded(self.called, target)

    def file(self, name, content):
        path = os.path.join(FOLDER.name, name)
        with open(path, "wb") as file:
            file.write(content)
        return path


def listen(handler):
    """Serves a handler on this machine; gives the server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Tunnel(http.server.BaseHTTPRequestHandler):
    """A proxy that leads calls of Azure's storage to the container of the simulator, and all others nowhere."""

    def do_CONNECT(self):
        host, _, port = self.path.rpartition(":")
        if not host.endswith(f".{AZURE}") or port != "443":
            network.ATTEMPTS.append(self.path)
            self.send_error(403)
            return
        place, _, number = CONTAINER.partition(":")
        with socket.create_connection((place, int(number))) as container:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: container, container: self.connection}
            while ends:
                for end in select.select(list(ends), [], [], 30)[0] or list(ends):
                    piece = end.recv(1 << 16)
                    if not piece:
                        return
                    ends[end].sendall(piece)

    def log_message(self, *arguments):
        pass
