"""What the roles of the functions may do, asked of a stand-in that enforces policies: everything the flow needs, and nothing
beyond.

    tests/aws/stand-in run --rights -- .venv/stack/bin/python tests/aws/rights_test.py

Each function makes the calls it is asked for, with the credentials of its role, and answers what became of them. A further
flow's stack is covered as it stands; what it needs besides is its row in `NEEDS`. The stand-in does not know
dynamodb:LeadingKeys; `infra/check_template.py` watches over that condition.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import boto3
from botocore.config import Config

HERE = pathlib.Path(__file__).resolve().parent
URL = os.environ.get("WAYBILL_AWS_URL")
ACCOUNT = "300000000001"
FIRST = "ingest-uploads"
FLOWS = sorted(path.stem for path in (HERE.parents[1] / "infra" / "flows").glob("*.yaml"))

STUB = f"""#!{sys.executable}
import json, os, urllib.request
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
    calls = json.load(event).get("calls", [])
    answers = json.dumps([answer(*call) for call in calls]).encode()
    path = base + event.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    urllib.request.urlopen(urllib.request.Request(path, data=answers)).read()
"""

DENIALS = {"AccessDenied", "AccessDeniedException", "AccessDenied.Exception", "UnauthorizedOperation"}
# A right is there when nothing but the thing asked for is missing.
ALLOWED = {"allowed", "NoSuchKey", "NoSuchUpload", "404", "InvalidObjectState", "ObjectAlreadyInActiveTierError", "NoSuchVersion"}


def client(service):
    return boto3.client(
        service, endpoint_url=URL, region_name="us-east-1", aws_access_key_id=ACCOUNT, aws_secret_access_key="test",
        config=Config(proxies={}),
    )


def words(flow):
    return "".join(word.capitalize() for word in flow.split("-"))


def ledger(flow, outputs):
    """What keeping a flow's records and audit takes."""
    table = outputs["LedgerTableName"]
    record = {"pk": {"S": f"{flow}#item#1"}, "sk": {"S": "record"}}
    one = {":one": {"N": "1"}}
    update = {"TableName": table, "Key": record, "UpdateExpression": "SET fence = :one", "ExpressionAttributeValues": one}
    return [
        ("dynamodb", "put_item", {"TableName": table, "Item": record}),
        ("dynamodb", "get_item", {"TableName": table, "Key": record}),
        ("dynamodb", "update_item", update),
        ("dynamodb", "query", {
            "TableName": table, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "asset#1"}},
        }),
    ]


def worker(flow, outputs):
    """What every flow with a queue does, whatever else it does."""
    table, quarantine = outputs["LedgerTableName"], outputs["QuarantineBucketName"]
    record = {"pk": {"S": f"{flow}#item#1"}, "sk": {"S": "record"}}
    audit = {"pk": {"S": "asset#1"}, "sk": {"S": f"event#{flow}"}}
    result = f"results/{flow}/item/1/1.json"
    aside = "quarantine/claims/a.pdf" if flow == FIRST else f"quarantine/{flow}/1"
    return [
        *ledger(flow, outputs),
        ("dynamodb", "transact_write_items", {"TransactItems": [
            {"Put": {"TableName": table, "Item": audit}},
            {"Update": {
                "TableName": table, "Key": record, "UpdateExpression": "SET done = :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }},
        ]}),
        ("dynamodb", "delete_item", {"TableName": table, "Key": record}),
        ("sqs", "send_message", {"QueueUrl": outputs[f"{words(flow)}QueueUrl"], "MessageBody": "{}"}),
        ("sqs", "send_message", {"QueueUrl": outputs[f"{words(flow)}DeadLetterQueueUrl"], "MessageBody": "{}"}),
        ("s3", "put_object", {"Bucket": quarantine, "Key": f"{aside}.reason.json", "Body": "{}"}),
        ("s3", "put_object", {"Bucket": quarantine, "Key": result, "Body": "{}"}),
        ("s3", "get_object", {"Bucket": quarantine, "Key": result}),
        ("s3", "get_object", {"Bucket": outputs["ConfigurationBucketName"], "Key": "rules.toml"}),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ContentServerSecretArn"]}),
    ]


def iconik(outputs):
    """What a flow that calls iconik needs beyond others."""
    return [("secretsmanager", "get_secret_value", {"SecretId": outputs["iconik"]})]


def of_iconik(flow, outputs):
    """The same, when the flow's stack is given the credential for iconik; nothing for the others."""
    template = HERE.parents[1] / "infra" / "flows" / f"{flow}.yaml"
    is_given = template.is_file() and "\n  IconikSecretArn:" in template.read_text()
    return iconik(outputs) if is_given else []


def ingest_uploads(outputs):
    intake, quarantine = outputs["IntakeBucketName"], outputs["QuarantineBucketName"]
    source = {"Bucket": intake, "Key": "claims/a.pdf"}
    version = {**source, "VersionId": outputs["version"]}
    moved, aside = {"Bucket": intake, "Key": "delivered/claims/a.pdf"}, {"Bucket": quarantine, "Key": "quarantine/claims/a.pdf"}
    return [
        ("s3", "head_object", source),
        ("s3", "get_object", version),
        ("s3", "get_object_tagging", source),
        ("s3", "get_object_tagging", version),
        ("s3", "put_object_tagging", {**source, "Tagging": {"TagSet": [{"Key": "waybill-node", "Value": "1"}]}}),
        ("s3", "put_object_tagging", {**version, "Tagging": {"TagSet": []}}),
        ("s3", "get_object_attributes", {**source, "ObjectAttributes": ["Checksum"]}),
        ("s3", "list_objects_v2", {"Bucket": intake}),
        ("s3", "list_multipart_uploads", {"Bucket": intake}),
        ("s3", "list_multipart_uploads", {"Bucket": quarantine}),
        ("s3", "create_multipart_upload", moved),
        ("s3", "create_multipart_upload", aside),
        ("s3", "copy_object", {**moved, "CopySource": source}),
        ("s3", "copy_object", {**aside, "CopySource": source}),
        ("s3", "delete_object", {"Bucket": intake, "Key": "claims/b.pdf"}),
    ]


def kept(bucket):
    """What keeping copies in a bucket of one's own takes."""
    key = {"Bucket": bucket, "Key": "kept/1/1/a.tif"}
    return [
        ("s3", "put_object", {**key, "Body": "a"}),
        ("s3", "head_object", key),
        ("s3", "get_object", key),
        ("s3", "get_object_attributes", {**key, "ObjectAttributes": ["Checksum"]}),
        ("s3", "create_multipart_upload", key),
        ("s3", "list_multipart_uploads", {"Bucket": bucket}),
        ("s3", "list_objects_v2", {"Bucket": bucket}),
    ]


def file_rights(outputs):
    table = outputs["LedgerTableName"]
    reference = {"pk": {"S": "reference#iconik-media#1"}, "sk": {"S": "content-server"}}
    return [
        ("dynamodb", "put_item", {"TableName": table, "Item": reference}),
        ("dynamodb", "get_item", {"TableName": table, "Key": reference}),
        ("dynamodb", "query", {
            "TableName": table, "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "file-rights#seen#cases"}},
        }),
        *iconik(outputs),
    ]


def offload_content(outputs):
    key = {"Bucket": outputs["OffloadBucketName"], "Key": "kept/1/1/a.tif"}
    return [*kept(outputs["OffloadBucketName"]), ("s3", "restore_object", {**key, "RestoreRequest": {"Days": 1}})]


def watch_content_server(outputs):
    queue = {"QueueUrl": outputs["OffloadContentQueueUrl"], "MessageBody": "{}"}
    return [
        *ledger("watch-content-server", outputs),
        ("sqs", "send_message", queue),
        ("s3", "get_object", {"Bucket": outputs["ConfigurationBucketName"], "Key": "rules.toml"}),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ContentServerSecretArn"]}),
    ]


def watch_iconik(outputs):
    table = outputs["LedgerTableName"]
    seen = {"pk": {"S": "watch-iconik#seen#assets"}, "sk": {"S": "assets/1"}}
    one = {":one": {"S": "2031-05-06T07:08:09Z"}}
    update = {"TableName": table, "Key": seen, "UpdateExpression": "SET facts = :one", "ExpressionAttributeValues": one}
    return [
        ("dynamodb", "batch_get_item", {"RequestItems": {table: {"Keys": [seen]}}}),
        ("dynamodb", "get_item", {"TableName": table, "Key": seen}),
        ("dynamodb", "put_item", {"TableName": table, "Item": seen}),
        ("dynamodb", "update_item", update),
        ("dynamodb", "delete_item", {"TableName": table, "Key": seen}),
        ("sqs", "send_message", {"QueueUrl": outputs["OffloadContentQueueUrl"], "MessageBody": "{}"}),
        ("s3", "get_object", {"Bucket": outputs["ConfigurationBucketName"], "Key": "rules.toml"}),
        *iconik(outputs),
    ]


def publish_finals(outputs):
    table = outputs["LedgerTableName"]
    reference = {"pk": {"S": "reference#iconik-media#1"}, "sk": {"S": "content-server"}}
    return [
        ("dynamodb", "put_item", {"TableName": table, "Item": reference}),
        ("dynamodb", "get_item", {"TableName": table, "Key": reference}),
        *iconik(outputs),
    ]


def receive_iconik(outputs):
    table = outputs["LedgerTableName"]
    delivery = {"pk": {"S": "receive-iconik#delivery#1"}, "sk": {"S": "delivery"}}
    return [
        ("dynamodb", "get_item", {"TableName": table, "Key": delivery}),
        ("dynamodb", "put_item", {"TableName": table, "Item": delivery}),
        # Ten at a time in earnest, which takes the same right; the stand-in has a name of its own for it.
        ("sqs", "send_message", {"QueueUrl": outputs["OffloadContentQueueUrl"], "MessageBody": "{}"}),
        ("s3", "get_object", {"Bucket": outputs["ConfigurationBucketName"], "Key": "rules.toml"}),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ReceiveIconikSecretArn"]}),
    ]


def serve_links(outputs):
    return [*ledger("serve-links", outputs), ("s3", "get_object", {"Bucket": outputs["distribution"], "Key": "a.pdf"})]


def start_signoff(outputs):
    workflow = {"pk": {"S": "start-signoff#seen#workflows"}, "sk": {"S": "1"}}
    read = {"RequestItems": {outputs["LedgerTableName"]: {"Keys": [workflow]}}}
    return [*iconik(outputs), ("dynamodb", "batch_get_item", read)]


def reconcile(outputs):
    return [
        *ledger("reconcile", outputs),
        ("s3", "put_object", {"Bucket": outputs["ReportBucketName"], "Key": "reports/1.json", "Body": "{}"}),
        ("s3", "list_objects_v2", {"Bucket": outputs["IntakeBucketName"]}),
        ("s3", "get_object_tagging", {"Bucket": outputs["IntakeBucketName"], "Key": "claims/a.pdf"}),
        ("dynamodb", "get_item", {
            "TableName": outputs["LedgerTableName"],
            "Key": {"pk": {"S": "export-for-analysis#watermark"}, "sk": {"S": "claims"}},
        }),
        ("sqs", "send_message", {"QueueUrl": outputs["OffloadContentQueueUrl"], "MessageBody": "{}"}),
        ("sqs", "send_message", {"QueueUrl": outputs["IngestUploadsQueueUrl"], "MessageBody": "{}"}),
        ("s3", "get_object", {"Bucket": outputs["ConfigurationBucketName"], "Key": "rules.toml"}),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ContentServerSecretArn"]}),
    ]


def sync_asset_metadata(outputs):
    table = outputs["LedgerTableName"]
    reference = {"pk": {"S": "reference#iconik#1"}, "sk": {"S": "content-server"}}
    return [
        *iconik(outputs),
        ("dynamodb", "get_item", {"TableName": table, "Key": reference}),
        ("dynamodb", "put_item", {"TableName": table, "Item": reference}),
    ]


def request_disposition(outputs):
    table = outputs["LedgerTableName"]
    reference = {"pk": {"S": "reference#iconik#1"}, "sk": {"S": "content-server"}}
    return [
        *iconik(outputs),
        ("dynamodb", "put_item", {"TableName": table, "Item": reference}),
        ("dynamodb", "get_item", {"TableName": table, "Key": reference}),
        ("dynamodb", "batch_get_item", {"RequestItems": {table: {"Keys": [
            {"pk": {"S": "request-disposition#seen#cases"}, "sk": {"S": "1"}},
        ]}}}),
    ]


def archive_production(outputs):
    bucket = outputs["ProductionWorkBucketName"]
    work = {"Bucket": bucket, "Key": "work/1/progress.json"}
    file = {"pk": {"S": "reference#archive-production-file#1"}, "sk": {"S": "content-server"}}
    return [
        ("s3", "put_object", {**work, "Body": "{}"}),
        ("s3", "get_object", work),
        ("s3", "list_objects_v2", {"Bucket": bucket}),
        ("dynamodb", "put_item", {"TableName": outputs["LedgerTableName"], "Item": file}),
        ("dynamodb", "get_item", {"TableName": outputs["LedgerTableName"], "Key": file}),
    ]


def exchange_review_status(outputs):
    chain = {":pk": {"S": "exchange-review-status#log#review-1"}}
    return [
        *sync_asset_metadata(outputs),
        ("dynamodb", "query", {"TableName": outputs["LedgerTableName"], "KeyConditionExpression": "pk = :pk",
                               "ExpressionAttributeValues": chain}),
    ]


# What a function needs beside its queue, ledger, secret and rules.
NEEDS = {
    "archive-production": archive_production,
    "exchange-review-status": exchange_review_status,
    "file-rights": file_rights,
    "ingest-uploads": ingest_uploads,
    "offload-content": offload_content,
    "publish-finals": publish_finals,
    "receive-iconik": receive_iconik,
    "reconcile": reconcile,
    "request-disposition": request_disposition,
    "serve-links": serve_links,
    "start-signoff": start_signoff,
    "sync-asset-metadata": sync_asset_metadata,
    "watch-content-server": watch_content_server,
    "watch-iconik": watch_iconik,
}
# What a function must not do beside what none may.
FORBIDDEN = {
    "archive-production": lambda outputs: [
        ("s3", "delete_object", {"Bucket": outputs["ProductionWorkBucketName"], "Key": "work/1/progress.json"}),
        ("s3", "put_object", {"Bucket": outputs["ProductionWorkBucketName"], "Key": "elsewhere", "Body": "x"}),
        ("s3", "get_object", {"Bucket": outputs["IntakeBucketName"], "Key": "claims/a.pdf"}),
    ],
    "ingest-uploads": lambda outputs: [
        ("s3", "put_object", {"Bucket": outputs["QuarantineBucketName"], "Key": "elsewhere/x", "Body": "x"}),
    ],
    "offload-content": lambda outputs: [
        ("s3", "delete_object", {"Bucket": outputs["OffloadBucketName"], "Key": "kept/1/1/a.tif"}),
        ("s3", "get_object", {"Bucket": outputs["IntakeBucketName"], "Key": "claims/a.pdf"}),
    ],
    "receive-iconik": lambda outputs: [
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ContentServerSecretArn"]}),
        ("secretsmanager", "put_secret_value", {"SecretId": outputs["ReceiveIconikSecretArn"], "SecretString": "x"}),
        ("dynamodb", "delete_item", {
            "TableName": outputs["LedgerTableName"], "Key": {"pk": {"S": "asset#1"}, "sk": {"S": "event#1"}},
        }),
        ("dynamodb", "query", {
            "TableName": outputs["LedgerTableName"], "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "receive-iconik#delivery#1"}},
        }),
        ("sqs", "receive_message", {"QueueUrl": outputs["OffloadContentQueueUrl"]}),
        ("s3", "get_object", {"Bucket": outputs["IntakeBucketName"], "Key": "claims/a.pdf"}),
    ],
    "serve-links": lambda outputs: [
        ("s3", "put_object", {"Bucket": outputs["distribution"], "Key": "a.pdf", "Body": "x"}),
        ("s3", "delete_object", {"Bucket": outputs["distribution"], "Key": "a.pdf"}),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ContentServerSecretArn"]}),
        ("dynamodb", "delete_item", {
            "TableName": outputs["LedgerTableName"], "Key": {"pk": {"S": "link#1"}, "sk": {"S": "record"}},
        }),
    ],
    "watch-content-server": lambda outputs: [
        ("s3", "get_object", {"Bucket": outputs["IntakeBucketName"], "Key": "claims/a.pdf"}),
        ("sqs", "receive_message", {"QueueUrl": outputs["OffloadContentQueueUrl"]}),
    ],
    "watch-iconik": lambda outputs: [
        ("dynamodb", "query", {
            "TableName": outputs["LedgerTableName"], "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "watch-iconik#seen#assets"}},
        }),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["ContentServerSecretArn"]}),
        ("secretsmanager", "put_secret_value", {"SecretId": outputs["iconik"], "SecretString": "x"}),
        ("sqs", "receive_message", {"QueueUrl": outputs["OffloadContentQueueUrl"]}),
        ("s3", "get_object", {"Bucket": outputs["IntakeBucketName"], "Key": "claims/a.pdf"}),
    ],
}
# What some function may do that no other may, by service and operation.
MAY = {}


def beyond(flow, outputs):
    """What no function may do."""
    buckets = sorted(value for name, value in outputs.items() if name.endswith("BucketName"))
    calls = [
        ("s3", "put_object", {"Bucket": outputs["IntakeBucketName"], "Key": "claims/forged.pdf", "Body": "x"}),
        ("s3", "put_object", {"Bucket": outputs["ConfigurationBucketName"], "Key": "rules.toml", "Body": "x"}),
        ("s3", "delete_object", {"Bucket": outputs["QuarantineBucketName"], "Key": "quarantine/claims/a.pdf"}),
        ("s3", "list_buckets", {}),
        ("s3", "list_objects_v2", {"Bucket": "somebody-elses"}),
        ("s3", "get_object", {"Bucket": "somebody-elses", "Key": "x"}),
        ("dynamodb", "scan", {"TableName": outputs["LedgerTableName"]}),
        ("dynamodb", "delete_table", {"TableName": outputs["LedgerTableName"]}),
        ("sqs", "send_message", {"QueueUrl": outputs["elsewhere"], "MessageBody": "x"}),
        ("secretsmanager", "get_secret_value", {"SecretId": outputs["other"]}),
        ("secretsmanager", "put_secret_value", {"SecretId": outputs["ContentServerSecretArn"], "SecretString": "x"}),
        ("secretsmanager", "put_secret_value", {"SecretId": outputs["iconik"], "SecretString": "x"}),
        ("lambda", "list_functions", {}),
        ("iam", "list_roles", {}),
        ("sts", "assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/admin", "RoleSessionName": "elsewhere"}),
    ]
    for bucket in buckets:
        calls.append(("s3", "put_bucket_versioning", {"Bucket": bucket, "VersioningConfiguration": {"Status": "Suspended"}}))
        calls.append(("s3", "delete_bucket_policy", {"Bucket": bucket}))
    if not of_iconik(flow, outputs):
        calls.append(("secretsmanager", "get_secret_value", {"SecretId": outputs["iconik"]}))
    if f"{words(flow)}QueueUrl" in outputs:
        calls.append(("sqs", "receive_message", {"QueueUrl": outputs[f"{words(flow)}DeadLetterQueueUrl"]}))
        calls.append(("sqs", "purge_queue", {"QueueUrl": outputs[f"{words(flow)}QueueUrl"]}))
    return [call for call in calls if call[:2] not in MAY.get(flow, set())]


class TheRoles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        for flow in [FIRST, *FLOWS]:
            bootstrap = folder / flow / "bootstrap"
            bootstrap.parent.mkdir()
            bootstrap.write_text(STUB)
            bootstrap.chmod(0o755)
        s3 = client("s3")
        s3.create_bucket(Bucket="published")
        s3.put_object(Bucket="published", Key="a.pdf", Body=b"a")
        secrets = client("secretsmanager")
        iconik = secrets.create_secret(Name="waybill/rights/iconik", SecretString="{}")["ARN"]
        deployed = subprocess.run(
            [
                sys.executable, HERE / "deploy.py", "--url", URL, "--account", ACCOUNT, "--artefacts", folder,
                "--flows", "all", "--plain-http", "--parameters", "EnvironmentName=rights", "FunctionTimeout=60",
                "ContentServerUrl=http://127.0.0.1:9/otcs/cs.exe", "serve-links:DistributionBucketName=published",
                "reconcile:RulesUri=s3://{ConfigurationBucketName}/rules.toml", f"IconikSecretArn={iconik}",
            ],
            capture_output=True, text=True,
        )
        if deployed.returncode:
            raise AssertionError(deployed.stderr)
        cls.outputs = outputs = json.loads(deployed.stdout)
        outputs["version"] = s3.put_object(Bucket=outputs["IntakeBucketName"], Key="claims/a.pdf", Body=b"a")["VersionId"]
        s3.put_object(Bucket=outputs["IntakeBucketName"], Key="claims/b.pdf", Body=b"b")
        s3.put_object(Bucket=outputs["ConfigurationBucketName"], Key="rules.toml", Body=b"")
        secrets.put_secret_value(SecretId=outputs["ContentServerSecretArn"], SecretString="{}")
        outputs["other"] = secrets.create_secret(Name="somebody-elses", SecretString="{}")["ARN"]
        outputs["elsewhere"] = client("sqs").create_queue(QueueName="somebody-elses")["QueueUrl"]
        outputs["distribution"] = "published"
        outputs["iconik"] = iconik
        s3.create_bucket(Bucket="somebody-elses")

    def ask(self, flow, calls):
        name = self.outputs[f"{words(flow)}FunctionName"]
        answer = client("lambda").invoke(FunctionName=name, Payload=json.dumps({"calls": calls}))
        answers = json.load(answer["Payload"])
        self.assertIsInstance(answers, list, f"{flow} did not answer: {answers}")
        return answers

    def test_each_has_every_right_that_its_flow_needs(self):
        for flow in [FIRST, *FLOWS]:
            calls = worker(flow, self.outputs) if f"{words(flow)}QueueUrl" in self.outputs else []
            calls += NEEDS.get(flow, lambda outputs: [])(self.outputs) + of_iconik(flow, self.outputs)
            with self.subTest(flow):
                self.assertTrue(calls, f"{flow} has no queue, and no row in NEEDS")
                refused = [(call[:2], answer) for call, answer in zip(calls, self.ask(flow, calls)) if answer not in ALLOWED]
                self.assertEqual(refused, [])

    def test_none_may_do_anything_beyond(self):
        for flow in [FIRST, *FLOWS]:
            calls = beyond(flow, self.outputs) + FORBIDDEN.get(flow, lambda outputs: [])(self.outputs)
            with self.subTest(flow):
                through = [(call[:2], answer) for call, answer in zip(calls, self.ask(flow, calls)) if answer not in DENIALS]
                self.assertEqual(through, [])

    def test_a_missing_object_is_told_from_a_missing_right(self):
        call = ("s3", "get_object", {"Bucket": self.outputs["IntakeBucketName"], "Key": "claims/never.pdf"})
        self.assertEqual(self.ask(FIRST, [call]), ["NoSuchKey"])


if __name__ == "__main__":
    if not URL:
        sys.exit("Run it as: tests/aws/stand-in run --rights -- .venv/stack/bin/python tests/aws/rights_test.py")
    unittest.main()
