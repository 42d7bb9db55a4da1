"""The facts of what a CloudFormation template would deploy."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.infrastructure.cfn_values import Deployed, Template
from tests.infrastructure.parity import Facts, definition, document, number


def facts(template: Template) -> Facts:
    """Return every resource of a template; an unknown kind is an error."""
    resources = template.resources()
    found: Facts = {}
    for each in resources:
        if each.type in _PARTS:
            continue
        kind, whole = _WHOLES[each.type]
        name, given = whole(resources, each)
        found[kind, name] = given
    return found


def _parts(
    resources: list[Deployed], kind: str, property_name: str, value: str
) -> Iterator[Mapping[str, Any]]:
    for each in resources:
        held = each.properties.get(property_name)
        if each.type == kind and (held == value or (isinstance(held, list) and value in held)):
            yield each.properties


def _part(resources: list[Deployed], kind: str, property_name: str, value: str) -> Mapping[str, Any]:
    return next(_parts(resources, kind, property_name, value), {})


def _bucket(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:
    values = each.properties
    name = values["BucketName"]
    (rule,) = values["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = rule["ServerSideEncryptionByDefault"]
    closed = values["PublicAccessBlockConfiguration"]
    logging = values.get("LoggingConfiguration", {})
    return name, {
        "encryption": [default["SSEAlgorithm"], default.get("KMSMasterKeyID")],
        "bucket key": rule.get("BucketKeyEnabled", False),
        "versions": values["VersioningConfiguration"]["Status"],
        "public access": [
            closed.get(flag)
            for flag in ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        ],
        "ownership": values.get("OwnershipControls", {}).get("Rules", [{}])[0].get("ObjectOwnership"),
        "policy": _part(resources, "AWS::S3::BucketPolicy", "Bucket", name).get("PolicyDocument"),
        "access logs": [logging.get("DestinationBucketName"), logging.get("LogFilePrefix")],
        "lifecycle": [_rule(rule) for rule in values.get("LifecycleConfiguration", {}).get("Rules", [])],
        "events": [
            [event["Event"], event["Queue"]]
            for event in values.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
        ],
        "kept": each.kept,
    }


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": rule["Id"],
        "status": rule["Status"],
        "prefix": rule.get("Prefix", ""),
        "tiers": [[each["TransitionInDays"], each["StorageClass"]] for each in rule.get("Transitions", [])],
        "noncurrent tiers": [
            [each["TransitionInDays"], each["StorageClass"]]
            for each in rule.get("NoncurrentVersionTransitions", [])
        ],
        "expiration": rule.get("ExpirationInDays"),
        "noncurrent expiration": rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        "unfinished": rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    }


def _key(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:
    values = each.properties
    marker = f"«key {values['Description']}»"
    return values["Description"], {
        "policy": values["KeyPolicy"],
        "rotation": values["EnableKeyRotation"],
        "window": values["PendingWindowInDays"],
        "aliases": sorted(
            alias["AliasName"] for alias in _parts(resources, "AWS::KMS::Alias", "TargetKeyId", marker)
        ),
        "kept": each.kept,
    }


def _queue(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:
    values = each.properties
    url = f"https://sqs.eu-central-1.amazonaws.com/123456789012/{values['QueueName']}"
    return values["QueueName"], {
        "visibility": values.get("VisibilityTimeout", 30),
        "retention": values.get("MessageRetentionPeriod", 345600),
        "key": values.get("KmsMasterKeyId"),
        "key reuse": values.get("KmsDataKeyReusePeriodSeconds", 300),
        "redrive": values.get("RedrivePolicy"),
        "redrive allow": values.get("RedriveAllowPolicy"),
        "policy": _part(resources, "AWS::SQS::QueuePolicy", "Queues", url).get("PolicyDocument"),
    }


def _topic(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:
    name = each.properties["TopicName"]
    arn = f"arn:aws:sns:eu-central-1:123456789012:{name}"
    return name, {
        "key": each.properties.get("KmsMasterKeyId"),
        "policy": _part(resources, "AWS::SNS::TopicPolicy", "Topics", arn).get("PolicyDocument"),
        "subscriptions": sorted(
            [one["Protocol"], one["Endpoint"]]
            for one in _parts(resources, "AWS::SNS::Subscription", "TopicArn", arn)
        ),
    }


def _schema(keys: list[dict[str, str]]) -> list[str | None]:
    by_type = {each["KeyType"]: each["AttributeName"] for each in keys}
    return [by_type["HASH"], by_type.get("RANGE")]


def _table(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    sse = values.get("SSESpecification", {})
    return values["TableName"], {
        "billing": values["BillingMode"],
        "key": _schema(values["KeySchema"]),
        "attributes": {one["AttributeName"]: one["AttributeType"] for one in values["AttributeDefinitions"]},
        "indexes": {
            one["IndexName"]: [*_schema(one["KeySchema"]), one["Projection"]["ProjectionType"]]
            for one in values.get("GlobalSecondaryIndexes", [])
        },
        "point in time": values.get("PointInTimeRecoverySpecification", {}).get(
            "PointInTimeRecoveryEnabled", False
        ),
        "encryption": [sse.get("SSEEnabled", False), sse.get("KMSMasterKeyId")],
        "kept": each.kept,
    }


def _secret(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    made = values["GenerateSecretString"]
    left = "" if made["ExcludeUppercase"] else string.ascii_uppercase
    left += (
        string.digits + string.ascii_lowercase + ("" if made["ExcludePunctuation"] else string.punctuation)
    )
    return values["Name"], {
        "description": values["Description"],
        "key": values["KmsKeyId"],
        "length": made["PasswordLength"],
        "alphabet": "".join(sign for sign in left if sign not in made["ExcludeCharacters"]),
        "kept": each.kept,
    }


def _role(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    return values["RoleName"], {
        "trust": values["AssumeRolePolicyDocument"],
        "policies": {one["PolicyName"]: one["PolicyDocument"] for one in values.get("Policies", [])},
        "managed": sorted(values.get("ManagedPolicyArns", [])),
    }


def _log_group(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    return values["LogGroupName"], {"retention": values["RetentionInDays"], "key": values.get("KmsKeyId")}


def _function(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    vpc = values.get("VpcConfig", {})
    return values["FunctionName"], {
        "description": values["Description"],
        "role": values["Role"],
        "runtime": values["Runtime"],
        "architectures": values["Architectures"],
        "handler": values["Handler"],
        "code": values["Code"]["ZipFile"],
        "own file": True,
        "layers": values["Layers"],
        "memory": values["MemorySize"],
        "timeout": values["Timeout"],
        "environment": {name: str(value) for name, value in values["Environment"]["Variables"].items()},
        "vpc": [vpc.get("SubnetIds", []), vpc.get("SecurityGroupIds", [])],
        "concurrency": values.get("ReservedConcurrentExecutions"),
    }


def _machine(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    text = values["DefinitionString"]
    for name, value in values["DefinitionSubstitutions"].items():
        text = text.replace(f"${{{name}}}", str(value))
    logging = values["LoggingConfiguration"]
    (destination,) = logging["Destinations"]
    sealed = values.get("EncryptionConfiguration", {})
    return values["StateMachineName"], {
        "type": values["StateMachineType"],
        "role": values["RoleArn"],
        "definition": definition(text),
        "logs": [
            logging["Level"],
            logging["IncludeExecutionData"],
            destination["CloudWatchLogsLogGroup"]["LogGroupArn"],
        ],
        "encryption": [
            sealed.get("Type"),
            sealed.get("KmsKeyId"),
            sealed.get("KmsDataKeyReusePeriodSeconds"),
        ],
    }


def _trigger(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    return f"{values['EventSourceArn']} -> {values['FunctionName']}", {
        "batch": values["BatchSize"],
        "answers": values["FunctionResponseTypes"],
        "concurrency": number(values.get("ScalingConfig", {}).get("MaximumConcurrency")),
    }


def _event_rule(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    return values["Name"], {
        "description": values.get("Description"),
        "pattern": values.get("EventPattern"),
        "targets": sorted([one["Id"], one["Arn"]] for one in values["Targets"]),
    }


def _permission(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    return f"{values['Principal']} -> {values['FunctionName']}", {
        "action": values["Action"],
        "account": values.get("SourceAccount"),
        "source": values.get("SourceArn"),
    }


def _alarm(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = each.properties
    return values["AlarmName"], {
        "metric": [values["Namespace"], values["MetricName"], values["Statistic"]],
        "dimensions": {one["Name"]: one["Value"] for one in values["Dimensions"]},
        "when": [
            values["ComparisonOperator"],
            values["Threshold"],
            values["Period"],
            values["EvaluationPeriods"],
            values["TreatMissingData"],
        ],
        "tells": values.get("AlarmActions", []),
    }


def _dashboard(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    return each.properties["DashboardName"], {"body": document(each.properties["DashboardBody"])}


def _api(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:
    name = each.properties["Name"]

    def parts(kind: str) -> list[Mapping[str, Any]]:
        return list(_parts(resources, f"AWS::ApiGatewayV2::{kind}", "ApiId", f"«api {name}»"))

    return name, {
        "protocol": each.properties["ProtocolType"],
        "cors": _lower(each.properties.get("CorsConfiguration", {})),
        "integrations": [
            [
                one["IntegrationType"],
                one["IntegrationUri"],
                one["PayloadFormatVersion"],
                one["TimeoutInMillis"],
            ]
            for one in parts("Integration")
        ],
        "authorizers": [
            [one["Name"], one["AuthorizerType"], one["IdentitySource"], _lower(one["JwtConfiguration"])]
            for one in parts("Authorizer")
        ],
        "routes": [
            [one["RouteKey"], one["AuthorizationType"], bool(one.get("AuthorizerId"))]
            for one in parts("Route")
        ],
        "stages": [
            {
                "name": one["StageName"],
                "deploys": one["AutoDeploy"],
                "throttles": _lower(one["DefaultRouteSettings"]),
                # API Gateway takes the group's ARN with and without its :*.
                "log": one["AccessLogSettings"]["DestinationArn"].removesuffix(":*"),
                "format": document(one["AccessLogSettings"]["Format"]),
            }
            for one in parts("Stage")
        ],
    }


def _lower(values: Mapping[str, Any]) -> dict[str, Any]:
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in values.items()}


def _datastore(resources: list[Deployed], each: Deployed) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as above
    return each.type, {"properties": each.properties, "kept": each.kept}


_WHOLES: dict[str, tuple[str, Callable[[list[Deployed], Deployed], tuple[str, dict[str, Any]]]]] = {
    "AWS::ApiGatewayV2::Api": ("api", _api),
    "AWS::CloudWatch::Alarm": ("alarm", _alarm),
    "AWS::CloudWatch::Dashboard": ("dashboard", _dashboard),
    "AWS::DynamoDB::Table": ("table", _table),
    "AWS::Events::Rule": ("rule", _event_rule),
    "AWS::HealthImaging::Datastore": ("other", _datastore),
    "AWS::IAM::Role": ("role", _role),
    "AWS::KMS::Key": ("key", _key),
    "AWS::Lambda::EventSourceMapping": ("trigger", _trigger),
    "AWS::Lambda::Function": ("function", _function),
    "AWS::Lambda::Permission": ("permission", _permission),
    "AWS::Logs::LogGroup": ("log group", _log_group),
    "AWS::S3::Bucket": ("bucket", _bucket),
    "AWS::SNS::Topic": ("topic", _topic),
    "AWS::SQS::Queue": ("queue", _queue),
    "AWS::SecretsManager::Secret": ("secret", _secret),
    "AWS::StepFunctions::StateMachine": ("state machine", _machine),
}
# Looked at with the resource that they are a part of.
_PARTS = frozenset(
    {
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::KMS::Alias",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)
