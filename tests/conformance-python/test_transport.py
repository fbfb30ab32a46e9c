"""What the client does when the server misbehaves, and what that leaves in the repository."""

import hashlib
import os
import tempfile
from unittest import mock

import requests

from harness import CLAIMS, INCOMING, Story, admin, shows

UPLOAD = {"method": "POST", "path": "/api/v2/nodes$"}
EMPTY = hashlib.sha256(b"").hexdigest()
FOLDER = "/api/v2/nodes/3001"
# A call, and four more of it.
MOST = 5


class Misbehaving(Story):
    def fault(self, kind, times=1, method="GET", path=FOLDER, **details):
        rule = {"method": method, "path": path, "times": times, "action": {"kind": kind, **details}}
        admin("POST", "faults", rule)

    def calls(self, method, path):
        return [e for e in self.journal() if e["method"] == method and e["path"].endswith(path)]

    def asked(self):
        """How often the folder was asked for since the last time."""
        count = len(self.calls("GET", FOLDER))
        admin("DELETE", "journal")
        return count


class Answers(Misbehaving):
    @shows("200 with JSON: the dictionary")
    def test_json_is_returned_as_it_came(self):
        self.assertEqual(self.client.get_node(CLAIMS)["results"]["data"]["properties"]["name"], "Claims")
        self.assertEqual(self.asked(), 1)

    @shows("200 or 204 without a body: asked again")
    def test_empty_answers_are_asked_for_again(self):
        for kind in ("empty_ok", "no_content"):
            self.fault(kind, times=2)
            self.assertIsNotNone(self.client.get_node(CLAIMS), kind)
            self.assertEqual(self.asked(), 3, kind)

    @shows("200 or 204 without a body: None after five calls")
    def test_empty_answers_are_asked_for_until_it_gives_up(self):
        for kind in ("empty_ok", "no_content"):
            self.fault(kind, times=MOST)
            self.assertIsNone(self.client.get_node(CLAIMS), kind)
            self.assertEqual(self.asked(), MOST, kind)
            self.assertIsNotNone(self.client.get_node(CLAIMS), kind)
            self.asked()

    @shows("200 without a body to POST and DELETE: the same")
    def test_empty_answers_to_writes_are_asked_for_until_it_gives_up(self):
        node = self.upload()
        for kind in ("empty_ok", "no_content"):
            admin("DELETE", "journal")
            self.fault(kind, times=MOST, **UPLOAD)
            self.assertIsNone(self.client.create_item(parent_id=INCOMING, item_type=0, item_name=kind), kind)
            self.assertEqual(len(self.calls("POST", "/api/v2/nodes")), MOST, kind)
            self.fault(kind, times=MOST, method="DELETE", path=f"/nodes/{node}$")
            self.assertIsNone(self.client.delete_node(node), kind)
            self.assertEqual(len(self.calls("DELETE", f"/nodes/{node}")), MOST, kind)
        # None of these calls reached the repository.
        self.assertIsNone(self.at("Claims/Incoming/empty_ok"))
        self.assertIsNotNone(self.node(node))

    @shows("JSON null: the same as no body")
    def test_null_is_as_good_as_nothing(self):
        null = {"status": 200, "body": "null"}
        self.fault("status", times=2, **null)
        self.assertIsNotNone(self.client.get_node(CLAIMS))
        self.assertEqual(self.asked(), 3)
        self.fault("status", times=MOST, **null)
        self.assertIsNone(self.client.get_node(CLAIMS))
        self.assertEqual(self.asked(), MOST)
        self.fault("status", times=MOST, **UPLOAD, **null)
        self.assertIsNone(self.client.create_item(parent_id=INCOMING, item_type=0, item_name="null"))
        self.assertEqual(len(self.calls("POST", "/api/v2/nodes")), MOST)
        self.assertIsNone(self.at("Claims/Incoming/null"))

    @shows("200 with HTML: taken for a lost connection", "an error with HTML: asked again")
    def test_html_is_taken_for_an_overloaded_server(self):
        for kind, pings in (("html_ok", 1), ("html_error", 0)):
            admin("DELETE", "journal")
            self.fault(kind)
            self.assertIsNotNone(self.client.get_node(CLAIMS), kind)
            self.assertEqual(len(self.calls("GET", "/v1/ping")), pings, kind)
            self.assertEqual(self.asked(), 2, kind)

    @shows("401: logged in anew and asked again")
    def test_an_expired_ticket_is_renewed(self):
        admin("POST", "clock", {"advance_seconds": 1801})
        self.assertEqual(self.properties(self.client.get_node(CLAIMS))["name"], "Claims")
        self.assertEqual([e["status"] for e in self.calls("GET", FOLDER)], [401, 200])
        self.assertEqual(len(self.calls("POST", "/v1/auth")), 2)

    @shows("401 again and again: None after five log-ins")
    def test_a_ticket_that_is_never_good_is_given_up(self):
        admin("DELETE", "journal")
        self.fault("unauthorized", times=20)
        self.assertIsNone(self.client.get_node(CLAIMS))
        self.assertEqual(len(self.calls("POST", "/v1/auth")), 5)
        self.assertEqual([e["status"] for e in self.calls("GET", FOLDER)], [401] * 6)

    @shows("502, 503, 504: asked again")
    def test_what_a_gateway_says_is_asked_again(self):
        for status in (502, 503, 504):
            self.fault("status", times=2, status=status)
            self.assertIsNotNone(self.client.get_node(CLAIMS), status)
            self.assertEqual(self.asked(), 3, status)

    @shows("502, 503, 504 again and again: None after five calls")
    def test_a_gateway_that_stays_so_is_given_up(self):
        for status in (502, 503, 504):
            self.fault("status", times=MOST, status=status)
            self.assertIsNone(self.client.get_node(CLAIMS), status)
            self.assertEqual(self.asked(), MOST, status)

    @shows("429, 400, 403, 404, another 500: None at once")
    def test_these_are_not_tried_again(self):
        for status in (429, 400, 403, 404, 500):
            self.fault("status", status=status)
            self.assertIsNone(self.client.get_node(CLAIMS), status)
            self.assertEqual(self.asked(), 1, status)

    @shows("get_result_value: dictionary, list, workspace, error")
    def test_a_value_is_found_in_every_envelope(self):
        value = self.client.get_result_value
        self.assertEqual(value(response=self.client.get_node(CLAIMS), key="name"), "Claims")
        listed = self.client.get_subnodes(CLAIMS)
        self.assertEqual(value(response=listed, key="id", index=0), listed["results"][0]["data"]["properties"]["id"])
        made = self.client.create_workspace(
            workspace_template_id=5001, workspace_name="CLM-9", workspace_description="", workspace_type=16
        )
        self.assertEqual(value(response=made, key="id"), self.at("Claims/CLM-9")["id"])
        self.client.create_item(parent_id=INCOMING, item_type=0, item_name="Letters")
        refused = self.client.create_item(
            parent_id=INCOMING, item_type=0, item_name="Letters", parse_error_response=True
        )
        self.assertIsNone(value(response=refused, key="id"))


class Connections(Misbehaving):
    @shows("headers of calls, downloads and uploads")
    def test_headers(self):
        node = self.upload("memo.txt")
        seen, send = [], requests.Session.send

        def noted(session, request, **options):
            seen.append(request)
            return send(session, request, **options)

        with mock.patch.object(requests.Session, "send", noted):
            self.client.get_node(CLAIMS)
            self.client.get_document_content(node, version_number="1")
            self.upload("other.txt")
        call, download, upload = (request.headers for request in seen)
        self.assertEqual(call["accept"], "application/json;charset=utf-8")
        self.assertEqual(call["Content-Type"], "application/x-www-form-urlencoded")
        self.assertEqual((download["accept"], download["Content-Type"]), ("application/octet-stream", "application/json"))
        self.assertTrue(upload["Content-Type"].startswith("multipart/form-data; boundary="))
        for headers in (call, download, upload):
            self.assertEqual(headers["LLCookie"], headers["otcsticket"])
            for name in ("otcsticket=", "LLCookie="):
                self.assertIn(name, headers["Cookie"])

    @shows("a lost connection: asked again after a ping")
    def test_a_lost_answer_makes_a_delete_fail_the_second_time(self):
        node = self.upload()
        admin("DELETE", "journal")
        self.fault("drop_after_effect", method="DELETE", path=f"/nodes/{node}$")
        self.assertIsNone(self.client.delete_node(node))
        self.assertIsNone(self.node(node))
        self.assertEqual(len(self.calls("DELETE", f"/nodes/{node}")), 2)
        self.assertEqual(len(self.calls("GET", "/v1/ping")), 1)

    @shows("a download that breaks off: noticed")
    def test_a_download_that_breaks_off_is_noticed(self):
        node = self.upload("large.txt", b"x" * 100_000)
        self.fault("cut_body", path=f"/nodes/{node}/content", at=5000, times=10)
        with tempfile.TemporaryDirectory() as folder:
            self.assertFalse(self.client.download_document(node, os.path.join(folder, "large.txt")))


class Uploads(Misbehaving):
    def send_file(self, content):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "evidence.txt")
            with open(path, "wb") as file:
                file.write(content)
            return self.client.upload_file_to_parent(
                parent_id=INCOMING, file_url=path, file_name="evidence.txt", mime_type="text/plain"
            )

    @shows("an upload asked for again after 401: filed empty, reported as done")
    def test_a_401_during_an_upload_files_an_empty_document_and_reports_success(self):
        admin("POST", "faults", {**UPLOAD, "action": {"kind": "unauthorized"}})
        answer = self.send_file(b"what the claimant wrote")
        # The client is content …
        node = self.node(self.id_of(answer))
        self.assertEqual(len(self.calls("POST", "/api/v2/nodes")), 2)
        # … and the document is empty: the opened file was not rewound before the second attempt.
        self.assertEqual((node["versions"][0]["size"], node["versions"][0]["sha256"]), (0, EMPTY))

    @shows("an upload asked for again after 503: the same")
    def test_a_503_during_an_upload_does_the_same(self):
        admin("POST", "faults", {**UPLOAD, "action": {"kind": "status", "status": 503}})
        node = self.node(self.id_of(self.send_file(b"what the claimant wrote")))
        self.assertEqual(node["versions"][0]["size"], 0)

    def test_without_a_fault_the_same_upload_is_whole(self):
        node = self.node(self.id_of(self.send_file(b"what the claimant wrote")))
        self.assertEqual(node["versions"][0]["sha256"], hashlib.sha256(b"what the claimant wrote").hexdigest())
