"""What the client does when the server misbehaves, and what that leaves in the repository."""

import hashlib
import os
import tempfile

from harness import INCOMING, Story, admin

UPLOAD = {"method": "POST", "path": "/api/v2/nodes$"}
EMPTY = hashlib.sha256(b"").hexdigest()


class Transport(Story):
    def fault(self, kind, times=1, method="GET", path="/api/v2/nodes/3001", **details):
        rule = {"method": method, "path": path, "times": times, "action": {"kind": kind, **details}}
        admin("POST", "faults", rule)

    def calls(self, method, path):
        return [e for e in self.journal() if e["method"] == method and e["path"].endswith(path)]

    def send_file(self, content):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "evidence.txt")
            with open(path, "wb") as file:
                file.write(content)
            return self.client.upload_file_to_parent(
                parent_id=INCOMING, file_url=path, file_name="evidence.txt", mime_type="text/plain"
            )

    def test_a_401_during_an_upload_files_an_empty_document_and_reports_success(self):
        admin("POST", "faults", {**UPLOAD, "action": {"kind": "unauthorized"}})
        answer = self.send_file(b"what the claimant wrote")
        # The client is content …
        node = self.node(self.id_of(answer))
        self.assertEqual(len(self.calls("POST", "/api/v2/nodes")), 2)
        # … and the document is empty: the opened file was not rewound before the second attempt.
        self.assertEqual((node["versions"][0]["size"], node["versions"][0]["sha256"]), (0, EMPTY))

    def test_a_503_during_an_upload_does_the_same(self):
        admin("POST", "faults", {**UPLOAD, "action": {"kind": "status", "status": 503}})
        node = self.node(self.id_of(self.send_file(b"what the claimant wrote")))
        self.assertEqual(node["versions"][0]["size"], 0)

    def test_without_a_fault_the_same_upload_is_whole(self):
        node = self.node(self.id_of(self.send_file(b"what the claimant wrote")))
        self.assertEqual(node["versions"][0]["sha256"], hashlib.sha256(b"what the claimant wrote").hexdigest())

    def test_an_expired_ticket_is_renewed(self):
        admin("POST", "clock", {"advance_seconds": 1801})
        self.assertEqual(self.properties(self.client.get_node(3001))["name"], "Claims")
        self.assertEqual([e["status"] for e in self.calls("GET", "/nodes/3001")], [401, 200])
        self.assertEqual(len(self.calls("POST", "/v1/auth")), 2)

    def test_empty_answers_are_asked_for_again(self):
        for kind in ("empty_ok", "no_content"):
            self.fault(kind, times=2)
            self.assertIsNotNone(self.client.get_node(3001), kind)
        self.assertEqual(len(self.calls("GET", "/nodes/3001")), 6)

    def test_html_is_taken_for_an_overloaded_server(self):
        self.fault("html_ok")
        self.assertIsNotNone(self.client.get_node(3001))
        self.fault("html_error")
        self.assertIsNotNone(self.client.get_node(3001))
        self.assertEqual(len(self.calls("GET", "/nodes/3001")), 4)

    def test_these_are_not_tried_again(self):
        for status in (429, 400, 403, 404):
            self.fault("status", status=status)
            self.assertIsNone(self.client.get_node(3001), status)
        self.assertEqual(len(self.calls("GET", "/nodes/3001")), 4)

    def test_a_lost_answer_makes_a_delete_fail_the_second_time(self):
        node = self.upload()
        self.fault("drop_after_effect", method="DELETE", path=f"/nodes/{node}$")
        self.assertIsNone(self.client.delete_node(node))
        self.assertIsNone(self.node(node))
        self.assertEqual(len(self.calls("DELETE", f"/nodes/{node}")), 2)

    def test_a_download_that_breaks_off_is_noticed(self):
        node = self.upload("large.txt", b"x" * 100_000)
        self.fault("cut_body", path=f"/nodes/{node}/content", at=5000, times=10)
        with tempfile.TemporaryDirectory() as folder:
            self.assertFalse(self.client.download_document(node, os.path.join(folder, "large.txt")))
