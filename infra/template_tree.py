"""How the rules over the templates find their way in one."""

import re


def flow_name(logical_id):
    """IngestUploads → ingest-uploads"""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", logical_id).lower()


def at(tree, path):
    for step in path.split("."):
        if not isinstance(tree, dict) or step not in tree:
            return None
        tree = tree[step]
    return tree


def as_list(value):
    return value if isinstance(value, list) else [value]


def is_nothing(value):
    return isinstance(value, dict) and value.get("Ref") == "AWS::NoValue"


def alternatives(entries):
    """The entries of a list, with both sides of each Fn::If."""
    for entry in as_list(entries):
        if isinstance(entry, dict) and "Fn::If" in entry:
            yield from alternatives(entry["Fn::If"][1:])
        elif not is_nothing(entry):
            yield entry


def supposing(tree, condition, holds):
    """The tree as CloudFormation reads it when a condition holds, or does not; what depends on others stays as it is."""
    if isinstance(tree, dict):
        if "Fn::If" in tree and tree["Fn::If"][0] == condition:
            return supposing(tree["Fn::If"][1 if holds else 2], condition, holds)
        inner = {key: supposing(value, condition, holds) for key, value in tree.items()}
        return {key: value for key, value in inner.items() if not is_nothing(value)}
    if isinstance(tree, list):
        inner = [supposing(value, condition, holds) for value in tree]
        return [value for value in inner if not is_nothing(value)]
    return tree


def target_of(value):
    """The logical id that a Ref or Fn::GetAtt names."""
    if isinstance(value, dict):
        if "Ref" in value:
            return value["Ref"]
        if "Fn::GetAtt" in value:
            attribute = value["Fn::GetAtt"]
            return attribute[0] if isinstance(attribute, list) else attribute.split(".")[0]
    return None


def is_fed_by_a_queue(function):
    return any(event.get("Type") == "SQS" for event in function.get("Events", {}).values())
