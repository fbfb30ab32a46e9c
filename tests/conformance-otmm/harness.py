"""One simulator for the whole run, the unchanged client, and what every test needs of them."""

import atexit
import json
import logging
import os
import subprocess
import tempfile
import unittest
import urllib.request

import network

network.block()

import requests  # noqa: E402
from pyxecm.otmm import OTMM  # noqa: E402

# It logs what these tests make it meet.
logging.disable(logging.CRITICAL)

USER, EDITOR, PASSWORD = "integration", "editor", "demo-password"
CLIENT, SECRET = "waybill", "demo-client-secret"


def start():
    process = subprocess.Popen(
        [os.environ["SIMULATOR"], "otmm", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.terminate)
    line = process.stdout.readline()
    return line.split("http://127.0.0.1:")[1].split("/")[0].strip()


SERVER = f"http://127.0.0.1:{start()}"
API = f"{SERVER}/otmmapi/v6"


def admin(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SERVER}/_simulator/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def shows(*operations):
    """What a test proves: methods of the client, `shows("OTMM.get_asset")`, or a sequence of another one."""

    def mark(test):
        test.shows = operations
        return test

    return mark


class Recorded:
    """The client, unchanged, with a note of which of its methods are called."""

    def __init__(self, called, target):
        self._called, self._target = called, target
        called.add("OTMM.__init__")

    def __getattr__(self, name):
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def call(*arguments, **options):
            self._called.add(f"OTMM.{name}")
            return found(*arguments, **options)

        return call


class Story(unittest.TestCase):
    """Each test starts with the seeded repository, and ends without a call to an unknown URL or to another host."""

    def setUp(self):
        admin("POST", "reset")
        network.ATTEMPTS.clear()
        self.called = set()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def tearDown(self):
        self.assertEqual(network.ATTEMPTS, [], "a test tried to leave this machine")
        unknown = [entry for entry in admin("GET", "journal")["entries"] if entry["unknown"]]
        self.assertEqual(unknown, [], "the client called URLs that the simulator does not know")
        promised = set(getattr(getattr(self, self._testMethodName), "shows", ()))
        promised = {operation for operation in promised if operation.startswith("OTMM.")}
        self.assertEqual(promised - self.called, set(), "shown in name only: the test never called it")

    def client(self, password=PASSWORD, threads=2, **options):
        made = OTMM(SERVER, USER, password, CLIENT, SECRET, threads, self.folder.name, **options)
        return Recorded(self.called, made)

    def ready(self, **options):
        client = self.client(**options)
        self.assertTrue(client.authenticate())
        return client

    def switch(self, **settings):
        """Turns switches of the simulator; `reset` turns them back."""
        admin("PUT", "settings", settings)

    def fault(self, **rule):
        admin("POST", "faults", rule)

    def state(self):
        return admin("GET", "state")

    def held(self, name):
        """The latest version of what has a name in the simulator, read without the client."""
        found = [one for one in self.state()["assets"].values() if one["name"] == name and one["latest"]]
        self.assertEqual(len(found), 1, name)
        return found[0]

    def id_of(self, name):
        return self.held(name)["id"]

    def wait(self, seconds):
        admin("POST", "clock", {"advance_seconds": seconds})

    def login(self, session=None, version="v6", user=USER):
        """What most clients do first: a form, and from then on cookies, digest and the session's number."""
        session = session or requests.Session()
        answer = session.post(
            f"{SERVER}/otmmapi/{version}/sessions", data={"username": user, "password": PASSWORD}, timeout=30
        )
        answer.raise_for_status()
        told = answer.json()["session_resource"]["session"]
        session.headers["otmmauthtoken"] = told["message_digest"]
        session.headers["X-Requested-By"] = str(told["id"])
        return session
