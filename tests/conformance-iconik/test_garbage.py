"""What a careless stranger sends: every operation that the generated surface knows, with ids, queries and bodies that are wrong.

Whatever the simulator makes of it, it answers in JSON (a client can read nothing else), refuses rather than breaks, and goes on.
"""

import http.client
import inspect
import json
import re

import network
from pythonik.friendly import Iconik

from harness import ADMINISTRATOR, APP_ID, NOWHERE, PORT, Story, admin

HEADERS = {"App-ID": APP_ID, "Auth-Token": ADMINISTRATOR[0], "Content-Type": "application/json"}

IDS = [NOWHERE, "%00", "..%2f..%2fetc", "%ff%fe", "%F0%9F%8E%AC'%22%3Cscript%3E", "%20", "0" * 2000]
QUERIES = [
    "page=-1", "page=99999999999999999999&per_page=-5", "page=two&last_id=%ff&filter=%00", "per_page=0", "page=10001",
    "sort=;;,,&scroll=perhaps&scroll_id=%00", "&&==&=&%", "parts_num=0&upload_id=x", "parts_num=99999999999&upload_id=",
    "parts_num=-1&upload_id=%F0%9F&type=x&max_part_number=-1", "search_after=%5B%7B&ids=,,,&object_types=x&version_id=x",
    "time_start_milliseconds=x&expires_in=-1&generate_signed_url=maybe&words_per_line=0", "a" * 4000,
]
BODIES = [b"", b"null", b"[]", b"{}", b"{", b"\xff\xfe", b'"text"', b"1e999", b'{"title":"\\ud800"}', b"[" * 5000]
# Under every name a schema knows: once each of these.
WRONG = [None, True, -1, 2**63, 1.5, "", "\u202etxt\u0000", [None], {"": None}, [{"id": {}}], "9999-99-99T99:99:99Z",
         "99999999999999999999:00:00,000 --> 00:00:00,000"]


def operations():
    """(method, service, path with names in braces) of everything the generated surface can call."""
    for name, method in inspect.getmembers(Iconik, inspect.isfunction):
        found = re.search(r"\((GET|POST|PUT|PATCH|DELETE) (/v\d/\S*)\)$", method.__doc__ or "")
        service = re.search(r"from \.(\w+)\.api", inspect.getsource(method)) if found else None
        if service:
            kind = service[1]
            yield found[1], {"usersnotifications": "users-notifications"}.get(kind, kind), found[2]


# One of them would end the stranger's own token.
ALL = sorted(set(operations()) - {("DELETE", "auth", "/v1/auth/token/")})
NAMES = sorted({
    "title", "name", "status", "type", "object_id", "object_ids", "object_type", "ids", "emails", "users", "externals", "min_number",
    "metadata_values", "metadata_values_object_id_mapping", "field_type", "options", "view_fields", "segment_type", "segment_text",
    "segment_ids", "objects", "parent_id", "time_start_milliseconds", "steps", "progress_total", "progress_processed", "job_ids",
    "action", "related_objects", "file_set_id", "format_id", "storage_id", "component_ids", "base_dir", "original_name",
    "directory_path", "size", "checksum", "components", "metadata", "external_references", "upload_id", "parts", "filter", "terms",
    "sort", "query", "search_after", "doc_types", "facets", "include_fields", "triggers", "actions", "conditions", "url",
    "event_type", "headers", "context", "asset_ids", "collection_ids", "related_to_asset_id", "relation_type", "operation_type",
    "source_version_id", "label", "view_ids", "versions", "date_created", "date_deleted", "in_collections", "user_id", "drawing",
    "email", "password", "grant_type", "client_id", "approvals_by", "settings", "language", "content", "collection_id", "priority",
})


class Garbage(Story):
    # Those of ALL that the simulator knows.
    operations = []

    def setUp(self):
        super().setUp()
        if not Garbage.operations:
            Garbage.operations = self.known()
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        self.addCleanup(self.connection.close)
        self.asset_id, self.collection_id = self.asset(), self.collection()
        self.made = {
            "asset_id": self.asset_id, "collection_id": self.collection_id, "object_id": self.asset_id, "object_type": "assets",
            "version_id": self.version(self.asset_id), "segment_id": self.comment(self.asset_id), "context": "ASSET",
            "view_id": self.view(self.field("Sales_region")), "field_name": "Sales_region", "storage_id": self.storage(),
            "job_id": self.tell("POST", "jobs/v1/jobs/", {"type": "CUSTOM", "status": "STARTED", "title": "x"}, 201)["id"],
            "purpose": "FILES", "method": "S3", "relation_type": "nonsense", "related_to_asset_id": self.asset_id,
            **{f"{kind}_id": made for kind, made in self.file(self.asset_id, content=b"x").items()},
        }

    def tearDown(self):
        # Most of what a thousand operations call is not simulated: unknown addresses are no news here.
        self.assertEqual(network.ATTEMPTS, [])

    def known(self):
        """Each is called once, with ids of nothing, and the journal says which were addresses at all."""
        self.made = {"object_type": "assets", "context": "ASSET", "purpose": "FILES", "method": "S3"}
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        for method, service, template in ALL:
            connection.request(method, self.path(service, template), None, HEADERS)
            connection.getresponse().read()
        connection.close()
        called = [e["unknown"] for e in self.journal()][-len(ALL):]
        known = [operation for operation, unknown in zip(ALL, called, strict=True) if not unknown]
        admin("POST", "reset")
        return known

    def path(self, service, template, name=None, value=None):
        """The path with what exists in every place, but for the one place."""
        def fill(match):
            return value if match[1] == name else str(self.made.get(match[1], NOWHERE))

        return f"/API/{service}" + re.sub(r"{(\w+)}", fill, template)

    def ask(self, method, target, body=None, headers=HEADERS):
        self.connection.request(method, target, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        told = f"{method} {target[:300]} {str(body)[:200]} → {answer.status} {content[:300]!r}"
        self.assertLess(answer.status, 500, told)
        if answer.status >= 400:
            try:
                refusal = json.loads(content)
            except ValueError:
                self.fail(f"not JSON: {told}")
            self.assertIsInstance(refusal.get("errors"), list | dict, told)
        return answer.status

    def test_ids_that_are_none(self):
        for method, service, template in self.operations:
            for name in re.findall(r"{(\w+)}", template):
                for wrong in IDS:
                    self.ask(method, self.path(service, template, name, wrong))

    def test_queries_that_mean_nothing(self):
        for method, service, template in self.operations:
            if method == "GET":
                for query in QUERIES:
                    self.ask(method, f"{self.path(service, template)}?{query}")

    def test_bodies_that_are_none(self):
        for method, service, template in self.operations:
            if method != "GET":
                for body in BODIES:
                    self.ask(method, self.path(service, template), body)

    def test_members_of_the_wrong_kind(self):
        for method, service, template in self.operations:
            if method in ("POST", "PUT", "PATCH"):
                for wrong in WRONG:
                    self.ask(method, self.path(service, template), json.dumps(dict.fromkeys(NAMES, wrong)).encode())

    def test_one_member_wrong_in_a_body_that_is_right(self):
        right = {
            ("POST", "assets", "/v1/assets/"): {"title": "x", "type": "ASSET", "external_id": "1"},
            ("POST", "assets", "/v1/assets/{asset_id}/segments/"): {
                "segment_type": "COMMENT", "segment_text": "x", "parent_id": None, "time_start_milliseconds": 1, "metadata": {}},
            ("POST", "assets", "/v1/{object_type}/{object_id}/approvals/request/"): {"users": [ADMINISTRATOR[1]], "min_number": 1},
            ("PUT", "assets", "/v1/{object_type}/{object_id}/approvals/"): {"status": "APPROVED"},
            ("PUT", "metadata", "/v1/{object_type}/{object_id}/views/{view_id}/"): {
                "metadata_values": {"Sales_region": {"field_values": [{"value": "x"}], "mode": "append"}}},
            ("POST", "jobs", "/v1/jobs/"): {"type": "CUSTOM", "status": "STARTED", "title": "x", "progress_total": 10,
                                            "progress_processed": 5, "steps": [], "metadata": {}},
            ("POST", "search", "/v1/search/"): {
                "query": "x", "doc_types": ["assets"], "filter": {"operator": "AND", "terms": [{"name": "title", "value": "x"}]},
                "sort": [{"name": "title", "order": "asc"}], "search_after": ["x"], "facets": ["type"]},
            ("POST", "files", "/v1/assets/{asset_id}/files/"): {
                "original_name": "x", "directory_path": "", "size": 1, "type": "FILE", "file_set_id": None, "format_id": None,
                "storage_id": None},
            ("POST", "notifications", "/v1/webhooks/"): {
                "url": "http://127.0.0.1:1/", "event_type": "assets", "status": "DISABLED", "headers": {}, "query": "a = 1"},
        }
        for (method, service, template), body in right.items():
            target = self.path(service, template)
            for name in body:
                for wrong in WRONG:
                    self.ask(method, target, json.dumps({**body, name: wrong}).encode())
            nested = json.dumps(body)
            for cut in range(0, len(nested), 3):
                self.ask(method, target, nested[:cut].encode())

    def test_search_texts(self):
        for query in ("(", ")", "a AND", "OR", "NOT", "[1 TO", "{* TO *}", "a~~~", "\\", '"', "field:", ":", "^9", "*" * 500,
                      "(" * 5000, "\u202e", "a:b:c", "metadata.:x", "/(/", "-", "+", "&&", "||", "!", "\x00", "é" * 2000):
            body = {"query": query, "filter": {"operator": "AND", "terms": [{"name": "title", "value": query}]}}
            self.ask("POST", "/API/search/v1/search/", json.dumps(body).encode())
            body = {"filter": {"operator": query, "filters": [{"operator": "OR", "filters": [{"operator": "NOT"}]}]}}
            self.ask("POST", "/API/search/v1/search/", json.dumps(body).encode())

    def test_methods_headers_and_paths_nobody_uses(self):
        for method in ("OPTIONS", "TRACE", "HEAD", "PROPFIND", "BREW", "get"):
            self.ask_loosely(method, f"/API/assets/v1/assets/{self.asset_id}/")
        for target in ("/", "//", "/API", "/API/", "/API//assets//v1/assets/", "/API/assets/v1/assets//", "/API/assets/v9/assets/",
                       "/api/assets/v1/assets/", "/API/%61ssets/v1/assets/", "/API/assets/v1/assets/%", "/API/" + "a/" * 3000,
                       "/API/assets/v1/assets/?%", "/API/assets/v1/assets/;x", "/favicon.ico", "/_simulator/nonsense"):
            self.ask_loosely("GET", target)
        for headers in ({}, {"App-ID": ""}, {"App-ID": APP_ID}, {"Auth-Token": "x" * 5000, "App-ID": APP_ID},
                        {"Authorization": "Bearer"}, {"Authorization": "Basic !!!"}, {**HEADERS, "Content-Type": "text/plain"}):
            self.ask("GET", f"/API/assets/v1/assets/{self.asset_id}/", None, headers)
        self.assertEqual(self.ask("GET", "/API/assets/v1/assets/"), 200)

    def ask_loosely(self, method, target):
        """Outside the interface another form is allowed, a broken connection is not."""
        self.connection.request(method, target, None, HEADERS)
        answer = self.connection.getresponse()
        answer.read()
        self.assertLess(answer.status, 500, f"{method} {target[:100]}")

    def test_a_body_that_is_too_large(self):
        for size in (1024 * 1024, 15 * 1024 * 1024, 20 * 1024 * 1024):
            body = json.dumps({"title": "x" * size}).encode()
            status = self.ask("POST", "/API/assets/v1/assets/", body)
            self.assertIn(status, (201, 400, 413), size)
        deep = b'{"title":"x","metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        self.assertEqual(self.ask("POST", "/API/assets/v1/assets/", deep), 400)
        self.assertEqual(self.ask("GET", "/API/assets/v1/assets/"), 200)

    def test_orders_to_the_simulator_itself(self):
        for method, place in (("PUT", "settings"), ("POST", "faults"), ("POST", "clock")):
            for body in [*BODIES, b'{"nonsense": 1}', b'{"action":{"kind":"status"}}', b'{"advance_seconds":-1e300}',
                         b'{"now":"yesterday"}', b'{"path":"(","action":{"kind":"no_content"}}', b'{"advance_seconds":99999999999999}']:
                if body not in (b"{}", b"[]"):
                    self.ask_loosely_with(method, f"/_simulator/{place}", body)
        admin("POST", "reset")
        self.assertEqual(self.ask("GET", "/API/assets/v1/assets/"), 200)

    def ask_loosely_with(self, method, target, body):
        self.connection.request(method, target, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        answer.read()
        self.assertLess(answer.status, 500, f"{method} {target} {body[:100]}")
