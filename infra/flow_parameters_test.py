"""What `make deploy FLOW=…` fills in by itself, read back the way `sam deploy` reads it.

    .venv/lint/bin/python infra/flow_parameters_test.py
"""

import json
import pathlib
import unittest

import flow_parameters
from samcli.cli.types import CfnParameterOverridesType

ADDRESS = "https://sqs.eu-central-1.amazonaws.com/123456789012/waybill-prod-"
OUTPUTS = {
    "IngestUploadsQueueUrl": f"{ADDRESS}ingest-uploads",
    "OffloadContentQueueUrl": f"{ADDRESS}offload-content",
    "OffloadContentDeadLetterQueueUrl": f"{ADDRESS}offload-content-dead-letters",
    "OffloadBucketName": "waybill-prod-offload",
    "PublishApprovedQueueUrl": f"{ADDRESS}publish-approved",
}


def read_back(arguments):
    overrides = arguments[arguments.index("--parameter-overrides") + 1 :]
    return CfnParameterOverridesType().convert(tuple(overrides), None, None)


class WhatIsFilledIn(unittest.TestCase):
    def test_the_change_feed_is_given_the_queue_of_every_flow_and_the_right_to_it(self):
        found = flow_parameters.queues(OUTPUTS, "aws")
        queues = {"offload-content": f"{ADDRESS}offload-content", "publish-approved": f"{ADDRESS}publish-approved"}
        self.assertEqual(json.loads(found["FlowQueues"]), queues)
        arn = "arn:aws:sqs:eu-central-1:123456789012:waybill-prod-"
        self.assertEqual(found["FlowQueueArns"], f"{arn}offload-content,{arn}publish-approved")
        self.assertTrue(flow_parameters.queues(OUTPUTS, "aws-cn")["FlowQueueArns"].startswith("arn:aws-cn:"))

    def test_what_repairs_is_given_the_queue_of_the_first_flow_too(self):
        found = flow_parameters.queues(OUTPUTS, "aws", repairs=True)
        self.assertEqual(json.loads(found["FlowQueues"])["ingest-uploads"], f"{ADDRESS}ingest-uploads")
        self.assertIn(":waybill-prod-ingest-uploads", found["FlowQueueArns"])

    def test_every_stack_that_tells_others_takes_their_queues_by_name(self):
        flows = pathlib.Path(__file__).parent / "flows"
        known = {**OUTPUTS, **flow_parameters.queues(OUTPUTS, "aws"), "SigningSecretArn": "arn:aws:secretsmanager:::secret:x"}
        for flow in ("watch-content-server", "watch-iconik", "receive-iconik"):
            with self.subTest(flow):
                declared = set(flow_parameters.declared(flows / f"{flow}.yaml"))
                given = read_back(flow_parameters.arguments(declared, known, []))
                self.assertEqual(json.loads(given["FlowQueues"]).keys(), {"offload-content", "publish-approved"})
                self.assertIn(":waybill-prod-offload-content", given["FlowQueueArns"])
        # The secret by which pushes are signed is not what iconik sends in a header.
        self.assertNotIn("SigningSecretArn", given)

    def test_a_stack_that_cannot_do_without_rules_lacks_them_until_they_are_given(self):
        flows = pathlib.Path(__file__).parent / "flows"
        given = ["--parameter-overrides", "Every=rate(1 day)"]
        self.assertEqual(flow_parameters.lacking(flows / "reconcile.yaml", given), ["RulesUri"])
        self.assertEqual(flow_parameters.lacking(flows / "reconcile.yaml", [*given, "RulesUri=s3://here/a.toml"]), [])
        self.assertEqual(flow_parameters.lacking(flows / "offload-content.yaml", given), [])

    def test_sam_reads_back_what_was_meant(self):
        known = {**flow_parameters.queues(OUTPUTS, "aws"), "LedgerTableName": "waybill-prod-ledger", "Other": "x"}
        declared = {"FlowQueues", "FlowQueueArns", "LedgerTableName"}
        arguments = flow_parameters.arguments(declared, known, ["--no-confirm-changeset"])
        self.assertEqual(arguments[0], "--no-confirm-changeset")
        self.assertEqual(read_back(arguments), {name: known[name] for name in declared})

    def test_what_is_given_goes_before_what_is_known(self):
        given = ["--parameter-overrides", "LedgerTableName=mine", "--region", "eu-central-1"]
        arguments = flow_parameters.arguments({"LedgerTableName"}, {"LedgerTableName": "found"}, given)
        self.assertEqual(read_back(arguments), {"LedgerTableName": "mine"})

    def test_without_a_flow_there_is_nothing_to_tell(self):
        self.assertEqual(flow_parameters.queues({"IngestUploadsQueueUrl": "https://x"}, "aws"), {})


if __name__ == "__main__":
    unittest.main()
