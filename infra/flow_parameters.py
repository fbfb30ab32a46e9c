"""The arguments of `sam deploy` for a flow's stack: each of its parameters that the first stack knows, by name.

    python infra/flow_parameters.py infra/flows/offload-content.yaml waybill [arguments of sam deploy …]

A parameter is known when the first stack has an output or a parameter of that name; what the arguments say goes before.
Prints one argument per line. Errors: one line on standard error, exit 1.
"""

import pathlib
import sys

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError


class Loader(yaml.SafeLoader):
    """SafeLoader that passes over CloudFormation's short forms."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


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
    known = [f"{name}={value}" for name, value in known.items() if name in declared and name not in names and value]
    return [*rest, "--parameter-overrides", *known, *overrides]


def main(template, stack, *given):
    declared = set(yaml.load(pathlib.Path(template).read_text(), Loader=Loader)["Parameters"])
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"missing: the stack {stack}, which a flow stands beside. Run `make deploy` without FLOW first. {error}")
    known = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in found.get("Parameters", [])}
    known |= {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    print("\n".join(arguments(declared, known, given)))


if __name__ == "__main__":
    main(*sys.argv[1:])
