"""The arguments of `sam deploy` for a flow's stack: each of its parameters that the first stack knows, by name.

    python infra/flow_parameters.py infra/flows/offload-content.yaml waybill [arguments of sam deploy …]

A parameter is known when the first stack has an output or a parameter of that name; what the arguments say goes before.
A stack that tells other flows is given the queues of those that are deployed. Prints one argument per line. Errors: one
line on standard error, exit 1.
"""

import json
import pathlib
import re
import sys
import urllib.parse

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError


class Loader(yaml.SafeLoader):
    """SafeLoader that passes over CloudFormation's short forms."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


# The parameter of a stack that tells other flows, and the one for its right to do so.
QUEUES, ARNS = "FlowQueues", "FlowQueueArns"
# Each flow has rules of its own.
NOT_SHARED = {"RulesUri"}


def declared(template):
    """The names of a template's parameters."""
    return set(yaml.load(pathlib.Path(template).read_text(), Loader=Loader)["Parameters"])


def queues(outputs, partition):
    """The queues of the flows among the outputs of all stacks, as the two parameters; none without a queue.

    `OffloadContentQueueUrl` is the queue of `offload-content`, and the address of a queue says its ARN.
    """
    found = {}
    for output, url in sorted(outputs.items()):
        if output.endswith("QueueUrl") and not output.endswith("DeadLetterQueueUrl"):
            flow = re.sub(r"(?<!^)([A-Z])", r"-\1", output.removesuffix("QueueUrl")).lower()
            found[flow] = url
    # The first stack's flow is fed by uploads.
    found.pop("ingest-uploads", None)
    if not found:
        return {}
    return {QUEUES: json.dumps(found, separators=(",", ":")), ARNS: ",".join(arn(url, partition) for url in found.values())}


def arn(url, partition):
    """The ARN of the queue at this address, https://sqs.<region>.amazonaws.com/<account>/<name>."""
    address = urllib.parse.urlsplit(url)
    account, name = address.path.strip("/").split("/")
    region = address.hostname.split(".")[1] if address.hostname.startswith("sqs.") else "us-east-1"
    return f"arn:{partition}:sqs:{region}:{account}:{name}"


def quoted(value):
    """A value as `sam deploy` reads it back."""
    return value if re.fullmatch(r'[^ "\\]*', value) else '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def arguments(declared, known, given):
    """`given` with its overrides completed from what is known."""
    rest, overrides, reading = [], [], False
    for argument in given:
        if argument.startswith("--"):
            reading = argument == "--parameter-overrides"
            if reading:
                continue
        (overrides if reading else rest).append(argument)
    names = {override.split("=", 1)[0] for override in overrides}
    known = [f"{name}={quoted(value)}" for name, value in known.items() if name in declared - names and value]
    return [*rest, "--parameter-overrides", *known, *overrides]


def outputs_of(found):
    return {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}


def of_other_flows(cloudformation, stack, template):
    """The outputs of the stacks of the other flows that are deployed."""
    outputs = {}
    for other in sorted(pathlib.Path(template).parent.glob("*.yaml")):
        try:
            outputs |= outputs_of(cloudformation.describe_stacks(StackName=f"{stack}-{other.stem}")["Stacks"][0])
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
    return outputs


def main(template, stack, *given):
    names = declared(template)
    cloudformation = boto3.client("cloudformation")
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        others = of_other_flows(cloudformation, stack, template) if QUEUES in names else {}
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"missing: the stack {stack}, which a flow stands beside. Run `make deploy` without FLOW first. {error}")
    given_before = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
    known = {name: value for name, value in given_before.items() if name not in NOT_SHARED}
    known |= outputs_of(found) | queues(others, found["StackId"].split(":")[1])
    print("\n".join(arguments(names, known, given)))


if __name__ == "__main__":
    main(*sys.argv[1:])
