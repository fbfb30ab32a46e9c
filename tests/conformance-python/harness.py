"""One simulator process for the whole run, and what every test needs of it."""

import atexit
import json
import logging
import os
import subprocess
import unittest
import urllib.request
from unittest import mock

from pyxecm import OTCS

from rows import method_of, unsent

PASSWORD = "demo-password"
CLAIMS, INCOMING, ARCHIVE = 3001, 3101, 3004
CLAIM_EVIDENCE, DIGITISED_ITEM = 4101, 4104

logging.getLogger().setLevel(logging.CRITICAL + 1)
logging.disable(logging.CRITICAL)


def start():
    process = subprocess.Popen(
        [os.environ["SIMULATOR"], "content-server", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.terminate)
    line = process.stdout.readline()
    return line.split("http://127.0.0.1:")[1].split("/")[0]


PORT = int(start())
ADMIN_URL = f"http://127.0.0.1:{PORT}/_simulator"


def admin(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ADMIN_URL}/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def shows(*rows):
    """The rows of `rows.py` that a test proves."""

    def mark(test):
        test.shows = rows
        return test

    return mark


class Recorded:
    """The client, unchanged, with a note of which of its methods are called."""

    def __init__(self, called, target):
        self._called, self._target = called, target

    def __getattr__(self, name):
        found = getattr(self._target, name)
        if not callable(found):
            return found

        def call(*arguments, **options):
            self._called.add(name)
            return found(*arguments, **options)

        return call


class Story(unittest.TestCase):
    """Each test starts with the seeded repository, a logged-in client, and no waiting."""

    user = "admin"

    def setUp(self):
        admin("POST", "reset")
        # The client sleeps 30 s before it repeats a call after a 401: nothing to wait for here.
        patch = mock.patch("time.sleep", lambda seconds: None)
        patch.start()
        self.addCleanup(patch.stop)
        self.called = set()
        self.client = self.log_in(self.user)

    def tearDown(self):
        journal = self.journal()
        unknown = [e for e in journal if e["unknown"]]
        self.assertEqual(unknown, [], "the client called URLs the simulator does not know")
        promised = getattr(getattr(self, self._testMethodName), "shows", ())
        for row in promised:
            method = method_of(row)
            self.assertTrue(method is None or method in self.called, f"{row}: shown in name only, the test never called it")
            self.assertEqual(unsent(row, journal), [], f"{row}: these requests never came")

    def client_of(self, **options):
        return Recorded(self.called, OTCS(protocol="http", hostname="127.0.0.1", port=PORT, **options))

    def log_in(self, user):
        client = self.client_of(username=user, password=PASSWORD)
        self.assertTrue(client.authenticate(), "no cookie after authenticate()")
        return client

    # What the simulator holds.

    def state(self):
        return admin("GET", "state")

    def node(self, node_id):
        return self.state()["nodes"].get(str(node_id))

    def at(self, path):
        path = "Enterprise/" + path
        return next((n for n in self.state()["nodes"].values() if n["path"] == path), None)

    def journal(self):
        return admin("GET", "journal")["entries"]

    # What the client returned.

    def id_of(self, response):
        node_id = self.client.get_result_value(response=response, key="id")
        self.assertIsInstance(node_id, int, response)
        return node_id

    def properties(self, response):
        return response["results"]["data"]["properties"]

    def upload(self, name="memo.txt", content=b"first", parent=INCOMING, **options):
        response = self.client.upload_file_to_parent(
            parent_id=parent, file_name=name, file_content=content, mime_type="text/plain", **options
        )
        return self.id_of(response)
