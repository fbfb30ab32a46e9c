"""Breaks the real template in every way that `check_template.py` must refuse, one at a time.

    .venv/lint/bin/python infra/check_template_test.py
"""

import copy
import pathlib
import unittest

from cfnlint.decode.cfn_yaml import load

from alarm_rules import BESIDES
from check_template import Template, unexplained
from key_rules import KEYED

FLOWS = sorted(pathlib.Path(__file__).with_name("flows").glob("*.yaml"))
TREE = load(str(pathlib.Path(__file__).with_name("template.yaml")))
FUNCTION = "Resources.IngestUploads.Properties"
EVENT = f"{FUNCTION}.Events.Messages.Properties"
QUEUE = "Resources.IngestUploadsQueue.Properties"
DEAD = "Resources.IngestUploadsDeadLetterQueue.Properties"
ROLE = "Resources.IngestUploadsRole.Properties.Policies.0.PolicyDocument.Statement"
ALARM = "Resources.IngestUploadsDeadLettersAlarm.Properties"
BUCKET = "Resources.IntakeBucket.Properties"
# A function behind an HTTP API.
LINKS = load(str(pathlib.Path(__file__).with_name("flows") / "serve-links.yaml"))
LINKS_PATH = "infra/flows/serve-links.yaml"
STAGE = "Resources.ServeLinksStage.Properties"
LINKS_ROLE = "Resources.ServeLinksRole.Properties.Policies.0.PolicyDocument.Statement"
LINKS_SETTINGS = "Resources.ServeLinks.Properties.Environment.Variables"
# A public door that tells flows and has a secret of its own.
RECEIVE = load(str(pathlib.Path(__file__).with_name("flows") / "receive-iconik.yaml"))
RECEIVE_PATH = "infra/flows/receive-iconik.yaml"
RECEIVE_ROLE = "Resources.ReceiveIconikRole.Properties.Policies.0.PolicyDocument.Statement"
# A flow that stands beside the first, under the first one's key.
STAGE_ATTACHMENTS = load(str(pathlib.Path(__file__).with_name("flows") / "stage-attachments.yaml"))
STAGE_ATTACHMENTS_PATH = "infra/flows/stage-attachments.yaml"
STAGED = "Resources.StagingBucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault"
TABLE_KEY = "Resources.Ledger.Properties.SSESpecification"
KEY_POLICY = "Resources.EncryptionKey.Properties.KeyPolicy.Statement"
BUCKET_KEY = f"{BUCKET}.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault"
OWN_KEY = {"Fn::GetAtt": ["EncryptionKey", "Arn"]}
NOTHING = {"Ref": "AWS::NoValue"}
GONE = object()

# what a careless change does, where, the new value, the rule that must refuse it
BROKEN = [
    ("a batch size in words", f"{EVENT}.BatchSize", "ten", "type"),
    ("a batch size in quotes", f"{EVENT}.BatchSize", "10", "type"),
    ("memory that is a truth", f"{FUNCTION}.MemorySize", True, "type"),
    ("a retention from nowhere", "Resources.IngestUploadsLogGroup.Properties.RetentionInDays", {"Fn::ImportValue": "x"}, "type"),
    ("receives in words", f"{QUEUE}.RedrivePolicy.maxReceiveCount", "many", "type"),
    ("a longer time-out, the queue forgotten", "Mappings.Timing.900.Function", 901, "visibility"),
    ("a batching window, the queue forgotten", "Mappings.Timing.10.BatchingWindow", 5, "visibility"),
    ("a visibility of its own", f"{QUEUE}.VisibilityTimeout", 300, "visibility"),
    ("the default visibility", f"{QUEUE}.VisibilityTimeout", GONE, "visibility"),
    ("a row missing", "Mappings.Timing.60", GONE, "visibility"),
    ("no partial responses", f"{EVENT}.FunctionResponseTypes", GONE, "partial-responses"),
    ("partial responses misspelt", f"{EVENT}.FunctionResponseTypes", ["ReportBatchItemFailure"], "partial-responses"),
    ("no dead-letter queue", f"{QUEUE}.RedrivePolicy", GONE, "dead-letters"),
    ("a dead-letter queue from elsewhere", f"{QUEUE}.RedrivePolicy.deadLetterTargetArn", "arn:aws:sqs:x:1:y", "dead-letters"),
    ("no bound on receives", f"{QUEUE}.RedrivePolicy.maxReceiveCount", GONE, "dead-letters"),
    ("dead letters that expire", f"{DEAD}.MessageRetentionPeriod", 3600, "dead-letters"),
    ("dead letters nobody watches", "Resources.IngestUploadsDeadLettersAlarm", GONE, "dead-letters"),
    ("an alarm on the wrong queue", f"{ALARM}.Dimensions.0.Value", {"Fn::GetAtt": ["IngestUploadsQueue", "QueueName"]}, "dead-letters"),
    ("an alarm on the wrong metric", f"{ALARM}.MetricName", "NumberOfMessagesSent", "dead-letters"),
    ("no bound on concurrency", f"{EVENT}.ScalingConfig", GONE, "concurrency"),
    ("concurrency that AWS refuses", "Mappings.Concurrency.5.Instances", 1, "concurrency"),
    ("a function without a queue", f"{FUNCTION}.Events", {}, "queue"),
    ("a queue of another template", f"{EVENT}.Queue", "arn:aws:sqs:x:1:y", "queue"),
    ("an action with a star", f"{ROLE}.0.Action", ["sqs:*"], "rights"),
    ("every resource", f"{ROLE}.0.Resource", "*", "rights"),
    ("every bucket", f"{ROLE}.4.Resource", "arn:aws:s3:::*/*", "rights"),
    ("every secret", f"{ROLE}.9.Resource", {"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:*:*:secret:*"}, "rights"),
    ("all but a few actions", f"{ROLE}.0.NotAction", ["iam:PassRole"], "rights"),
    ("a queue open to everybody", "Resources.IngestUploadsQueuePolicy.Properties.PolicyDocument.Statement.1.Fn::If.1.Principal", "*", "rights"),
    ("a key with every action", "Resources.EncryptionKey.Properties.KeyPolicy.Statement.0.Action", ["kms:*"], "rights"),
    ("the whole ledger", f"{ROLE}.2.Condition", GONE, "ledger"),
    ("another flow's part of the ledger", f"{ROLE}.2.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys", ["publish-finals#*"], "ledger"),
    ("artefacts from elsewhere", f"{FUNCTION}.CodeUri", "../target/release/", "code"),
    ("another handler", f"{FUNCTION}.Handler", "index.handler", "code"),
    ("a role from outside", f"{FUNCTION}.Role", "arn:aws:iam::1:role/admin", "role"),
    ("no role, so that SAM makes one up", f"{FUNCTION}.Role", GONE, "role"),
    ("no log group, so that Lambda makes one up", f"{FUNCTION}.LoggingConfig", GONE, "log-group"),
    ("logs for ever", "Resources.IngestUploadsLogGroup.Properties.RetentionInDays", GONE, "log-group"),
    ("a table that goes with the stack", "Resources.Ledger.DeletionPolicy", "Delete", "kept"),
    ("a bucket that a rename deletes", "Resources.IntakeBucket.UpdateReplacePolicy", GONE, "kept"),
    ("a public bucket", f"{BUCKET}.PublicAccessBlockConfiguration.BlockPublicPolicy", False, "guarded"),
    ("a truth in quotes", f"{BUCKET}.PublicAccessBlockConfiguration.BlockPublicAcls", "true", "guarded"),
    ("no versions", f"{BUCKET}.VersioningConfiguration", GONE, "guarded"),
    ("a bucket in the clear", f"{BUCKET}.BucketEncryption", GONE, "guarded"),
    ("parts of uploads for ever", f"{BUCKET}.LifecycleConfiguration", GONE, "guarded"),
    ("requests in the clear", "Resources.IntakeBucketPolicy", GONE, "guarded"),
    ("a queue in the clear", f"{DEAD}.SqsManagedSseEnabled,KmsMasterKeyId", GONE, "guarded"),
    ("a setting nobody reads", f"{FUNCTION}.Environment.Variables.WAYBILL_TABEL", "x", "contract"),
    ("a setting of another function", f"{FUNCTION}.Environment.Variables.WAYBILL_LINK_WINDOW_MINUTES", "60", "contract"),
    ("a setting forgotten", f"{FUNCTION}.Environment.Variables.WAYBILL_TABLE", GONE, "contract"),
    ("an alarm on a metric nobody counts", "Resources.IngestUploadsBreakerAlarm.Properties.MetricName", "BreakerOpened", "contract"),
    ("a ratio of what nobody counts", "Resources.IngestUploadsRepeatedRunsAlarm.Properties.Metrics.1.MetricStat.Metric.MetricName", "Run", "contract"),
    ("a dashboard that is cut off", "Resources.Dashboard.Properties.DashboardBody.Fn::Sub", '{"widgets": [', "contract"),
    (
        "a dashboard of what nobody counts",
        "Resources.Dashboard.Properties.DashboardBody.Fn::Sub",
        '{"widgets": [{"properties": {"metrics": [["Waybill", "Deliverd"]]}}]}',
        "contract",
    ),
    ("a finding skipped without a reason", "Resources.IngestUploads.Metadata.checkov.skip.0.comment", GONE, "skip"),
    ("a finding skipped with an empty reason", "Resources.IngestUploads.Metadata.checkov.skip.1.comment", "  ", "skip"),
    ("a finding skipped because", "Resources.IngestUploads.Metadata.checkov.skip.0.comment", "not needed", "skip"),
    ("no way back in time", "Resources.Ledger.Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", False, "guarded"),
    ("uploads that wait unseen", "Resources.IngestUploadsOldestMessageAlarm", GONE, "alarm"),
    ("invocations that fail unseen", "Resources.IngestUploadsErrorsAlarm", GONE, "alarm"),
    ("an account without room, unseen", "Resources.IngestUploadsThrottlesAlarm", GONE, "alarm"),
    ("a Content Server that is away, unseen", "Resources.IngestUploadsBreakerAlarm", GONE, "alarm"),
    ("uploads put aside unseen", "Resources.IngestUploadsQuarantinedAlarm", GONE, "alarm"),
    ("a set-up that is wrong, unseen", "Resources.IngestUploadsConfigurationAlarm", GONE, "alarm"),
    ("work that is done twice unseen", "Resources.IngestUploadsRepeatedRunsAlarm", GONE, "alarm"),
    ("an alarm about another flow", "Resources.IngestUploadsQuarantinedAlarm.Properties.Dimensions.1.Value", "publish-finals", "alarm"),
    ("an alarm about the dead letters' age", "Resources.IngestUploadsOldestMessageAlarm.Properties.Dimensions.0.Value", {"Fn::GetAtt": ["IngestUploadsDeadLetterQueue", "QueueName"]}, "alarm"),
    ("an alarm that is there by chance", "Resources.IngestUploadsErrorsAlarm.Condition", "RepeatedRuns", "alarm"),
    ("an alarm nobody is told of", f"{ALARM}.AlarmActions", GONE, "alarm"),
    ("an alarm that tells another topic", f"{ALARM}.AlarmActions", ["arn:aws:sns:x:1:y"], "alarm"),
    ("an alarm that is switched off", f"{ALARM}.ActionsEnabled", False, "alarm"),
    ("a table under another key", TABLE_KEY, GONE, "key"),
    ("a table whose key is switched off", f"{TABLE_KEY}.Fn::If.1.SSEEnabled", False, "key"),
    ("a table that never asks", TABLE_KEY, {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": OWN_KEY}, "key"),
    ("a bucket under another key", BUCKET_KEY, {"SSEAlgorithm": "AES256"}, "key"),
    ("a bucket under AWS's key", f"{BUCKET_KEY}.Fn::If.1.KMSMasterKeyID", GONE, "key"),
    ("a bucket whose key is not used", f"{BUCKET_KEY}.Fn::If.1.SSEAlgorithm", "AES256", "key"),
    ("a queue under another key", f"{QUEUE}.KmsMasterKeyId", GONE, "key"),
    ("dead letters under another key", f"{DEAD}.KmsMasterKeyId", "alias/aws/sqs", "key"),
    ("a queue that is told two ways", f"{QUEUE}.SqsManagedSseEnabled", True, "key"),
    ("logs under another key", "Resources.IngestUploadsLogGroup.Properties.KmsKeyId", GONE, "key"),
    ("a secret under another key", "Resources.ContentServerSecret.Properties.KmsKeyId", GONE, "key"),
    ("a secret under a key of somebody", "Resources.ContentServerSecret.Properties.KmsKeyId.Fn::If.1", {"Ref": "ContentServerSecretKeyArn"}, "key"),
    ("a secret that asks something else", "Resources.ContentServerSecret.Properties.KmsKeyId.Fn::If.0", "SecretKey", "key"),
    ("a secret that asks the wrong way round", "Resources.ContentServerSecret.Properties.KmsKeyId", {"Fn::If": ["CustomerKey", NOTHING, OWN_KEY]}, "key"),
    ("settings under another key", f"{FUNCTION}.KmsKeyArn", GONE, "key"),
    ("a condition that never holds", "Conditions.CustomerKey", {"Fn::Equals": [{"Ref": "Encryption"}, "customer"]}, "key"),
    ("a function without a right to the key", f"{ROLE}.12.Fn::If.1.Action", ["kms:Encrypt"], "key"),
    ("a right to another key", f"{ROLE}.12.Fn::If.1.Resource", {"Ref": "ContentServerSecretKeyArn"}, "key"),
    ("notifications that do not arrive", f"{KEY_POLICY}.1.Principal.Service", ["events.amazonaws.com"], "key"),
    ("alarms that do not arrive", f"{KEY_POLICY}.3.Action", ["kms:Decrypt"], "key"),
    ("logs that cannot be encrypted", f"{KEY_POLICY}.2.Condition.ArnLike.kms:EncryptionContext:aws:logs:arn", GONE, "key"),
    ("logs by a name the key does not know", "Resources.IngestUploadsLogGroup.Properties.LogGroupName", {"Fn::Sub": "/waybill/${EnvironmentName}"}, "key"),
]

BROKEN_STAGES = [
    ("uploads put aside unseen", "Resources.StageAttachmentsQuarantinedAlarm", GONE, "alarm"),
    ("a bucket under another key", STAGED, {"SSEAlgorithm": "AES256"}, "key"),
    ("a bucket under a key of its own", f"{STAGED}.Fn::If.1.KMSMasterKeyID", {"Ref": "ContentServerSecretKeyArn"}, "key"),
    ("a queue under another key", "Resources.StageAttachmentsQueue.Properties.KmsMasterKeyId", GONE, "key"),
    ("a condition the wrong way round", "Conditions.CustomerKey", {"Fn::Equals": [{"Ref": "EncryptionKeyArn"}, ""]}, "key"),
]

BROKEN_DOORS = [
    ("a door without a limit", f"{STAGE}.DefaultRouteSettings", GONE, "throttled"),
    ("a door without a limit on bursts", f"{STAGE}.DefaultRouteSettings.ThrottlingBurstLimit", GONE, "throttled"),
    ("a limit in words", f"{STAGE}.DefaultRouteSettings.ThrottlingRateLimit", "few", "throttled"),
    ("an answer nobody waits for", "Resources.ServeLinks.Properties.Timeout", 900, "throttled"),
    ("links in the access log", f"{STAGE}.AccessLogSettings.Format", '{"path":"$context.path"}', "door-log"),
    ("people in the access log", f"{STAGE}.AccessLogSettings.Format", '{"ip":"$context.identity.sourceIp"}', "door-log"),
    ("a function without a door", "Resources.ServeLinksIntegration", GONE, "queue"),
    ("a door to another function", "Resources.ServeLinksIntegration.Properties.IntegrationUri", "arn:aws:lambda:x:1:function:y", "queue"),
    ("every bucket of the installation", f"{LINKS_ROLE}.1.Resource", {"Fn::Sub": "arn:${AWS::Partition}:s3:::waybill-${EnvironmentName}-*/*"}, "rights"),
    ("every bucket with a name like ours", f"{LINKS_ROLE}.1.Resource", {"Fn::Sub": "arn:${AWS::Partition}:s3:::waybill-*"}, "rights"),
    ("a flow's part of the ledger", f"{LINKS_ROLE}.0.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys", ["ingest-uploads#*"], "ledger"),
    ("a setting of a flow", f"{LINKS_SETTINGS}.WAYBILL_QUEUE_URL", "x", "contract"),
    ("a setting of its own forgotten", f"{LINKS_SETTINGS}.WAYBILL_LINK_WINDOW_MINUTES", GONE, "contract"),
]

BROKEN_RECEIVERS = [
    ("a secret under another key", "Resources.ReceiveIconikSecret.Properties.KmsKeyId", GONE, "key"),
    ("an access log under another key", "Resources.ReceiveIconikAccessLogGroup.Properties.KmsKeyId", GONE, "key"),
    ("an access log by a name the key does not know", "Resources.ReceiveIconikAccessLogGroup.Properties.LogGroupName", {"Fn::Sub": "/aws/x/waybill"}, "key"),
    ("a secret that goes with the stack", "Resources.ReceiveIconikSecret.DeletionPolicy", "Delete", "kept"),
    ("a vendor's credentials at a public door", "Resources.ReceiveIconik.Properties.Environment.Variables.WAYBILL_CONTENT_SERVER_SECRET", "x", "contract"),
    ("no secret to know the sender by", "Resources.ReceiveIconik.Properties.Environment.Variables.WAYBILL_SIGNING_SECRET", GONE, "contract"),
    ("every secret", f"{RECEIVE_ROLE}.3.Resource", {"Fn::Sub": "arn:${AWS::Partition}:secretsmanager:*:*:secret:*"}, "rights"),
    ("another function's part of the ledger", f"{RECEIVE_ROLE}.1.Condition.ForAllValues:StringLike.dynamodb:LeadingKeys", ["watch-content-server#*"], "ledger"),
    ("a door without a limit", "Resources.ReceiveIconikStage.Properties.DefaultRouteSettings", GONE, "throttled"),
    ("paths in the access log", "Resources.ReceiveIconikStage.Properties.AccessLogSettings.Format", '{"path":"$context.path"}', "door-log"),
]


def broken(path, value, tree=TREE):
    tree = copy.deepcopy(tree)
    *steps, last = path.split(".")
    place = tree
    for step in steps:
        place = place[int(step) if isinstance(place, list) else step]
    for key in last.split(","):
        key = int(key) if isinstance(place, list) else key
        if value is GONE:
            del place[key]
        else:
            place[key] = value
    return tree


class TheTemplate(unittest.TestCase):
    def test_as_it_ships_breaks_no_rule(self):
        self.assertEqual(Template(copy.deepcopy(TREE)).check(), [])

    def test_broken_in_each_way_is_refused_by_the_rule_for_it(self):
        for what, path, value, rule in BROKEN:
            with self.subTest(what):
                found = {name for name, _, _ in Template(broken(path, value)).check()}
                self.assertIn(rule, found, f"{what}: nothing refused {path}")

    def test_with_a_door_as_it_ships_breaks_no_rule(self):
        self.assertEqual(Template(copy.deepcopy(LINKS), LINKS_PATH).check(), [])

    def test_with_a_door_broken_in_each_way_is_refused_by_the_rule_for_it(self):
        for what, path, value, rule in BROKEN_DOORS:
            with self.subTest(what):
                found = {name for name, _, _ in Template(broken(path, value, LINKS), LINKS_PATH).check()}
                self.assertIn(rule, found, f"{what}: nothing refused {path}")

    def test_that_tells_flows_as_it_ships_breaks_no_rule(self):
        self.assertEqual(Template(copy.deepcopy(RECEIVE), RECEIVE_PATH).check(), [])

    def test_that_tells_flows_broken_in_each_way_is_refused_by_the_rule_for_it(self):
        for what, path, value, rule in BROKEN_RECEIVERS:
            with self.subTest(what):
                found = {name for name, _, _ in Template(broken(path, value, RECEIVE), RECEIVE_PATH).check()}
                self.assertIn(rule, found, f"{what}: nothing refused {path}")

    def test_beside_the_first_broken_in_each_way_is_refused_by_the_rule_for_it(self):
        for what, path, value, rule in BROKEN_STAGES:
            with self.subTest(what):
                tree = broken(path, value, STAGE_ATTACHMENTS)
                found = {name for name, _, _ in Template(tree, STAGE_ATTACHMENTS_PATH).check()}
                self.assertIn(rule, found, f"{what}: nothing refused {path}")

    def test_of_each_flow_misses_every_alarm_and_every_key_that_is_taken_away(self):
        """A rule for one flow would leave the others out: each alarm and key of each stack is taken away once."""
        for path in FLOWS:
            tree = load(str(path))
            alarms = [f"Resources.{name}" for name, _ in Template(tree).of_type("AWS::CloudWatch::Alarm")]
            keys = [f"Resources.{name}.Properties.{where.split('.')[0]}" for kind, where in KEYED.items() for name, _ in Template(tree).of_type(kind)]
            for taken in alarms + keys:
                with self.subTest(path.stem, taken=taken):
                    found = Template(broken(taken, GONE, tree), f"infra/flows/{path.name}").check()
                    self.assertTrue({"alarm", "dead-letters", "key"} & {rule for rule, _, _ in found}, f"nobody misses {taken}")

    def test_alarms_that_only_some_flows_have_are_of_flows_that_are_there(self):
        self.assertEqual(BESIDES.keys() - {"ingest-uploads", *(path.stem for path in FLOWS)}, set())

    def test_two_flows_may_not_share_a_role_or_a_log_group(self):
        tree = copy.deepcopy(TREE)
        tree["Resources"]["OffloadContent"] = copy.deepcopy(tree["Resources"]["IngestUploads"])
        found = {(name, resource) for name, resource, _ in Template(tree).check()}
        self.assertIn(("role", "OffloadContent"), found)
        self.assertIn(("log-group", "OffloadContent"), found)
        self.assertIn(("code", "OffloadContent"), found)
        self.assertIn(("ledger", "OffloadContent"), found)

    def test_a_finding_skipped_in_a_comment_needs_its_reason_after_it(self):
        lines = ["  # checkov:skip=CKV_AWS_1", "  # checkov:skip=CKV_AWS_2:", "  # checkov:skip=CKV_AWS_3: a door of its own has that"]
        self.assertEqual(unexplained("\n".join(lines)), [1, 2])

    def test_every_rule_has_a_template_that_breaks_it(self):
        files = ("check_template.py", "alarm_rules.py", "key_rules.py")
        source = "".join(pathlib.Path(__file__).with_name(name).read_text() for name in files)
        named = {part.split('"')[1] for part in source.split(".refuse(")[1:] if part.startswith('"')}
        self.assertEqual(named - {rule for *_, rule in BROKEN + BROKEN_DOORS}, set())


if __name__ == "__main__":
    unittest.main()
