"""Uploads, retention, legal holds, search, monitor and webhooks."""

import hashlib
import http.server
import json
import os
import subprocess
import time
from urllib.parse import parse_qs, urlparse

from harness import FOLDER, MANAGER, Story, admin, listen, shows

import boto3
import pyPreservica
from pyPreservica import Field, Operator, SortOrder, TriggerType, WebHookHandler


def read_chunks(handler):
    """The body of a request in chunks; empty when it has none."""
    body = b""
    if "chunked" not in handler.headers.get("Transfer-Encoding", ""):
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    while length := int(handler.rfile.readline().strip(), 16):
        body += handler.rfile.read(length)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


def ours(asked):
    """What our own receiver makes of pushes."""
    lines = "".join(json.dumps(one) + "\n" for one in asked)
    done = subprocess.run([os.environ["RECEIVER"]], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Uploads(Story):
    def package(self, name, content, **more):
        return self.pack(
            "simple_asset_package", preservation_file=self.file(name, content), parent_folder=self.folder(), Title=name, **more,
        )

    def ended(self, token):
        self.wait(60)
        self.assertEqual(self.entities.get_async_progress(token), "COMPLETED", self.state()["progress"][token])

    @shows("UploadAPI.upload_zip_package", "uploadAPI.simple_asset_package")
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

    @shows("UploadAPI.upload_zip_package", "uploadAPI.complex_asset_package")
    def test_two_representations_of_several_files(self):
        package = self.pack(
            "complex_asset_package", preservation_files_list=[self.file("a.tif", b"a"), self.file("b.tif", b"b")],
            access_files_list=[self.file("a.jpg", b"c")], parent_folder=self.folder(), Title="Many",
        )
        self.ended(self.part("UploadAPI").upload_zip_package(package, self.folder()))
        parts = {one["kind"]: len(one["content_objects"]) for one in self.held("Many")["representations"]}
        self.assertEqual(parts, {"Preservation": 2, "Access": 1})

    @shows("UploadAPI.upload_zip_package", "uploadAPI.generic_asset_package")
    def test_representations_with_names_of_their_own(self):
        package = self.pack(
            "generic_asset_package", preservation_files_dict={"Scans": [self.file("a.tif", b"a")], "Raw": [self.file("a.raw", b"r")]},
            access_files_dict={"Web": [self.file("a.jpg", b"c")]}, parent_folder=self.folder(), Title="Named",
        )
        self.ended(self.part("UploadAPI").upload_zip_package(package, self.folder()))
        named = {(one["kind"], one["name"]) for one in self.held("Named")["representations"]}
        self.assertEqual(named, {("Preservation", "Scans"), ("Preservation", "Raw"), ("Access", "Web")})

    @shows("UploadAPI.upload_zip_package", "uploadAPI.multi_asset_package")
    def test_several_assets_in_one_package(self):
        files = [self.file("first.txt", b"1"), self.file("second.txt", b"2")]
        package = self.pack(
            "multi_asset_package", asset_file_list=files, parent_folder=self.folder(),
            Identifiers={file: {"OTMM": os.path.basename(file)} for file in files},
        )
        self.ended(self.part("UploadAPI").upload_zip_package(package, self.folder()))
        for name in ("first", "second"):
            (found,) = self.entities.identifier("OTMM", f"{name}.txt")
            self.assertEqual((found.title, self.entities.asset(found.reference).parent), (name, self.folder().reference))

    @shows("UploadAPI.upload_locations", "UploadAPI.upload_credentials", "UploadAPI.upload_zip_package_to_S3")
    def test_a_package_goes_to_the_bulk_location_whole_and_in_parts(self):
        upload = self.part("UploadAPI", secure=True)
        (location,) = upload.upload_locations()
        self.assertEqual(location["type"], "AWS")
        self.assertTrue(upload.upload_credentials(location["apiId"])["sessionToken"])
        for name, content in (("whole.txt", b"whole"), ("parts.bin", os.urandom(20 << 20))):
            package = self.package(name, content, Identifiers={"OTMM": name})
            upload.upload_zip_package_to_S3(package, location["containerName"], folder=self.folder())
            self.wait(60)
            (found,) = self.entities.identifier("OTMM", name)
            self.assertEqual(found.title, name)

    @shows(
        "WorkflowAPI.get_workflow_contexts", "WorkflowAPI.get_workflow_contexts_by_type",
        "WorkflowAPI.start_workflow_instance", "WorkflowAPI.workflow_instances", "WorkflowAPI.terminate_workflow_instance",
        "WorkflowAPI.workflow_instance",
    )
    def test_a_tree_is_taken_in_by_its_workflow(self):
        bucket = self.part("UploadAPI", secure=True)
        (location,) = bucket.upload_locations()
        given = bucket.upload_credentials(location["apiId"])
        storage = boto3.client(
            "s3", aws_access_key_id=given["key"], aws_secret_access_key=given["secret"],
            aws_session_token=given["sessionToken"], region_name="us-east-1",
        )
        namespace = "http://www.openpreservationexchange.org/opex/v1.2"
        manifest = (
            f'<OPEXMetadata xmlns="{namespace}"><Transfer><SourceID>{{0}}</SourceID><Manifest><Files>{{1}}</Files>'
            "<Folders>{2}</Folders></Manifest></Transfer></OPEXMetadata>"
        )
        folder = self.entities.create_folder("Box", "d", "open", self.folder().reference)
        self.entities.add_identifier(folder, "SourceID", "box-1")
        for key, body in (
            ("opex/b1/Box/one.txt", "one"),
            ("opex/b1/Box/Box.opex", manifest.format("box-1", '<File size="3" type="content">one.txt</File>', "")),
            ("opex/b1/b1.opex", manifest.format("b1", "", "<Folder>Box</Folder>")),
        ):
            storage.put_object(Bucket=location["containerName"], Key=key, Body=body.encode())
        workflow = self.part("WorkflowAPI")
        self.assertTrue(workflow.get_workflow_contexts_by_type("Ingest"))
        (context,) = workflow.get_workflow_contexts("com.preservica.core.workflow.ingest.opex.incremental")
        self.assertTrue(workflow.start_workflow_instance(context, OpexContainerDirectory="opex/b1"))
        (running,) = workflow.workflow_instances(workflow_state="Active", workflow_type="Ingest")
        self.assertEqual(running.workflow_context_name, "Ingest OPEX (Incremental)")
        # A mistake of the client: it takes the class `datetime` for the module, and breaks at any instance with a beginning.
        with self.assertRaisesRegex(AttributeError, "datetime"):
            workflow.workflow_instance(int(running.instance_id))
        asked = admin("GET", "journal")["entries"][-1]
        self.assertEqual((asked["path"].rsplit("/", 1)[-1], asked["status"]), (str(running.instance_id), 200))
        self.wait(60)
        self.assertEqual([one.title for one in self.entities.descendants(folder)], ["one.txt"])
        workflow.start_workflow_instance(context, OpexContainerDirectory="opex/b1")
        (running,) = workflow.workflow_instances(workflow_state="Active", workflow_type="Ingest")
        workflow.terminate_workflow_instance(running.instance_id)
        self.assertEqual(list(workflow.workflow_instances(workflow_state="Active", workflow_type="Ingest")), [])

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
        "RetentionAPI.delete_policy", "RetentionAPI.assignable_policy", "RetentionAPI.update_policy", "RetentionAPI.find",
    )
    def test_retention(self):
        retention = self.part("RetentionAPI", MANAGER)
        fields = {
            "Name": "Nine years", "Description": "d", "SecurityTag": "open", "StartDateField": "xip.created", "Period": "9",
            "PeriodUnit": "YEAR", "ExpiryAction": "REVIEW", "ExpiryActionParameters": "{}", "Restriction": "DELETE",
            "Assignable": True,
        }
        made = retention.create_policy(**fields)
        self.assertEqual(retention.policy(made.reference).name, "Nine years")
        changed = retention.update_policy(made.reference, **{**fields, "Name": "Ten years", "Period": "10"})
        self.assertEqual((changed.reference, changed.name, changed.period), (made.reference, "Ten years", "10"))
        self.assertEqual(retention.policy_by_name("Ten years").reference, made.reference)
        self.assertEqual({policy.name for policy in retention.policies()}, {"Ten years", "Seven years"})
        asset = self.asset()
        retention.add_assignments(asset, made)
        (assigned,) = retention.assignments(asset)
        self.assertEqual(assigned.policy_reference, made.reference)
        # Search hears of it later.
        self.assertEqual(list(retention.find(made)), [])
        self.wait(60)
        (kept,) = retention.find(made)
        self.assertEqual((kept.entity_reference, kept.policy_name), (asset.reference, "Ten years"))
        self.assertEqual(len(list(retention.find())), 2)
        retention.remove_assignments(assigned)
        self.assertEqual(self.held("Spring launch")["retention"], [])
        retention.assignable_policy(made.reference, False)
        retention.delete_policy(made.reference)

    @shows(
        "LegalHoldAPI.create_hold", "LegalHoldAPI.legal_hold", "LegalHoldAPI.legal_holds", "LegalHoldAPI.assign_legal_hold",
        "LegalHoldAPI.asset_holds", "LegalHoldAPI.remove_legal_hold_assignment", "LegalHoldAPI.delete_legal_hold",
        "LegalHoldAPI.find", "LegalHoldAPI.update_legal_hold",
    )
    def test_legal_holds(self):
        holds = self.part("LegalHoldAPI", MANAGER)
        made = holds.create_hold("Inquiry", "d")
        self.assertEqual(holds.legal_hold(made.reference).name, "Inquiry")
        made.name = "Inquiry of 2031"
        self.assertEqual(holds.update_legal_hold(made).name, "Inquiry of 2031")
        self.assertEqual({hold.name for hold in holds.legal_holds()}, {"Inquiry of 2031", "Dispute of 2030"})
        asset = self.asset()
        holds.assign_legal_hold(asset, made)
        self.assertEqual(len(list(holds.asset_holds(asset))), 1)
        self.wait(60)
        (held,) = holds.find(made)
        self.assertEqual((held.entity_ref, held.legal_hold_ref), (asset.reference, made.reference))
        holds.remove_legal_hold_assignment(asset, made)
        self.assertEqual(self.held("Spring launch")["holds"], [])
        holds.delete_legal_hold(made.reference)

    @shows(
        "ContentAPI.simple_search_list", "ContentAPI.search_index_filter_list", "ContentAPI.object_details",
        "ContentAPI.indexed_fields", "ContentAPI.download", "ContentAPI.search_fields", "EntityAPI.download",
    )
    def test_search(self):
        content = self.part("ContentAPI")
        self.assertEqual(len(list(content.simple_search_list("%", 2))), 6)
        found = list(content.search_index_filter_list("%", 2, {"xip.title": "", "xip.document_type": "IO"}))
        self.assertEqual(len(found), 3)
        wanted = [
            Field("xip.title", "", sort_order=SortOrder.desc), Field("xip.document_type", "IO"),
            Field("xip.title", "Annual report", operator=Operator.NOT),
        ]
        found = [row["xip.title"] for row in content.search_fields("%", wanted, page_size=1)]
        self.assertEqual(found, ["Spring launch", "Press photographs"])
        asset = self.asset()
        self.assertEqual(content.object_details("IO", asset.reference)["name"], "Spring launch")
        self.assertTrue(content.indexed_fields())
        path = os.path.join(FOLDER.name, "download")
        content.download(asset.reference, path)
        # The copy for access, where there is one.
        self.assertEqual(os.path.getsize(path), 40_000)
        self.assertEqual(self.entities.download(self.asset("Annual report"), path), path)
        self.assertEqual(os.path.getsize(path), 60_000)


class Telling(Story):
    @shows(
        "WebHooksAPI.subscribe", "WebHooksAPI.subscriptions", "WebHooksAPI.unsubscribe", "WebHooksAPI.unsubscribe_all",
        "WebHookHandler.do_POST",
    )
    def test_the_clients_own_receiver_takes_what_is_sent(self):
        came, called = [], self.called

        class Handler(WebHookHandler):
            def do_POST(self):
                called.add("WebHookHandler.do_POST")
                super().do_POST()

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
        hooks.subscribe(f"http://127.0.0.1:{server.server_port}/", TriggerType.INDEXED, server.secret_key)
        (moved,) = [one for one in hooks.subscriptions() if one["triggerType"] == "MOVED"]
        hooks.unsubscribe(moved["id"])
        self.assertEqual([one["triggerType"] for one in hooks.subscriptions()], ["FULL_TEXT_INDEXED"])
        hooks.unsubscribe_all()
        self.assertEqual(hooks.subscriptions(), [])

    @shows(
        "WebHooksAPI.subscribe", "FlaskWebhookHandler.is_challenge", "FlaskWebhookHandler.verify_challenge",
        "FlaskWebhookHandler.process_request",
    )
    def test_the_flask_receiver_takes_what_is_sent(self):
        secret, came, noted = "a secret that both sides have", [], self.noted

        class Request:
            """What Flask gives a handler of a request."""

            def __init__(self, handler, body):
                query = parse_qs(urlparse(handler.path).query)
                self.args = {name: values[0] for name, values in query.items()}
                self.headers, self.data = handler.headers, body

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                flask = noted(pyPreservica.FlaskWebhookHandler(Request(self, read_chunks(self)), secret))
                if flask.is_challenge():
                    body, status, _ = flask.verify_challenge()
                else:
                    came.extend(flask.process_request())
                    body, status, _ = flask.response_ok()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *arguments):
                pass

        self.pushed(Handler, secret, came)
        self.assertEqual(came[0]["entityRef"], self.held("Spring launch")["reference"])

    @shows(
        "WebHooksAPI.subscribe", "LambdaURLHandler.is_challenge", "LambdaURLHandler.verify_challenge",
        "LambdaURLHandler.process_event",
    )
    def test_the_lambda_receiver_takes_what_is_sent(self):
        secret, came, noted = "a secret that both sides have", [], self.noted
        entities = self.entities

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = {name: values[0] for name, values in parse_qs(urlparse(self.path).query).items()}
                event = {"headers": {name.lower(): value for name, value in self.headers.items()}}
                event["body"] = read_chunks(self).decode()
                event["queryStringParameters"] = query
                receiver, answer = noted(pyPreservica.LambdaURLHandler(secret, entities)), {"ok": True}
                if receiver.is_challenge(event):
                    answer = receiver.verify_challenge(event)
                else:
                    came.extend(receiver.process_event(event))
                body = answer["body"] if isinstance(answer, dict) and "body" in answer else answer
                self.send_response(200)
                self.end_headers()
                self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

            def log_message(self, *arguments):
                pass

        self.pushed(Handler, secret, came)
        self.assertEqual(came[0].reference, self.held("Spring launch")["reference"])

    def pushed(self, handler, secret, came):
        """Subscribes, lets something happen, and waits until it has come."""
        server = listen(handler)
        self.addCleanup(server.shutdown)
        hooks = self.part("WebHooksAPI", MANAGER)
        hooks.subscribe(f"http://127.0.0.1:{server.server_port}/", TriggerType.MOVED, secret)
        self.switch(action_seconds=0)
        self.entities.move_async(self.asset(), self.folder())
        for _ in range(100):
            if came:
                break
            time.sleep(0.05)
        self.assertEqual(len(came), 1)

    def test_our_receiver_believes_the_clients_signatures_and_no_others(self):
        secret, body = "kR3nVd8sQm1xZt7bLw5cYf2h", '{"subscriptionId":"s","trigger":"MOVED","timestamp":"t","tenant":"DEMO",' \
            '"events":[{"entityRef":"r-1","entityType":"IO","identifiers":[{"OTMM":"a:1"}]}]}'
        sender = WebHookHandler.__new__(WebHookHandler)
        signature = sender.hmac(secret, "preservica-webhook-auth" + body)
        asked = [
            {"signature": signature, "body": body},
            {"signature": sender.hmac("another secret of some length", "preservica-webhook-auth" + body), "body": body},
            {"signature": sender.hmac(secret, body), "body": body},
            {"signature": signature, "body": body.replace("r-1", "r-2")},
            {"body": body},
            {"challenge": "c0de"},
        ]
        said = ours([{"secret": {"current": secret}, **one} for one in asked])
        self.assertEqual(said[0]["entities"][0]["reference"], "r-1")
        self.assertTrue(all("refused" in one for one in said[1:5]), said)
        self.assertEqual(said[5]["answer"]["challengeResponse"], sender.hmac(secret, "c0de"))

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
