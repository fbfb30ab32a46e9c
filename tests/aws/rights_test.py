"""What the role of ingest-uploads may do, asked of a stand-in that enforces policies: everything the flow needs, and
nothing beyond.

    tests/aws/stand-in run --rights -- .venv/stack/bin/python tests/aws/rights_test.py

The function makes the calls that its message lists, with the credentials of its role, and writes the answers down.
The stand-in does not know dynamodb:LeadingKeys; `infra/check_template.py` watches over that condition.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import boto3
from botocore.config import Config

HERE = pathlib.Path(__file__).resolve().parent
URL = os.environ.get("WAYBILL_AWS_URL")
ACCOUNT = "300000000001"

STUB = f"""#!{sys.executable}
import json, os, pathlib, urllib.request
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"

def answer(service, operation, arguments):
    client = boto3.client(service, config=Config(proxies={{}}, retries={{"max_attempts": 1}}))
    try:
        getattr(client, operation)(**arguments)
        return "allowed"
    except ClientError as error:
        return error.response["Error"]["Code"]

while True:
    event = urllib.request.urlopen(base + "next")
    for message in json.load(event)["Records"]:
        request = json.loads(message["body"])
        if "calls" in request:
            answers = [answer(*call) for call in request["calls"]]
            pathlib.Path(request["answers"] + ".new").write_text(json.dumps(answers))
            os.rename(request["answers"] + ".new", request["answers"])
    path = base + event.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    urllib.request.urlopen(urllib.request.Request(path, data=b"{{}}")).read()
"""


def client(service):
    return boto3.client(
        service, endpoint_url=URL, region_name="us-east-1", aws_access_key_id=ACCOUNT, aws_secret_access_key="test",
        config=Config(proxies={}),
    )


class TheRoleOfIngestUploads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        bootstrap = cls.folder / "ingest-uploads" / "bootstrap"
        bootstrap.parent.mkdir()
        bootstrap.write_text(STUB)
        bootstrap.chmod(0o755)
        deployed = subprocess.run(
            [
                sys.executable, HERE / "deploy.py", "--url", URL, "--account", ACCOUNT, "--artefacts", cls.folder,
                "--plain-http", "--parameters", "EnvironmentName=rights", "FunctionTimeout=60",
                "ContentServerUrl=http://127.0.0.1:9/otcs/cs.exe",
            ],
            capture_output=True, text=True,
        )
        if deployed.returncode:
            raise AssertionError(deployed.stderr)
        cls.outputs = json.loads(deployed.stdout)
        cls.intake = cls.outputs["IntakeBucketName"]
        cls.quarantine = cls.outputs["QuarantineBucketName"]
        cls.table = cls.outputs["LedgerTableName"]
        s3 = client("s3")
        cls.version = s3.put_object(Bucket=cls.intake, Key="claims/a.pdf", Body=b"a")["VersionId"]
        s3.put_object(Bucket=cls.intake, Key="claims/b.pdf", Body=b"b")
        s3.put_object(Bucket=cls.outputs["ConfigurationBucketName"], Key="rules.toml", Body=b"")
        client("secretsmanager").put_secret_value(SecretId=cls.outputs["ContentServerSecretArn"], SecretString="{}")

    def ask(self, calls):
        answers = self.folder / f"answers-{time.monotonic_ns()}"
        body = json.dumps({"calls": calls, "answers": str(answers)})
        client("sqs").send_message(QueueUrl=self.outputs["IngestUploadsQueueUrl"], MessageBody=body)
        deadline = time.monotonic() + 30
        while not answers.exists():
            self.assertLess(time.monotonic(), deadline, "the function did not answer")
            time.sleep(0.05)
        return json.loads(answers.read_text())

    def test_has_every_right_that_the_flow_needs(self):
        record = {"pk": {"S": "ingest-uploads#item#1"}, "sk": {"S": "item"}}
        audit = {"pk": {"S": "asset#1"}, "sk": {"S": "event#000000000001"}}
        source = {"Bucket": self.intake, "Key": "claims/a.pdf"}
        moved = {"Bucket": self.intake, "Key": "delivered/claims/a.pdf"}
        aside = {"Bucket": self.quarantine, "Key": "quarantine/claims/a.pdf"}
        calls = [
            ("s3", "head_object", source),
            ("s3", "get_object", {**source, "VersionId": self.version}),
            ("s3", "get_object_tagging", source),
            ("s3", "get_object_tagging", {**source, "VersionId": self.version}),
            ("s3", "put_object_tagging", {**source, "Tagging": {"TagSet": [{"Key": "waybill-node", "Value": "1"}]}}),
            ("s3", "put_object_tagging", {**source, "VersionId": self.version, "Tagging": {"TagSet": []}}),
            ("s3", "get_object_attributes", {**source, "ObjectAttributes": ["Checksum"]}),
            ("s3", "list_objects_v2", {"Bucket": self.intake}),
            ("s3", "list_multipart_uploads", {"Bucket": self.intake}),
            ("s3", "list_multipart_uploads", {"Bucket": self.quarantine}),
            ("s3", "create_multipart_upload", moved),
            ("s3", "create_multipart_upload", aside),
            ("s3", "copy_object", {**moved, "CopySource": source}),
            ("s3", "copy_object", {**aside, "CopySource": source}),
            ("s3", "put_object", {"Bucket": self.quarantine, "Key": "quarantine/claims/a.pdf.reason.json", "Body": "{}"}),
            ("s3", "put_object", {"Bucket": self.quarantine, "Key": "results/ingest-uploads/item/1/1.json", "Body": "{}"}),
            ("s3", "get_object", {"Bucket": self.quarantine, "Key": "results/ingest-uploads/item/1/1.json"}),
            ("s3", "delete_object", {"Bucket": self.intake, "Key": "claims/b.pdf"}),
            ("s3", "delete_object", {**source, "VersionId": self.version}),
            ("s3", "get_object", {"Bucket": self.outputs["ConfigurationBucketName"], "Key": "rules.toml"}),
            ("dynamodb", "put_item", {"TableName": self.table, "Item": record}),
            ("dynamodb", "get_item", {"TableName": self.table, "Key": record}),
            ("dynamodb", "update_item", {
                "TableName": self.table, "Key": record, "UpdateExpression": "SET fence = :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }),
            ("dynamodb", "query", {
                "TableName": self.table, "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": "asset#1"}},
            }),
            ("dynamodb", "transact_write_items", {"TransactItems": [
                {"Put": {"TableName": self.table, "Item": audit}},
                {"Update": {
                    "TableName": self.table, "Key": record, "UpdateExpression": "SET done = :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }},
            ]}),
            ("dynamodb", "delete_item", {"TableName": self.table, "Key": record}),
            ("sqs", "send_message", {"QueueUrl": self.outputs["IngestUploadsQueueUrl"], "MessageBody": "{}"}),
            ("sqs", "send_message", {"QueueUrl": self.outputs["IngestUploadsDeadLetterQueueUrl"], "MessageBody": "{}"}),
            ("secretsmanager", "get_secret_value", {"SecretId": self.outputs["ContentServerSecretArn"]}),
        ]
        refused = [(call[:2], answer) for call, answer in zip(calls, self.ask(calls)) if answer != "allowed"]
        self.assertEqual(refused, [])

    def test_a_missing_object_is_told_from_a_missing_right(self):
        call = ("s3", "get_object", {"Bucket": self.intake, "Key": "claims/never.pdf"})
        self.assertEqual(self.ask([call]), ["NoSuchKey"])

    def test_may_do_nothing_beyond(self):
        other = client("secretsmanager").create_secret(Name="somebody-elses", SecretString="{}")["ARN"]
        elsewhere = client("sqs").create_queue(QueueName="somebody-elses")["QueueUrl"]
        client("s3").create_bucket(Bucket="somebody-elses")
        calls = [
            ("s3", "put_object", {"Bucket": self.intake, "Key": "claims/forged.pdf", "Body": "x"}),
            ("s3", "put_object", {"Bucket": self.quarantine, "Key": "elsewhere/x", "Body": "x"}),
            ("s3", "delete_object", {"Bucket": self.quarantine, "Key": "quarantine/claims/a.pdf"}),
            ("s3", "put_object", {"Bucket": self.outputs["ConfigurationBucketName"], "Key": "rules.toml", "Body": "x"}),
            ("s3", "put_bucket_versioning", {"Bucket": self.intake, "VersioningConfiguration": {"Status": "Suspended"}}),
            ("s3", "delete_bucket_policy", {"Bucket": self.intake}),
            ("s3", "list_buckets", {}),
            ("s3", "list_objects_v2", {"Bucket": "somebody-elses"}),
            ("dynamodb", "scan", {"TableName": self.table}),
            ("dynamodb", "delete_table", {"TableName": self.table}),
            ("sqs", "receive_message", {"QueueUrl": self.outputs["IngestUploadsDeadLetterQueueUrl"]}),
            ("sqs", "purge_queue", {"QueueUrl": self.outputs["IngestUploadsQueueUrl"]}),
            ("sqs", "send_message", {"QueueUrl": elsewhere, "MessageBody": "x"}),
            ("secretsmanager", "get_secret_value", {"SecretId": other}),
            ("secretsmanager", "put_secret_value", {"SecretId": self.outputs["ContentServerSecretArn"], "SecretString": "x"}),
            ("lambda", "list_functions", {}),
            ("iam", "list_roles", {}),
            ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/admin", "RoleSessionName": "elsewhere"}),
        ]
        denials = {"AccessDenied", "AccessDeniedException", "AccessDenied.Exception", "UnauthorizedOperation"}
        let_through = [(call[:2], answer) for call, answer in zip(calls, self.ask(calls)) if answer not in denials]
        self.assertEqual(let_through, [])


if __name__ == "__main__":
    if not URL:
        sys.exit("Run it as: tests/aws/stand-in run --rights -- .venv/stack/bin/python tests/aws/rights_test.py")
    unittest.main()
