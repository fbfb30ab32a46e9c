"""One simulator for the whole run, both surfaces of the client, and what every test needs of them.

A is `pythonik.client.PythonikClient`, written by hand, on requests. B is `pythonik.friendly.Iconik`, generated from the
vendor's descriptions, on httpx. Neither is changed; `Recorded` only notes which of their methods a test has called.
"""

import atexit
import http.server
import json
import os
import subprocess
import threading
import unittest
import urllib.error
import urllib.request

import network

network.block()

from pythonik.client import PythonikClient  # noqa: E402
from pythonik.friendly import Iconik  # noqa: E402

APP_ID = "5f0c8f30-7a51-11f0-a001-0242ac120002"
SERVICE = ("simulated-service-token", "5f0c8f30-7a51-11f0-a002-0242ac120002")
ADMINISTRATOR = ("simulated-administrator-token", "5f0c8f30-7a51-11f0-a003-0242ac120002")
OAUTH = ("5f0c8f30-7a51-11f0-a010-0242ac120002", "simulated-client-secret")
NOWHERE = "00000000-0000-11f0-a000-000000000000"


def start():
    process = subprocess.Popen(
        [os.environ["SIMULATOR"], "iconik", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.terminate)
    line = process.stdout.readline()
    return line.split("http://127.0.0.1:")[1].split("/")[0].strip()


PORT = int(start())
ADDRESS = f"http://127.0.0.1:{PORT}"


def send(method, address, body=None, headers=None):
    """A call without the client: (status, JSON or bytes)."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, content = response.status, response.read()
    except urllib.error.HTTPError as refusal:
        status, content = refusal.code, refusal.read()
    try:
        return status, json.loads(content)
    except ValueError:
        return status, content


def admin(method, path, body=None):
    status, answer = send(method, f"{ADDRESS}/_simulator/{path}", body, {"Content-Type": "application/json"})
    assert status < 300, f"{method} /_simulator/{path}: {status} {answer}"
    return answer


def shows(*operations):
    """The operations of the client that a test proves. `shows("A assets.get", "B get_asset")`."""

    def mark(test):
        test.shows = operations
        return test

    return mark


class Recorded:
    """One surface of the client, unchanged, that notes which of its methods are called."""

    def __init__(self, called, prefix, target):
        self._called, self._prefix, self._target = called, prefix, target

    def __getattr__(self, name):
        method = getattr(self._target, name)

        def call(*arguments, **options):
            self._called.add(f"{self._prefix}{name}")
            return method(*arguments, **options)

        return call


# One of A for the whole process: its base address is kept on classes, and two would overwrite each other's.
COMPAT = PythonikClient(APP_ID, ADMINISTRATOR[0], timeout=10, base_url=ADDRESS)


class SurfaceA:
    """Each specification is made right before it is used: `assets()` makes older ones of `collections()` forget the address."""

    def __init__(self, called):
        self._called = called

    def __getattr__(self, name):
        return Recorded(self._called, f"A {name}.", getattr(COMPAT, name)())


class Story(unittest.TestCase):
    """Each test starts with the seeded production, and ends without a call to an unknown URL or to another host."""

    user = ADMINISTRATOR

    def setUp(self):
        admin("POST", "reset")
        network.ATTEMPTS.clear()
        self.called = set()
        COMPAT.session.headers["Auth-Token"] = self.user[0]
        self.a = SurfaceA(self.called)
        self.b = self.log_in(self.user[0])

    def tearDown(self):
        self.assertEqual(network.ATTEMPTS, [], "a test tried to leave this machine")
        unknown = [e for e in self.journal() if e["unknown"]]
        self.assertEqual(unknown, [], "the client called URLs that the simulator does not know")
        promised = set(getattr(getattr(self, self._testMethodName), "shows", ()))
        self.assertEqual(promised - self.called, set(), "shown in name only: the test never called it")

    def log_in(self, token, app_id=APP_ID):
        client = Iconik(app_id, token, base_url=f"{ADDRESS}/API", timeout=10)
        self.addCleanup(client.close)
        return Recorded(self.called, "B ", client)

    # What the client returned.

    def done(self, response, status=200):
        """The parsed answer of either surface, which has to have this status."""
        if hasattr(response, "response"):
            self.assertEqual(response.response.status_code, status, response.response.text[:500])
            return response.data
        self.assertEqual(response.status_code, status, response.content[:500])
        return response.parsed

    def titles(self, objects):
        return sorted(o["title"] if isinstance(o, dict) else o.title for o in objects)

    # What the simulator holds, read without the client, as the administrator.

    def read(self, path, status=200):
        return self.tell("GET", path, None, status)

    def tell(self, method, path, body=None, status=200):
        headers = {"App-ID": APP_ID, "Auth-Token": ADMINISTRATOR[0], "Content-Type": "application/json"}
        came, answer = send(method, f"{ADDRESS}/API/{path}", body, headers)
        self.assertEqual(came, status, f"{method} {path}: {answer}")
        return answer

    def asset_held(self, asset):
        return self.read(f"assets/v1/assets/{asset}/?include_collections=true")

    def journal(self):
        return admin("GET", "journal")["entries"]

    def switch(self, **settings):
        """Turns switches of the simulator; `reset` turns them back."""
        admin("PUT", "settings", settings)

    # What stories begin with, made without the client so that a test shows only what it names.

    def asset(self, title="Autumn trailer", **more):
        return self.tell("POST", "assets/v1/assets/", {"title": title, **more}, 201)["id"]

    def version(self, asset):
        """The id of the current version."""
        return self.asset_held(asset)["versions"][0]["id"]

    def collection(self, title="Autumn campaign", **more):
        return self.tell("POST", "assets/v1/collections/", {"title": title, **more}, 201)["id"]

    def comment(self, asset, text="Too dark", **more):
        body = {"segment_type": "COMMENT", "segment_text": text, **more}
        return self.tell("POST", f"assets/v1/assets/{asset}/segments/", body, 201)["id"]

    def storage(self, method="S3"):
        storages = self.read("files/v1/storages/?per_page=100")["objects"]
        found = [s["id"] for s in storages if s["method"] == method and s["purpose"] == "FILES"]
        self.assertTrue(found, f"no seeded {method} storage for files")
        return found[0]

    def format(self, asset, name="ORIGINAL"):
        return self.tell("POST", f"files/v1/assets/{asset}/formats/", {"name": name}, 201)["id"]

    def file_set(self, asset, format_id, storage=None, name="master"):
        body = {
            "name": name, "format_id": format_id, "storage_id": storage or self.storage(), "base_dir": "autumn",
            "component_ids": [],
        }
        return self.tell("POST", f"files/v1/assets/{asset}/file_sets/", body, 201)["id"]

    def file(self, asset, name="trailer.mov", content=None, storage=None):
        """A file of an asset, with what belongs to it. With `content` it is uploaded and closed."""
        storage = storage or self.storage()
        format_id = self.format(asset, f"ORIGINAL {name}")
        file_set = self.file_set(asset, format_id, storage, name)
        body = {
            "original_name": name, "directory_path": "autumn", "size": len(content or b""), "type": "FILE",
            "file_set_id": file_set, "format_id": format_id, "storage_id": storage, "status": "OPEN",
        }
        made = self.tell("POST", f"files/v1/assets/{asset}/files/", body, 201)
        if content is not None:
            status, answer = send("PUT", made["upload_url"], content)
            self.assertIn(status, (200, 201), answer)
            self.tell("PATCH", f"files/v1/assets/{asset}/files/{made['id']}/", {"status": "CLOSED"})
        return {"file": made["id"], "file_set": file_set, "format": format_id}

    def field(self, name, kind="string", **more):
        body = {"name": name, "label": name.replace("_", " "), "field_type": kind, **more}
        return self.tell("POST", "metadata/v1/fields/", body, 201)["name"]

    def view(self, *fields, name="Clearance"):
        body = {"name": name, "view_fields": [{"name": field} for field in fields]}
        return self.tell("POST", "metadata/v1/views/", body, 201)["id"]


class Listener:
    """A server of the integrator's, on this machine: what iconik posts to it."""

    def __init__(self, status=200):
        self.status, self.received, self._arrived = status, [], threading.Semaphore(0)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.received.append((self.headers, body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
                outer._arrived.release()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """The next post: (headers, body)."""
        number = getattr(self, "_taken", 0)
        assert self._arrived.acquire(timeout=10), "nothing was posted within ten seconds"
        self._taken = number + 1
        return self.received[number]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
