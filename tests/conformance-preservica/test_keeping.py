"""Uploads, retention, legal holds, search, monitor and webhooks."""

import hashlib
import http.server
import json
import os
import time
from urllib.parse import parse_qs, urlparse

from harness import FOLDER, MANAGER, Story, admin, listen, shows

import pyPreservica
from pyPreservica import TriggerType, WebHookHandler, complex_asset_package, simple_asset_package


class Uploads(Story):
    def package(self, name, content, **more):
        return simple_asset_package(
            preservation_file=self.file(name, content), export_folder=FOLDER.name, parent_folder=self.folder(),
            Title=name, **more,
        )

    def ended(self, token):
        self.wait(60)
        self.assertEqual(self.entities.get_async_progress(token), "COMPLETED", self.state()["progress"][token])

    @shows("UploadAPI.upload_zip_package")
    def test_a_small_package_goes_up_in_one_request(self):
        package = self.package("small.txt", b"small", Identifiers={"OTMM": "small:1"})
        self.ended(self.part("UploadAPI").upload_zip_package(package, self.folder()))
        (found,) = self.entities.identifier("OTMM", "small:1")
        self.assertEqual(found.title, "small.txt")

    @shows("UploadAPI.upload_zip_package")
    def test_a_large_package_goes_up_in_parts(self):
        content = os.urandom(40 << 20)
        package = self.package("large.bin", content, compress=False)
        self.ended(self.part("UploadAPI").upload_zip_package(package, self.folder()))
        asset = self.asset("large.bin")
        (representation,) = self.entities.representations(asset)
        (part,) = self.entities.content_objects(representation)
        (file,) = self.entities.generations(part)[0].bitstreams
        self.assertEqual(file.length, 40 << 20)
        self.assertEqual(file.fixity["SHA1"], hashlib.sha1(content).hexdigest())
        puts = [entry for entry in admin("GET", "journal")["entries"] if "partNumber" in entry["query"]]
        self.assertEqual(len(puts), 6)

    @shows("UploadAPI.upload_zip_package")
    def test_two_representations_of_several_files(self):
        package = complex_asset_package(
            preservation_files_list=[self.file("a.tif", b"a"), self.file("b.tif", b"b")],
            access_files_list=[self.file("a.jpg", b"c")], export_folder=FOLDER.name, parent_folder=self.folder(), Title="Many",
        )
        self.ended(self.part("UploadAPI").upload_zip_package(package, self.folder()))
        parts = {one["kind"]: len(one["content_objects"]) for one in self.held("Many")["representations"]}
        self.assertEqual(parts, {"Preservation": 2, "Access": 1})

    @shows("MonitorAPI.monitors", "MonitorAPI.messages", "MonitorAPI.timeseries")
    def test_the_monitor_tells_of_it(self):
        self.part("UploadAPI").upload_zip_package(self.package("told.txt", b"told"), self.folder())
        self.wait(60)
        monitor = self.part("MonitorAPI")
        (found,) = monitor.monitors()
        self.assertEqual(found["status"], "Succeeded")
        (message,) = monitor.messages(found["MonitorId"])
        self.assertEqual(message["entityTitle"], "told.txt")
        self.assertTrue(monitor.timeseries(found["MonitorId"]))


class Keeping(Story):
    @shows(
        "RetentionAPI.create_policy", "RetentionAPI.policy", "RetentionAPI.policies", "RetentionAPI.policy_by_name",
        "RetentionAPI.add_assignments", "RetentionAPI.assignments", "RetentionAPI.remove_assignments",
        "RetentionAPI.delete_policy", "RetentionAPI.assignable_policy",
    )
    def test_retention(self):
        retention = self.part("RetentionAPI", MANAGER)
        made = retention.create_policy(
            Name="Ten years", Description="d", SecurityTag="open", StartDateField="xip.created", Period="10",
            PeriodUnit="YEAR", ExpiryAction="REVIEW", ExpiryActionParameters="{}", Restriction="DELETE", Assignable=True,
        )
        self.assertEqual(retention.policy(made.reference).name, "Ten years")
        self.assertEqual(retention.policy_by_name("Ten years").reference, made.reference)
        self.assertEqual({policy.name for policy in retention.policies()}, {"Ten years", "Seven years"})
        asset = self.asset()
        retention.add_assignments(asset, made)
        (assigned,) = retention.assignments(asset)
        self.assertEqual(assigned.policy_reference, made.reference)
        retention.remove_assignments(assigned)
        self.assertEqual(self.held("Spring launch")["retention"], [])
        retention.assignable_policy(made.reference, False)
        retention.delete_policy(made.reference)

    @shows(
        "LegalHoldAPI.create_hold", "LegalHoldAPI.legal_hold", "LegalHoldAPI.legal_holds", "LegalHoldAPI.assign_legal_hold",
        "LegalHoldAPI.asset_holds", "LegalHoldAPI.remove_legal_hold_assignment", "LegalHoldAPI.delete_legal_hold",
    )
    def test_legal_holds(self):
        holds = self.part("LegalHoldAPI", MANAGER)
        made = holds.create_hold("Inquiry", "d")
        self.assertEqual(holds.legal_hold(made.reference).name, "Inquiry")
        self.assertEqual(len(list(holds.legal_holds())), 2)
        asset = self.asset()
        holds.assign_legal_hold(asset, made)
        self.assertEqual(len(list(holds.asset_holds(asset))), 1)
        holds.remove_legal_hold_assignment(asset, made)
        self.assertEqual(self.held("Spring launch")["holds"], [])
        holds.delete_legal_hold(made.reference)

    @shows(
        "ContentAPI.simple_search_list", "ContentAPI.search_index_filter_list", "ContentAPI.object_details",
        "ContentAPI.indexed_fields", "ContentAPI.download",
    )
    def test_search(self):
        content = self.part("ContentAPI")
        self.assertEqual(len(list(content.simple_search_list("%", 2))), 6)
        found = list(content.search_index_filter_list("%", 2, {"xip.title": "", "xip.document_type": "IO"}))
        self.assertEqual(len(found), 3)
        asset = self.asset()
        self.assertEqual(content.object_details("IO", asset.reference)["name"], "Spring launch")
        self.assertTrue(content.indexed_fields())
        path = os.path.join(FOLDER.name, "download")
        content.download(asset.reference, path)
        # The copy for access, where there is one.
        self.assertEqual(os.path.getsize(path), 40_000)


class Telling(Story):
    @shows("WebHooksAPI.subscribe", "WebHooksAPI.subscriptions", "WebHooksAPI.unsubscribe_all")
    def test_the_clients_own_receiver_takes_what_is_sent(self):
        came = []

        class Handler(WebHookHandler):
            def do_WORK(self, event):
                came.append(event)

            def log_message(self, *arguments):
                pass

        server = listen(Handler)
        server.secret_key = "a secret that both sides have"
        self.addCleanup(server.shutdown)
        hooks = self.part("WebHooksAPI", MANAGER)
        hooks.subscribe(f"http://127.0.0.1:{server.server_port}/", TriggerType.MOVED, server.secret_key)
        self.assertEqual(len(hooks.subscriptions()), 1)
        self.switch(action_seconds=0)
        self.entities.move_async(self.asset(), self.folder())
        for _ in range(100):
            if came:
                break
            time.sleep(0.05)
        self.assertEqual(came[0]["events"][0]["entityRef"], self.held("Spring launch")["reference"])
        hooks.unsubscribe_all()
        self.assertEqual(hooks.subscriptions(), [])

    @shows("WebHooksAPI.subscribe")
    def test_the_lambda_receiver_answers_the_handshake(self):
        secret = "a secret that both sides have"

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                handler = pyPreservica.LambdaURLHandler.__new__(pyPreservica.LambdaURLHandler)
                handler.secret_key = secret
                query = {name: values[0] for name, values in parse_qs(urlparse(self.path).query).items()}
                event = {"headers": {name.lower(): value for name, value in self.headers.items()}}
                event["queryStringParameters"] = query
                assert handler.is_challenge(event)
                answer = handler.verify_challenge(event)
                body = answer["body"] if isinstance(answer, dict) and "body" in answer else answer
                self.send_response(200)
                self.end_headers()
                self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

            def log_message(self, *arguments):
                pass

        server = listen(Handler)
        self.addCleanup(server.shutdown)
        hooks = self.part("WebHooksAPI", MANAGER)
        hooks.subscribe(f"http://127.0.0.1:{server.server_port}/", TriggerType.INDEXED, secret)
        self.assertEqual(len(self.state()["subscriptions"]), 1)
