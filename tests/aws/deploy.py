"""Deploys the SAM template with the built artefacts to the stand-in for AWS, and prints the stack's outputs as JSON.

    .venv/stack/bin/python tests/aws/deploy.py --url http://127.0.0.1:4566 --parameters EnvironmentName=demo …

A flow's stack takes the outputs and parameters of the stacks before it by name, as `make deploy FLOW=…` does, and the
change feed takes the queues of all of them. `offload-content:RulesUri=s3://{ConfigurationBucketName}/rules.toml` is for
one flow's stack, and names an output of the stacks before it.

It does what `sam deploy` does (zip each CodeUri, upload it, point the template at it, create or update the stack), in
under a second instead of ten. It refuses any address that is not on this machine: real accounts get `make deploy`.
Errors: one line on standard error, exit 1.
"""

import argparse
import hashlib
import io
import json
import pathlib
import sys
import time
import urllib.parse
import zipfile

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOWS = ROOT / "infra" / "flows"
sys.path.insert(0, str(ROOT / "infra"))

import flow_parameters  # noqa: E402
# The stand-in has no alarms over two metrics. Of iconik only some flows know; a stack that is told nothing gets a place where
# nobody answers, and a secret that is not there.
STAND_IN = {
    "RepeatedRunsAlarm": "off",
    "IconikUrl": "http://127.0.0.1:9",
    "IconikSecretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:nobodys-iconik-AbCdEf",
}
# The stand-in has no TLS either. Where it enforces policies it would refuse every request, so the statement that denies
# plain HTTP is turned round.
ONLY_OVER_TLS = ('"aws:SecureTransport": "false"', '"aws:SecureTransport": "true"')



def intrinsic(loader, suffix, node):
    """`!Ref x`, `!Sub x`, `!GetAtt a.b` and their kin in the long form, so that the template survives a round trip."""
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


class Loader(yaml.SafeLoader):
    """SafeLoader that knows CloudFormation's short forms."""


Loader.add_multi_constructor("!", intrinsic)


def package(folder):
    """The folder as a zip whose bytes depend on nothing but its files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not (folder / "bootstrap").is_file():
        sys.exit(f"No artefact in {folder}: build it with `make build` or `make demo`.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in files:
            entry = zipfile.ZipInfo(str(path.relative_to(folder)), (2020, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=1)
    return buffer.getvalue()


class Deployment:
    def __init__(self, url, account, region):
        session = boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)
        config = Config(s3={"addressing_style": "path"}, proxies={}, retries={"max_attempts": 1})
        self.s3 = session.client("s3", endpoint_url=url, config=config)
        self.cloudformation = session.client("cloudformation", endpoint_url=url, config=config)
        self.bucket = f"waybill-artefacts-{account}"
        self.artefacts = {}

    def upload(self, body, suffix):
        if not self.artefacts:
            try:
                self.s3.create_bucket(Bucket=self.bucket)
            except self.s3.exceptions.BucketAlreadyOwnedByYou:
                pass
        key = f"{hashlib.sha256(body).hexdigest()}{suffix}"
        if key not in self.artefacts:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
            self.artefacts[key] = f"s3://{self.bucket}/{key}"
        return self.artefacts[key]

    def prepare(self, path, artefacts):
        """The template at `path` with every local folder replaced by an uploaded zip."""
        template = yaml.load(path.read_text(), Loader=Loader)
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::Serverless::Function":
                folder = (path.parent / properties["CodeUri"]).resolve()
                if artefacts:
                    folder = artefacts / folder.name
                properties["CodeUri"] = self.upload(package(folder), ".zip")
        return json.dumps(template), set(template["Parameters"])

    def exists(self, name):
        """Whether there is a stack to update. One that never came up is removed, as nothing else can be done with it."""
        try:
            status = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        except ClientError:
            return False
        if status != "ROLLBACK_COMPLETE":
            return True
        self.cloudformation.delete_stack(StackName=name)
        self.cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.2})
        return False

    def deploy(self, name, body, parameters):
        arguments = {
            "StackName": name,
            "TemplateBody": body,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
        exists = self.exists(name)
        try:
            if exists:
                self.cloudformation.update_stack(**arguments)
            else:
                self.cloudformation.create_stack(**arguments)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
        waiter = self.cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
        try:
            waiter.wait(StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
        except WaiterError:
            reasons = [
                f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
                for event in self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
                if "FAILED" in event["ResourceStatus"] and event.get("ResourceStatusReason")
            ]
            sys.exit("The stack was not deployed. " + "; ".join(reasons))
        self.lock(name, body)
        stack = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def lock(self, name, body):
        """Buckets with Object Lock, which ministack 1.5.33 leaves out when it makes them. Remove it when a release does not."""
        for logical, resource in json.loads(body)["Resources"].items():
            if not resource.get("Properties", {}).get("ObjectLockEnabled"):
                continue
            found = self.cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical)
            self.s3.put_object_lock_configuration(
                Bucket=found["StackResourceDetail"]["PhysicalResourceId"],
                ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"},
            )


def chosen_flows(names):
    """The templates of these flows. Whoever is told of the others' queues comes last."""
    paths = sorted(FLOWS.glob("*.yaml")) if names == ["all"] else [FLOWS / f"{name}.yaml" for name in names]
    missing = [path.stem for path in paths if not path.is_file()]
    if missing:
        there = " ".join(sorted(path.stem for path in FLOWS.glob("*.yaml")))
        sys.exit(f"No flow {' '.join(missing)}. There are: {there}.")
    return sorted(paths, key=lambda path: flow_parameters.QUEUES in flow_parameters.declared(path))


def for_stack(flow, given, outputs):
    """What was given for every stack and for this flow's, with the outputs that it names."""
    shared = {name for name in given if ":" not in name} - (flow_parameters.NOT_SHARED if flow else set())
    values = {name: given[name] for name in shared}
    values |= {name.split(":", 1)[1]: value for name, value in given.items() if name.startswith(f"{flow}:")}
    for output, found in outputs.items():
        values = {name: value.replace("{" + output + "}", found) for name, value in values.items()}
    return values


def main():
    parser = argparse.ArgumentParser(description="Deploys the template to the stand-in for AWS.")
    parser.add_argument("--url", required=True, help="address of the stand-in")
    parser.add_argument("--template", type=pathlib.Path, default=ROOT / "infra" / "template.yaml")
    parser.add_argument("--flows", nargs="*", default=[], metavar="flow", help="flows to deploy beside it, or: all")
    parser.add_argument("--artefacts", type=pathlib.Path, help="folder with one folder per function, else the template's")
    parser.add_argument("--stack", default="waybill")
    parser.add_argument("--account", default="000000000000", help="12 digits; the stand-in keeps accounts apart")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--plain-http", action="store_true", help="for a stand-in that enforces rights")
    parser.add_argument("--parameters", nargs="*", default=[], metavar="Name=value")
    chosen = parser.parse_args()
    host = urllib.parse.urlsplit(chosen.url).hostname
    if host not in ("127.0.0.1", "localhost", "::1"):
        sys.exit(f"{host} is not this machine: deploy to a real account with `make deploy`.")
    unusable = [pair for pair in chosen.parameters if "=" not in pair]
    if unusable:
        sys.exit(f"Parameters are written Name=value, not {' '.join(unusable)}.")
    parameters = {**STAND_IN, **dict(pair.split("=", 1) for pair in chosen.parameters)}
    started = time.monotonic()
    deployment = Deployment(chosen.url, chosen.account, chosen.region)
    try:
        outputs, taken = {}, set(STAND_IN)
        for path in [chosen.template.resolve(), *chosen_flows(chosen.flows)]:
            flow = path.stem if path.parent == FLOWS else ""
            stack = f"{chosen.stack}-{flow}" if flow else chosen.stack
            template, declared = deployment.prepare(path, chosen.artefacts)
            if chosen.plain_http:
                template = template.replace(*ONLY_OVER_TLS)
            # As `infra/deploy` does: a flow's stack takes the outputs of the stacks before it by name.
            queues = flow_parameters.queues(outputs, "aws", flow in flow_parameters.REPAIR)
            known = {**outputs, **queues, **for_stack(flow, parameters, outputs)}
            taken |= declared | {f"{flow}:{name}" for name in declared}
            outputs |= deployment.deploy(stack, template, {name: known[name] for name in known if name in declared})
        unknown = sorted(set(parameters) - taken)
        if unknown:
            sys.exit(f"No template has a parameter {', '.join(unknown)}.")
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"The stack was not deployed. {error}")
    print(f"deployed in {time.monotonic() - started:.1f} s", file=sys.stderr)
    print(json.dumps(outputs, indent=2))


if __name__ == "__main__":
    main()
