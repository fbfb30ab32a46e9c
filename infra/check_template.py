"""The rules of this project over its SAM templates, where cfn-lint, `sam validate` and checkov are silent.

    .venv/lint/bin/python infra/check_template.py infra/template.yaml …

Every flow must have: a queue whose visibility covers six invocations, a dead-letter queue with an alarm, partial batch
responses, bounded concurrency, a role and a log group of its own, rights that name what they are for, its alarms
(`alarm_rules.py`), and the customer's key where there is one (`key_rules.py`). A finding of checkov that is skipped has its
reason beside it. One line per violation with its rule, resource and remedy; exit 1 if there is any. `check_template_test.py`
breaks each rule once.
"""

import functools
import itertools
import json
import pathlib
import re
import sys

from cfnlint.decode.cfn_yaml import load

from alarm_rules import check_alarms
from key_rules import check_keys
from template_tree import alternatives, as_list, at, flow_name, is_fed_by_a_queue, target_of

DAY = 86400
INTEGERS = {
    "AWS::Serverless::Function": ["Timeout", "MemorySize"],
    "AWS::SQS::Queue": ["VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy.maxReceiveCount"],
    "AWS::Logs::LogGroup": ["RetentionInDays"],
    "AWS::CloudWatch::Alarm": ["Period", "EvaluationPeriods", "Threshold"],
}
EVENT_INTEGERS = ["BatchSize", "MaximumBatchingWindowInSeconds", "ScalingConfig.MaximumConcurrency"]
BOOLEANS = {
    "AWS::S3::Bucket": [
        f"PublicAccessBlockConfiguration.{name}"
        for name in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    ],
    "AWS::DynamoDB::Table": ["PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"],
}
KEPT = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::KMS::Key", "AWS::SecretsManager::Secret")


SHARED = pathlib.Path(__file__).resolve().parents[1] / "shared" / "src"


@functools.cache
def settings():
    """The names of the settings that a function reads: the fields of `shared::environment::Settings`."""
    source = (SHARED / "environment.rs").read_text()
    body = source.split("pub struct Settings {")[1].split("\n}")[0]
    return {f"WAYBILL_{name.upper()}" for name in re.findall(r"^    pub (\w+):", body, re.MULTILINE)}


# What only a function with a schedule or a door of its own is given.
WITHOUT_A_QUEUE = {"WAYBILL_FLOW_QUEUES", "WAYBILL_SIGNING_SECRET"}
# What only a flow is given: it has a queue, a place for what it puts aside, and a target to be gentle with.
WITH_A_QUEUE = {
    "WAYBILL_QUEUE_URL",
    "WAYBILL_DEAD_LETTER_QUEUE_URL",
    "WAYBILL_QUARANTINE_BUCKET",
    "WAYBILL_QUARANTINE_PREFIX",
    "WAYBILL_TARGET_CONCURRENCY",
    "WAYBILL_DRY_RUN",
}
# What starts a function that is no flow: a schedule, or a URL of its own.
STARTERS = ("Schedule", "ScheduleV2", "HttpApi")
# What a function that is no flow is given, and nobody else of it what begins with the same word.
LINKS = {"WAYBILL_LINK_WINDOW_MINUTES", "WAYBILL_LINK_MISSES_PER_MINUTE"}
ITS_OWN = {
    "serve-links": {"WAYBILL_ENVIRONMENT", "WAYBILL_TABLE", *LINKS},
    "receive-iconik": {
        "WAYBILL_ENVIRONMENT",
        "WAYBILL_TABLE",
        "WAYBILL_RULES",
        "WAYBILL_FLOW_QUEUES",
        "WAYBILL_SIGNING_SECRET",
    },
    "watch-iconik": {
        "WAYBILL_ENVIRONMENT",
        "WAYBILL_TABLE",
        "WAYBILL_RULES",
        "WAYBILL_ICONIK_URL",
        "WAYBILL_ICONIK_SECRET",
        "WAYBILL_ICONIK_SETTINGS",
        "WAYBILL_TARGET_RATE",
        "WAYBILL_LEASE_MARGIN_SECONDS",
        "WAYBILL_FLOW_QUEUES",
    },
    "reconcile": {
        "WAYBILL_ENVIRONMENT",
        "WAYBILL_TABLE",
        "WAYBILL_RULES",
        "WAYBILL_CONTENT_SERVER_URL",
        "WAYBILL_CONTENT_SERVER_SECRET",
        "WAYBILL_CONTENT_SERVER_SETTINGS",
        "WAYBILL_ICONIK_URL",
        "WAYBILL_ICONIK_SECRET",
        "WAYBILL_ICONIK_SETTINGS",
        "WAYBILL_REPORT_BUCKET",
        "WAYBILL_TARGET_CONCURRENCY",
        "WAYBILL_TARGET_RATE",
        "WAYBILL_LEASE_MARGIN_SECONDS",
        "WAYBILL_FLOW_QUEUES",
    },
}
# API Gateway waits no longer than this, in seconds.
LONGEST_ANSWER = 29
# Settings of flows that keep content in a bucket of their own, of those that hand out links or tell others, of those that
# call iconik or Preservica, and of what writes reports.
OF_SOME_FLOWS = {
    "WAYBILL_CONTENT_BUCKET",
    "WAYBILL_CONTENT_REGION",
    "WAYBILL_EVENT_BUS",
    "WAYBILL_ICONIK_SECRET",
    "WAYBILL_ICONIK_SETTINGS",
    "WAYBILL_ICONIK_URL",
    "WAYBILL_PRESERVICA_SECRET",
    "WAYBILL_PRESERVICA_SETTINGS",
    "WAYBILL_PRESERVICA_URL",
    "WAYBILL_LINK_ADDRESS",
    "WAYBILL_REPORT_BUCKET",
}


@functools.cache
def metrics():
    """The names of the metrics that a function counts."""
    sources = (SHARED / "batch" / "metrics.rs", SHARED / "reconcile" / "comparison.rs")
    found = {name for source in sources for name in re.findall(r'metric\("(\w+)"', source.read_text())}
    sources = [*SHARED.rglob("*.rs"), *SHARED.parents[1].glob("functions/*/src/**/*.rs")]
    figure = re.compile(r'Figure(?:::count\(\s*|\s*\{\s*name: )"(\w+)"')
    return found | {name for source in sources for name in figure.findall(source.read_text())}


class Unknown(Exception):
    """A value that cannot be told from the template alone."""


class Template:
    def __init__(self, tree, path="infra/template.yaml"):
        self.tree = tree
        self.to_root = "/".join([".."] * str(path).rpartition("infra/")[2].count("/") + [".."])
        self.resources = tree.get("Resources", {})
        self.parameters = tree.get("Parameters", {})
        self.found = []

    def refuse(self, rule, resource, remedy):
        self.found.append((rule, resource, remedy))

    def of_type(self, kind):
        return [(name, entry.get("Properties", {})) for name, entry in self.resources.items() if entry["Type"] == kind]

    # --- values ---------------------------------------------------------------------------------------------------

    def asked(self, value):
        """The parameters that a value depends on."""
        if isinstance(value, dict):
            if isinstance(value.get("Ref"), str) and value["Ref"] in self.parameters:
                yield value["Ref"]
            for inner in value.values():
                yield from self.asked(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from self.asked(inner)

    def choices(self, name):
        parameter = self.parameters[name]
        bounds = [parameter[key] for key in ("MinValue", "MaxValue") if key in parameter]
        return parameter.get("AllowedValues") or bounds + [value for value in [parameter.get("Default")] if value is not None]

    def resolve(self, value, chosen):
        if isinstance(value, dict):
            if "Ref" in value and value["Ref"] in chosen:
                choice = chosen[value["Ref"]]
                number = self.parameters[value["Ref"]]["Type"] == "Number"
                return int(choice) if number else choice
            if "Fn::FindInMap" in value:
                keys = [str(self.resolve(key, chosen)) for key in value["Fn::FindInMap"]]
                found = at(self.tree.get("Mappings", {}), ".".join(keys))
                if found is None:
                    raise Unknown(f"the mapping has no {' / '.join(keys)}")
                return found
            raise Unknown(f"{next(iter(value))} cannot be worked out here")
        return value

    def cases(self, *values):
        """Each combination of the parameters' values, worked out: one tuple per case."""
        names = sorted(set(itertools.chain.from_iterable(self.asked(value) for value in values)))
        for combination in itertools.product(*(self.choices(name) for name in names)):
            chosen = dict(zip(names, combination))
            yield tuple(self.resolve(value, chosen) for value in values)

    # --- rules ----------------------------------------------------------------------------------------------------

    def types(self):
        for kind, paths in INTEGERS.items():
            for name, properties in self.of_type(kind):
                self.integers(name, properties, paths)
        for name, properties in self.of_type("AWS::Serverless::Function"):
            for event in properties.get("Events", {}).values():
                if event.get("Type") == "SQS":
                    self.integers(name, event.get("Properties", {}), EVENT_INTEGERS)
        for kind, paths in BOOLEANS.items():
            for name, properties in self.of_type(kind):
                for path in paths:
                    if at(properties, path) is not True:
                        self.refuse("guarded", name, f"{path} must be true")

    def integers(self, name, properties, paths):
        for path in paths:
            value = at(properties, path)
            if value is None:
                continue
            try:
                wrong = [case for (case,) in self.cases(value) if type(case) is not int and not isinstance(case, int)]
            except Unknown as reason:
                wrong = [reason]
            if wrong or isinstance(value, bool):
                self.refuse("type", name, f"{path} must be a whole number, not {wrong[0] if wrong else value!r}")

    def functions(self):
        roles, groups = [], []
        for name, properties in self.of_type("AWS::Serverless::Function"):
            properties = {**at(self.tree, "Globals.Function"), **properties}
            expected = f"{self.to_root}/target/lambda/{flow_name(name)}/"
            if properties.get("CodeUri") != expected:
                self.refuse("code", name, f"CodeUri must be {expected}")
            if (properties.get("Runtime"), properties.get("Handler")) != ("provided.al2023", "bootstrap"):
                self.refuse("code", name, "Runtime must be provided.al2023 and Handler bootstrap")
            roles.append(self.own(name, "role", target_of(properties.get("Role")), "AWS::IAM::Role", roles))
            group = target_of(at(properties, "LoggingConfig.LogGroup"))
            groups.append(self.own(name, "log-group", group, "AWS::Logs::LogGroup", groups))
            self.sources(name, properties)
            if self.resources.get(roles[-1]):
                self.ledger_rights(name, roles[-1])
        for name, properties in self.of_type("AWS::Logs::LogGroup"):
            if "RetentionInDays" not in properties:
                self.refuse("log-group", name, "RetentionInDays is needed, or logs are kept and paid for ever")

    def own(self, name, rule, found, kind, taken):
        if at(self.resources, f"{found}.Type") != kind:
            self.refuse(rule, name, f"needs an {kind} of its own in this template")
        elif found in taken:
            self.refuse(rule, name, f"shares {found} with another function: give it its own")
        return found

    def has_door(self, name):
        """Whether an HTTP API of this template leads to the function."""
        return any(target_of(door.get("IntegrationUri")) == name for _, door in self.of_type("AWS::ApiGatewayV2::Integration"))

    def doors(self):
        for name, properties in self.of_type("AWS::ApiGatewayV2::Stage"):
            for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
                value = at(properties, f"DefaultRouteSettings.{limit}")
                if value is None or any(not isinstance(case, int) for (case,) in self.known(name, "throttled", value)):
                    self.refuse("throttled", name, f"DefaultRouteSettings.{limit} must be a number, or one visitor keeps out the rest")
            logged = at(properties, "AccessLogSettings.Format") or ""
            for secret in ("$context.path", "$context.http.path", "sourceIp", "$context.authorizer"):
                if secret in str(logged):
                    self.refuse("door-log", name, f"{secret} in the access log: paths hold secrets, the rest is about people")
        for name, properties in self.of_type("AWS::Serverless::Function"):
            if self.has_door(name):
                for (timeout,) in self.known(name, "throttled", properties.get("Timeout", 3)):
                    if isinstance(timeout, int) and timeout > LONGEST_ANSWER:
                        self.refuse("throttled", name, f"Timeout is over the {LONGEST_ANSWER} s that an HTTP API waits")

    def sources(self, name, properties):
        events = [event for event in properties.get("Events", {}).values() if event.get("Type") == "SQS"]
        started = any(event.get("Type") in STARTERS for event in properties.get("Events", {}).values())
        if not events and not started and not self.has_door(name):
            self.refuse("queue", name, "a flow is fed by a queue: add an SQS event")
        for event in events:
            source = event.get("Properties", {})
            if "ReportBatchItemFailures" not in as_list(source.get("FunctionResponseTypes")):
                self.refuse("partial-responses", name, "FunctionResponseTypes must have ReportBatchItemFailures")
            concurrency = at(source, "ScalingConfig.MaximumConcurrency")
            if concurrency is None:
                self.refuse("concurrency", name, "ScalingConfig.MaximumConcurrency is needed, or the target is drowned")
            else:
                for (case,) in self.known(name, "concurrency", concurrency):
                    if not isinstance(case, int) or not 2 <= case <= 1000:
                        self.refuse("concurrency", name, f"MaximumConcurrency must be 2 to 1000, not {case}")
            queue = target_of(source.get("Queue"))
            if at(self.resources, f"{queue}.Type") != "AWS::SQS::Queue":
                self.refuse("queue", name, "its queue must be in this template")
                continue
            waiting = self.resources[queue].get("Properties", {})
            self.visibility(queue, waiting, source, properties)
            self.dead_letters(queue, waiting)

    def known(self, name, rule, *values):
        try:
            return list(self.cases(*values))
        except Unknown as reason:
            self.refuse(rule, name, f"cannot be checked: {reason}")
            return []

    def visibility(self, queue, waiting, source, properties):
        values = (waiting.get("VisibilityTimeout", 30), source.get("MaximumBatchingWindowInSeconds", 0), properties.get("Timeout", 3))
        for visible, window, timeout in self.known(queue, "visibility", *values):
            if not all(isinstance(value, int) for value in (visible, window, timeout)):
                continue  # the type rule has said so
            if visible < window + 6 * timeout:
                needed = window + 6 * timeout
                self.refuse("visibility", queue, f"{visible} s is under batching window {window} s + 6 x time-out {timeout} s = {needed} s")

    def dead_letters(self, queue, waiting):
        dead = target_of(at(waiting, "RedrivePolicy.deadLetterTargetArn"))
        if at(self.resources, f"{dead}.Type") != "AWS::SQS::Queue" or at(waiting, "RedrivePolicy.maxReceiveCount") is None:
            self.refuse("dead-letters", queue, "RedrivePolicy must name a dead-letter queue of this template and maxReceiveCount")
            return
        if at(self.resources, f"{dead}.Properties.MessageRetentionPeriod") != 14 * DAY:
            self.refuse("dead-letters", dead, f"MessageRetentionPeriod must be {14 * DAY}: dead letters wait for people")
        watching = [
            name
            for name, alarm in self.of_type("AWS::CloudWatch::Alarm")
            if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
            and any(target_of(dimension.get("Value")) == dead for dimension in alarm.get("Dimensions", []))
        ]
        if not watching:
            self.refuse("dead-letters", dead, "needs an alarm on ApproximateNumberOfMessagesVisible")

    def statements(self, role):
        for policy in as_list(at(self.resources, f"{role}.Properties.Policies") or []):
            yield from alternatives(at(policy, "PolicyDocument.Statement") or [])

    def ledger_rights(self, name, role):
        # Any flow may issue links; which ones it takes back is its own reference. What an object is called in another system is
        # noted by one flow and read by others.
        allowed = {f"{flow_name(name)}#*", "asset#*", "breaker#*", "link#*", "reference#*"}
        for statement in self.statements(role):
            if not any(str(action).startswith("dynamodb:") for action in as_list(statement.get("Action"))):
                continue
            keys = at(statement, "Condition.ForAllValues:StringLike.dynamodb:LeadingKeys")
            # Whoever compares the sides of other flows reads what they remember, and writes nothing of theirs.
            reads = set(as_list(statement.get("Action"))) <= {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
            if reads and keys and all(re.match(r"[a-z-]+#", str(key)) for key in as_list(keys)):
                continue
            # A narrower part of what is allowed is within it.
            is_within = lambda key: any(str(key).startswith(known.removesuffix("*")) for known in allowed)
            if not keys or not all(map(is_within, as_list(keys))):
                self.refuse("ledger", name, f"dynamodb:LeadingKeys must be there and stay within {', '.join(sorted(allowed))}")

    def rights(self):
        for name, _ in self.of_type("AWS::IAM::Role"):
            for statement in self.statements(name):
                self.right(name, statement)
        for kind in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy"):
            for name, properties in self.of_type(kind):
                for statement in alternatives(at(properties, "PolicyDocument.Statement") or []):
                    self.right(name, statement)
        for name, properties in self.of_type("AWS::KMS::Key"):
            for statement in alternatives(at(properties, "KeyPolicy.Statement") or []):
                # A key's own policy can only mean that key, and says so with *.
                self.right(name, {**statement, "Resource": "this key"})

    def right(self, name, statement):
        if statement.get("Effect") != "Allow":
            return
        where = f"statement {statement.get('Sid', '?')}"
        for unbounded in ("NotAction", "NotResource", "NotPrincipal"):
            if unbounded in statement:
                self.refuse("rights", name, f"{where}: {unbounded} allows what nobody listed")
        for action in as_list(statement.get("Action")):
            if "*" in str(action):
                self.refuse("rights", name, f"{where}: write out the actions of {action}")
        for resource in alternatives(statement.get("Resource")):
            text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else str(resource)
            text = text[0] if isinstance(text, list) else text
            # One * at the end, after the name of something of ours, as in ${IntakeBucket.Arn}/* or, for a bucket of the stack
            # beside which this one stands, arn:${AWS::Partition}:s3:::${QuarantineBucketName}/*, or its whole name
            bucket = r"(\$\{\w+BucketName\}|waybill-\$\{EnvironmentName\}-[a-z-]+-\$\{AWS::AccountId\}-\$\{AWS::Region\})"
            ours = re.match(rf"\$\{{\w+\.Arn\}}/|arn:\$\{{AWS::Partition\}}:s3:::{bucket}/", text)
            if text == "*" or "*" in text[:-1] or (text.endswith("*") and not ours):
                self.refuse("rights", name, f"{where}: {text} is wider than one thing of this template")
        principal = statement.get("Principal")
        if principal == "*" or at(principal, "AWS") == "*" or at(principal, "Service") == "*":
            self.refuse("rights", name, f"{where}: the principal is everybody")

    def guarded(self):
        for kind in KEPT:
            for name, _ in self.of_type(kind):
                entry = self.resources[name]
                if entry.get("DeletionPolicy") != "RetainExceptOnCreate" or entry.get("UpdateReplacePolicy") != "Retain":
                    self.refuse("kept", name, "DeletionPolicy RetainExceptOnCreate and UpdateReplacePolicy Retain are needed")
        only_tls = {
            target_of(target)
            for kind, key in (("AWS::S3::BucketPolicy", "Bucket"), ("AWS::SQS::QueuePolicy", "Queues"))
            for _, properties in self.of_type(kind)
            for target in as_list(properties.get(key))
            if any(denies_plain_http(entry) for entry in alternatives(at(properties, "PolicyDocument.Statement") or []))
        }
        for name, properties in self.of_type("AWS::S3::Bucket"):
            if name not in only_tls:
                self.refuse("guarded", name, "needs a bucket policy that denies requests without TLS")
            if at(properties, "VersioningConfiguration.Status") != "Enabled":
                self.refuse("guarded", name, "VersioningConfiguration must be Enabled")
            if "BucketEncryption" not in properties:
                self.refuse("guarded", name, "BucketEncryption is needed")
            rules = at(properties, "LifecycleConfiguration.Rules") or []
            days = [at(rule, "AbortIncompleteMultipartUpload.DaysAfterInitiation") for rule in rules]
            if not any(isinstance(value, int) and value <= 7 for value in days):
                self.refuse("guarded", name, "unfinished multipart uploads must be aborted within 7 days")
        for name, properties in self.of_type("AWS::SQS::Queue"):
            if "SqsManagedSseEnabled" not in properties and "KmsMasterKeyId" not in properties:
                self.refuse("guarded", name, "SqsManagedSseEnabled or KmsMasterKeyId is needed")

    def contract(self):
        """What the template says to a function and reads from it is what the function knows."""
        for name, properties in self.of_type("AWS::Serverless::Function"):
            given = {key for key in at(properties, "Environment.Variables") or {} if key.startswith("WAYBILL_")}
            others = WITHOUT_A_QUEUE if is_fed_by_a_queue(properties) else WITH_A_QUEUE
            needed = ITS_OWN.get(flow_name(name), settings() - LINKS - others)
            needed = needed - (OF_SOME_FLOWS - given)
            for key in sorted((given ^ needed) | (given - settings())):
                self.refuse("contract", name, f"{key} is {'unknown to the function' if key in given else 'not set'}")
        for name, properties in self.of_type("AWS::CloudWatch::Alarm"):
            stated = [properties, *(at(entry, "MetricStat.Metric") or {} for entry in properties.get("Metrics", []))]
            for metric in stated:
                if metric.get("Namespace") == "Waybill" and metric.get("MetricName") not in metrics():
                    self.refuse("contract", name, f"no function counts {metric.get('MetricName')}")
        for name, properties in self.of_type("AWS::CloudWatch::Dashboard"):
            try:
                widgets = json.loads(at(properties, "DashboardBody.Fn::Sub"))["widgets"]
            except (TypeError, ValueError) as error:
                self.refuse("contract", name, f"DashboardBody is not JSON: {error}")
                continue
            for metric in itertools.chain.from_iterable(widget["properties"]["metrics"] for widget in widgets):
                if metric[0] == "Waybill" and metric[1] not in metrics():
                    self.refuse("contract", name, f"no function counts {metric[1]}")

    def skips(self):
        """Whoever switches a finding of checkov off says why, for the people who read the template."""
        for name, entry in self.resources.items():
            for skip in as_list(at(entry, "Metadata.checkov.skip") or []):
                reason = skip.get("comment") if isinstance(skip, dict) else None
                if not isinstance(reason, str) or len(reason.split()) < 3:
                    finding = skip.get("id", "a finding") if isinstance(skip, dict) else skip
                    self.refuse("skip", name, f"{finding} is skipped without a reason: give one in `comment`")

    def check(self):
        self.contract()
        self.skips()
        self.types()
        self.functions()
        self.doors()
        self.rights()
        self.guarded()
        check_alarms(self)
        check_keys(self)
        return self.found


def denies_plain_http(statement):
    secure = at(statement, "Condition.Bool.aws:SecureTransport")
    return statement.get("Effect") == "Deny" and str(secure).lower() == "false"


def unexplained(text):
    """The lines of a template that skip a finding of checkov in a comment, without a reason after it."""
    comment = re.compile(r"checkov:skip=\s*[\w-]+\s*(?::\s*(.*))?$")
    found = ((number, comment.search(line)) for number, line in enumerate(text.splitlines(), 1))
    return [number for number, skip in found if skip and len((skip.group(1) or "").split()) < 3]


def main(paths):
    violations = 0
    for path in paths:
        tree = load(path)
        for line in unexplained(pathlib.Path(path).read_text()):
            violations += 1
            print(f"{path}:{line}: skip: a finding of checkov is skipped without a reason: write it after a colon")
        for rule, resource, remedy in Template(tree, path).check():
            violations += 1
            line = getattr(tree["Resources"][resource], "start_mark", None)
            print(f"{path}:{line.line + 1 if line else '?'}: {rule}: {resource}: {remedy}")
    print(f"our rules: {violations} violation(s) in {len(paths)} template(s)")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["infra/template.yaml"]))
