"""The template in each of its variants comes up on the stand-in for AWS, and an upload reaches the function.

    tests/aws/stand-in run -- .venv/stack/bin/python tests/aws/deploy_test.py

The function is a few lines of Python that log their messages: what is tested here is the template. Each test has an
account of its own.
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
import yaml
from botocore.config import Config

import deploy

HERE = pathlib.Path(__file__).resolve().parent
URL = os.environ.get("WAYBILL_AWS_URL")
REGION = "us-east-1"
FLOWS = sorted(path.stem for path in (HERE.parents[1] / "infra" / "flows").glob("*.yaml"))

# Logs each message; gives back those that say so.
STUB = f"""#!{sys.executable} -S
import json, os, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    event = urllib.request.urlopen(base + "next")
    messages = json.load(event)["Records"]
    for message in messages:
        print("message", message["body"], flush=True)
    kept = [{{"itemIdentifier": message["messageId"]}} for message in messages if "give back" in message["body"]]
    answer = json.dumps({{"batchItemFailures": kept}}).encode()
    path = base + event.headers["Lambda-Runtime-Aws-Request-Id"] + "/response"
    urllib.request.urlopen(urllib.request.Request(path, data=answer)).read()
"""


class Installation:
    """One deployment of the template in an account of its own."""

    accounts = 100000000000

    def __init__(self, artefacts, *flows, **parameters):
        Installation.accounts += 1
        self.account = str(Installation.accounts)
        settings = {
            "EnvironmentName": "trial",
            "FunctionTimeout": "10",
            "ContentServerUrl": "http://127.0.0.1:9/otcs/cs.exe",
            **parameters,
        }
        pairs = [f"{name}={value}" for name, value in settings.items()]
        command = [sys.executable, HERE / "deploy.py", "--url", URL, "--account", self.account]
        deployed = subprocess.run(
            [*command, "--artefacts", artefacts, "--flows", *flows, "--parameters", *pairs],
            capture_output=True, text=True,
        )
        if deployed.returncode:
            raise AssertionError(deployed.stderr)
        self.outputs = json.loads(deployed.stdout)

    def client(self, service):
        return boto3.client(
            service, endpoint_url=URL, region_name=REGION, aws_access_key_id=self.account, aws_secret_access_key="test",
            config=Config(proxies={}),
        )

    def upload(self, key):
        self.client("s3").put_object(Bucket=self.outputs["IntakeBucketName"], Key=key, Body=b"as it was sent")

    def log(self, function="IngestUploads"):
        logs, group = self.client("logs"), self.outputs[f"{function}LogGroupName"]
        return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]

    def message_with(self, text, function="IngestUploads"):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            found = [line for line in self.log(function) if line.startswith("message") and text in line]
            if found:
                return json.loads(found[0].removeprefix("message "))
            time.sleep(0.05)
        raise AssertionError(f"no message with {text}: {self.log(function)}")

    def function(self, function="IngestUploads"):
        """How a function is set up, and the managed policies of its role, by name."""
        name = self.outputs[f"{function}FunctionName"]
        found = self.client("lambda").get_function_configuration(FunctionName=name)
        role = found["Role"].rsplit("/", 1)[1]
        attached = self.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return found, {policy["PolicyArn"].rsplit("/", 1)[1] for policy in attached}

    def queue(self):
        return self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["IngestUploadsQueueUrl"], AttributeNames=["All"]
        )["Attributes"]


# What a flow's stack cannot do without.
GIVEN = {"reconcile:RulesUri": "s3://{ConfigurationBucketName}/reconcile-rules.toml"}


# What the world speaks to, and what speaks to nothing in a network of one's own.
PUBLIC = {"ReceiveIconik", "ServeLinks"}


def functions(installation):
    """Every function of an installation, as its outputs begin."""
    found = [name.removesuffix("FunctionName") for name in installation.outputs if name.endswith("FunctionName")]
    assert len(found) == len(FLOWS) + 1, found
    return found


class TheTemplate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        for flow in ["ingest-uploads", *FLOWS]:
            bootstrap = pathlib.Path(cls.folder, flow, "bootstrap")
            bootstrap.parent.mkdir()
            bootstrap.write_text(STUB)
            bootstrap.chmod(0o755)

    def test_an_upload_reaches_the_function_by_notification(self):
        installation = Installation(self.folder)
        installation.upload("claims/4711/fire damage+ü.pdf")
        message = installation.message_with("fire")
        self.assertEqual(message["Records"][0]["s3"]["object"]["key"], "claims/4711/fire+damage%2B%C3%BC.pdf")
        self.assertIn("versionId", message["Records"][0]["s3"]["object"])

    def test_an_upload_reaches_the_function_through_eventbridge(self):
        installation = Installation(self.folder, IntakeDoor="eventbridge")
        installation.upload("claims/4711/fire damage+ü.pdf")
        message = installation.message_with("fire")
        self.assertEqual(message["detail-type"], "Object Created")
        self.assertEqual(message["detail"]["object"]["key"], "claims/4711/fire damage+ü.pdf")

    def test_one_message_given_back_does_not_hold_up_the_others(self):
        installation = Installation(self.folder)
        sqs, url = installation.client("sqs"), installation.outputs["IngestUploadsQueueUrl"]
        sqs.send_message_batch(
            QueueUrl=url,
            Entries=[{"Id": str(i), "MessageBody": json.dumps("give back" if i == 3 else f"good {i}")} for i in range(10)],
        )
        installation.message_with("give back")
        installation.message_with("good 9")
        deadline = time.monotonic() + 10
        while installation.queue()["ApproximateNumberOfMessages"] != "0" and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(installation.queue()["ApproximateNumberOfMessagesNotVisible"], "1")

    def test_the_longest_time_out_has_the_longest_visibility(self):
        installation = Installation(self.folder, FunctionTimeout="900")
        self.assertEqual(installation.queue()["VisibilityTimeout"], "5400")

    def test_with_a_key_of_ones_own_uploads_still_arrive(self):
        installation = Installation(self.folder, Encryption="customer-key")
        self.assertIn(":key/", installation.queue()["KmsMasterKeyId"])
        installation.upload("claims/1/a.pdf")
        installation.message_with("a.pdf")

    def test_in_a_network_of_ones_own_functions_may_make_their_interfaces(self):
        # ministack 1.5.33 knows no Fn::Join in a condition, so it takes every installation for one in a network.
        installation = Installation(self.folder, "all", **GIVEN, SubnetIds="subnet-0a,subnet-0b", SecurityGroupIds="sg-0a")
        for function in functions(installation):
            inside = "AWSLambdaVPCAccessExecutionRole" in installation.function(function)[1]
            self.assertEqual(inside, function not in PUBLIC, function)

    def test_every_function_takes_the_network_that_is_given(self):
        # ministack 1.5.33 makes functions without the network of their stack, so this is read where it is written.
        network = {"SubnetIds": {"Ref": "SubnetIds"}, "SecurityGroupIds": {"Ref": "SecurityGroupIds"}}
        expected = {"Fn::If": ["InVpc", network, {"Ref": "AWS::NoValue"}]}
        for path in [deploy.ROOT / "infra" / "template.yaml", *sorted(deploy.FLOWS.glob("*.yaml"))]:
            template = yaml.load(path.read_text(), Loader=deploy.Loader)
            made = {name: one for name, one in template["Resources"].items() if one["Type"] == "AWS::Serverless::Function"}
            self.assertTrue(made, path.name)
            for name, function in made.items():
                wanted = None if name in PUBLIC else expected
                self.assertEqual(function["Properties"].get("VpcConfig"), wanted, f"{path.name}: {name}")

    def test_every_function_is_of_the_processor_that_was_asked_for(self):
        for asked, expected in (({}, "arm64"), ({"Architecture": "x86_64"}, "x86_64")):
            installation = Installation(self.folder, "all", **GIVEN, **asked)
            for function in functions(installation):
                self.assertEqual(installation.function(function)[0]["Architectures"], [expected], function)

    def test_a_function_may_send_traces_only_where_it_is_to_begin_them(self):
        for asked, expected in (({}, "Active"), ({"Tracing": "PassThrough"}, "PassThrough")):
            installation = Installation(self.folder, "all", **GIVEN, **asked)
            for function in functions(installation):
                found, policies = installation.function(function)
                self.assertEqual(found["TracingConfig"], {"Mode": expected}, function)
                self.assertEqual("AWSXRayDaemonWriteAccess" in policies, expected == "Active", function)

    def test_an_existing_secret_is_used_and_none_is_made(self):
        arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecm-AbCdEf"
        installation = Installation(self.folder, ContentServerSecretArn=arn)
        self.assertEqual(installation.outputs["ContentServerSecretArn"], arn)
        self.assertEqual(installation.client("secretsmanager").list_secrets()["SecretList"], [])

    def test_every_further_flow_stands_beside_it_and_has_its_messages(self):
        installation = Installation(self.folder, "all", **GIVEN)
        self.assertTrue(FLOWS)
        for flow in FLOWS:
            function = "".join(word.capitalize() for word in flow.split("-"))
            queue = installation.outputs.get(f"{function}QueueUrl")
            self.assertIn(f"{function}FunctionName", installation.outputs)
            if queue:
                installation.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(f"for {flow}"))
                installation.message_with(f"for {flow}", function)

    def test_with_a_key_of_ones_own_a_further_flow_uses_it_too(self):
        installation = Installation(self.folder, "all", Encryption="customer-key", **GIVEN)
        for flow in FLOWS:
            function = "".join(word.capitalize() for word in flow.split("-"))
            queue = installation.outputs.get(f"{function}QueueUrl")
            if queue:
                attributes = installation.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])
                self.assertEqual(attributes["Attributes"]["KmsMasterKeyId"], installation.outputs["EncryptionKeyArn"])

    def test_a_parameter_that_no_template_has_is_refused(self):
        with self.assertRaisesRegex(AssertionError, "No template has a parameter TargetRats"):
            Installation(self.folder, TargetRats="3")

    def test_a_second_deployment_changes_the_first(self):
        installation = Installation(self.folder)
        command = [sys.executable, HERE / "deploy.py", "--url", URL, "--account", installation.account, "--artefacts", self.folder]
        again = ["--parameters", "EnvironmentName=trial", "FunctionTimeout=60", "ContentServerUrl=http://127.0.0.1:9/otcs/cs.exe"]
        subprocess.run([*command, *again], check=True, capture_output=True)
        self.assertEqual(installation.queue()["VisibilityTimeout"], "360")

    def test_a_wrong_parameter_is_refused_before_anything_is_made(self):
        with self.assertRaisesRegex(AssertionError, "ContentServerUrl"):
            Installation(self.folder, ContentServerUrl="ecm.example.com")

    def test_a_comparison_without_rules_is_refused_before_anything_is_made(self):
        with self.assertRaisesRegex(AssertionError, "RulesUri"):
            Installation(self.folder, "reconcile")

    def test_a_comparison_may_repair_every_flow_that_stands_beside_it(self):
        installation = Installation(self.folder, "offload-content", "reconcile", **GIVEN)
        function = installation.client("lambda").get_function_configuration(FunctionName=installation.outputs["ReconcileFunctionName"])
        queues = json.loads(function["Environment"]["Variables"]["WAYBILL_FLOW_QUEUES"])
        self.assertEqual(
            queues, {"ingest-uploads": installation.outputs["IngestUploadsQueueUrl"], "offload-content": installation.outputs["OffloadContentQueueUrl"]}
        )

    def test_another_machine_is_never_deployed_to(self):
        command = [sys.executable, HERE / "deploy.py", "--url", "https://cloudformation.eu-central-1.amazonaws.com"]
        refused = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("make deploy", refused.stderr)


if __name__ == "__main__":
    if not URL:
        sys.exit("Run it as: tests/aws/stand-in run -- .venv/stack/bin/python tests/aws/deploy_test.py")
    unittest.main()
