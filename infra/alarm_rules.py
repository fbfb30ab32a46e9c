"""Which alarms a template must have, so that nothing stops, waits or is put aside unseen."""

from template_tree import at, flow_name, is_fed_by_a_queue, target_of

# Whatever a function of a stack is started by. A schedule that is gone and a door that answers 5xx are no errors of a function.
OF_EVERY_FUNCTION = ("Errors",)
# Beside the one on dead letters, of which `check_template.py` has a rule. What is put aside is acknowledged: it is in no queue.
OF_EVERY_FLOW = (*OF_EVERY_FUNCTION, "ApproximateAgeOfOldestMessage", "Quarantined")
OF_A_SCHEDULE = (*OF_EVERY_FUNCTION, "Invocations")
OF_A_DOOR = (*OF_EVERY_FUNCTION, "5xx")
# What only some can tell. The room for instances is the account's, and Content Server's breaker is shared: one flow tells.
BESIDES = {
    "ingest-uploads": {"Throttles", "BreakerOpen", "ConfigurationFaults", "Runs"},
    "receive-iconik": {"Refused"},
    "reconcile": {"Missing", "Different"},
    "replicate-content": {"ReplicaLag", "ReplicaVerifiedAge", "ReplicaDamaged", "RestoreDifferences"},
    "serve-links": {"4xx"},
    "watch-content-server": {"Lag", "BreakerOpen"},
    "watch-iconik": {"Lag", "BreakerOpen", "WebhooksSilent", "ActionsFailing"},
}
# Alarms that an installation may do without: a parameter or the door that they are about switches them.
SWITCHED = {"ingest-uploads": {"Runs"}, "serve-links": {"4xx"}, "watch-content-server": {"BreakerOpen"}}
# Counted for the whole installation, because what is compared belongs to other flows.
OF_THE_INSTALLATION = {"Missing", "Different"}
TOLD = {"Fn::If": ["AlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}


def needed(template, name, function):
    """The metrics on which a function must have an alarm."""
    if is_fed_by_a_queue(function):
        base = OF_EVERY_FLOW
    elif template.has_door(name):
        base = OF_A_DOOR
    elif function.get("Events"):
        base = OF_A_SCHEDULE
    else:
        base = OF_EVERY_FUNCTION
    return {*base, *BESIDES.get(flow_name(name), ())}


def subjects(template, name, function):
    """What the dimensions of an alarm about a function name: it, its queue, its API, or its flow in words."""
    queues = {
        target_of(at(event, "Properties.Queue")) for event in function.get("Events", {}).values() if event.get("Type") == "SQS"
    }
    doors = {
        target_of(door.get("ApiId"))
        for _, door in template.of_type("AWS::ApiGatewayV2::Integration")
        if target_of(door.get("IntegrationUri")) == name
    }
    return {name, flow_name(name)} | queues | doors


def watched(template, name, function):
    """The metrics of which an alarm of the template tells, for a function."""
    about = subjects(template, name, function)
    for alarm_name, alarm in template.of_type("AWS::CloudWatch::Alarm"):
        for metric in [alarm, *(at(entry, "MetricStat.Metric") or {} for entry in alarm.get("Metrics", []))]:
            measured = metric.get("MetricName")
            values = [dimension.get("Value") for dimension in metric.get("Dimensions", [])]
            stated = {value if isinstance(value, str) else target_of(value) for value in values}
            is_there = "Condition" not in template.resources[alarm_name] or measured in SWITCHED.get(flow_name(name), ())
            if is_there and (stated & about or (measured in OF_THE_INSTALLATION and stated == {"EnvironmentName"})):
                yield measured


def check_alarms(template):
    for name, function in template.of_type("AWS::Serverless::Function"):
        found = set(watched(template, name, function))
        for metric in sorted(needed(template, name, function) - found):
            template.refuse("alarm", name, f"needs an alarm on {metric} that names it, its queue or its flow, and is always there")
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm"):
        if alarm.get("AlarmActions") != TOLD or alarm.get("ActionsEnabled", True) is not True:
            template.refuse("alarm", name, "AlarmActions must be the topic AlarmTopicArn when there is one: an alarm nobody is told of")
