"""With a key of the customer's own everything that holds content or says something of it is encrypted with that key."""

import fnmatch
import functools
import pathlib

from cfnlint.decode.cfn_yaml import load

from template_tree import alternatives, as_list, at, supposing, target_of

# Where each kind of resource names its key.
KEYED = {
    "AWS::DynamoDB::Table": "SSESpecification.KMSMasterKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::S3::Bucket": "BucketEncryption.ServerSideEncryptionConfiguration",
    "AWS::SecretsManager::Secret": "KmsKeyId",
    "AWS::Serverless::Function": "KmsKeyArn",
    "AWS::SQS::Queue": "KmsMasterKeyId",
}
# The first stack makes the key, the stacks beside it are told of it.
MADE = {"Fn::GetAtt": "EncryptionKey.Arn"}, {"Fn::Equals": [{"Ref": "Encryption"}, "customer-key"]}
TOLD = {"Ref": "EncryptionKeyArn"}, {"Fn::Not": [{"Fn::Equals": [{"Ref": "EncryptionKeyArn"}, ""]}]}
# Who sends into an encrypted queue or topic has to be let use the key.
SENDERS = ("s3.amazonaws.com", "events.amazonaws.com", "cloudwatch.amazonaws.com")
OF_LOGS = "Condition.ArnLike.kms:EncryptionContext:aws:logs:arn"


@functools.cache
def first_stack():
    return load(str(pathlib.Path(__file__).with_name("template.yaml")))


def is_key(value, key):
    if isinstance(value, dict) and isinstance(value.get("Fn::GetAtt"), list):
        value = {"Fn::GetAtt": ".".join(value["Fn::GetAtt"])}
    return value == key


def named(properties, kind):
    """The keys that a resource names: a bucket one for each of its rules, every other kind one or none."""
    if kind == "AWS::S3::Bucket":
        rules = at(properties, KEYED[kind]) or [{}]
        return [at(rule, "ServerSideEncryptionByDefault.KMSMasterKeyID") for rule in rules]
    return [at(properties, KEYED[kind])]


def is_switched_on(properties, kind):
    """A key that is named and not used: the table's switch, the bucket's algorithm, the queue's other kind of encryption."""
    if kind == "AWS::DynamoDB::Table":
        return at(properties, "SSESpecification.SSEEnabled") is True and at(properties, "SSESpecification.SSEType") == "KMS"
    if kind == "AWS::S3::Bucket":
        rules = at(properties, KEYED[kind]) or [{}]
        return all(at(rule, "ServerSideEncryptionByDefault.SSEAlgorithm") == "aws:kms" for rule in rules)
    return "SqsManagedSseEnabled" not in properties


def check_keys(template):
    key, condition = MADE if "EncryptionKey" in template.resources else TOLD
    if at(template.tree, "Conditions.CustomerKey") != condition:
        for name, _ in template.of_type("AWS::Serverless::Function"):
            template.refuse("key", name, f"the condition CustomerKey must be {condition}")
    for kind, path in KEYED.items():
        for name, properties in template.of_type(kind):
            with_key, without = (supposing(properties, "CustomerKey", holds) for holds in (True, False))
            if not all(is_key(value, key) for value in named(with_key, kind)) or not is_switched_on(with_key, kind):
                template.refuse("key", name, f"{path} must be the customer's key where the condition CustomerKey holds, and used")
            if any(value is not None for value in named(without, kind)):
                template.refuse("key", name, f"{path} must name no key where the condition CustomerKey does not hold: there is none")
    for name, function in template.of_type("AWS::Serverless::Function"):
        role = target_of(function.get("Role"))
        policies = supposing(at(template.resources, f"{role}.Properties.Policies") or [], "CustomerKey", True)
        statements = [one for policy in policies for one in as_list(at(policy, "PolicyDocument.Statement"))]
        if not any("kms:Decrypt" in as_list(one.get("Action")) and is_key(one.get("Resource"), key) for one in statements):
            template.refuse("key", name, "its role must allow kms:Decrypt on the customer's key, or it cannot even start")
    check_policy(template)


def check_policy(template):
    """The key lets those use it who need to: senders, and CloudWatch for log groups by their names."""
    tree = template.tree if "EncryptionKey" in template.resources else first_stack()
    statements = list(alternatives(at(tree, "Resources.EncryptionKey.Properties.KeyPolicy.Statement") or []))
    for name, _ in template.of_type("AWS::KMS::Key"):
        for sender in SENDERS:
            allowed = {
                action
                for statement in statements
                if statement.get("Effect") == "Allow" and sender in as_list(at(statement, "Principal.Service"))
                for action in as_list(statement.get("Action"))
            }
            if not {"kms:Decrypt", "kms:GenerateDataKey"} <= allowed:
                template.refuse("key", name, f"{sender} must be let use it, or what it sends does not arrive")
    patterns = [
        at(pattern, "Fn::Sub").partition(":log-group:")[2]
        for statement in statements
        for pattern in as_list(at(statement, OF_LOGS) or [])
    ]
    for name, properties in template.of_type("AWS::Logs::LogGroup"):
        group = at(properties, "LogGroupName.Fn::Sub") or ""
        if not any(fnmatch.fnmatchcase(group, pattern) for pattern in patterns):
            template.refuse("key", name, "the policy of EncryptionKey (infra/template.yaml) lets CloudWatch use it for no log group of that name")
