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
# Stacks that put repairs onto the queue of any flow.
REPAIR = {"reconcile"}


def declared(template):
    """A template's parameters by name."""
    return yaml.load(pathlib.Path(template).read_text(), Loader=Loader)["Parameters"]


def lacking(template, given):
    """What a template needs, nobody else knows, and was not given."""
    needed = {name for name, parameter in declared(template).items() if "Default" not in parameter}
    return sorted(needed & NOT_SHARED - {argument.split("=", 1)[0] for argument in given})


def queues(outputs, partition, repairs=False):
    """The queues of the flows among the outputs of all stacks, as the two parameters; none without a queue.

    `OffloadContentQueueUrl` is the queue of `offload-content`, and the address of a queue says its ARN. A stack that
    `repairs` tells the first stack's flow too; to a change feed it is of no concern, as uploads feed it.
    """
    found = {}
    for output, url in sorted(outputs.items()):
        if output.endswith("QueueUrl") and not output.endswith("DeadLetterQueueUrl"):
            flow = re.sub(r"(?<!^)([A-Z])", r"-\1", output.removesuffix("QueueUrl")).lower()
            found[flow] = url
    if not repairs:
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


def is_deployed(cloudformation, stack):
    """Whether a stack is there: what was given to it stays."""
    try:
        return bool(cloudformation.describe_stacks(StackName=stack)["Stacks"])
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return False


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
    names = set(declared(template))
    cloudformation = boto3.client("cloudformation")
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        others = of_other_flows(cloudformation, stack, template) if QUEUES in names else {}
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"missing: the stack {stack}, which a flow stands beside. Run `make deploy` without FLOW first. {error}")
    flow = pathlib.Path(template).stem
    missing = lacking(template, given)
    if missing and not is_deployed(cloudformation, f"{stack}-{flow}"):
        sys.exit(f"missing: {missing[0]}, which {flow} cannot do without. Put its file into the configuration bucket and say "
                 f"where: ARGS='--parameter-overrides {missing[0]}=s3://<configuration bucket>/<key>'")
    given_before = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", [])}
    known = {name: value for name, value in given_before.items() if name not in NOT_SHARED}
    outputs = outputs_of(found)
    known |= outputs | queues(outputs | others, found["StackId"].split(":")[1], flow in REPAIR)
    print("\n".join(arguments(names, known, given)))


if __name__ == "__main__":
    main(*sys.argv[1:])
