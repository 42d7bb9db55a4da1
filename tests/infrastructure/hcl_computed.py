"""What AWS would answer for an attribute: made of names where names decide it, else a marker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.infrastructure.hcl_reading import Resource

PARTITION, REGION, ACCOUNT = "aws", "eu-central-1", "123456789012"
_PLACE = f"{REGION}:{ACCOUNT}"
_DATA = {
    ("aws_caller_identity", "account_id"): ACCOUNT,
    ("aws_partition", "partition"): PARTITION,
    ("aws_partition", "dns_suffix"): "amazonaws.com",
    ("aws_region", "region"): REGION,
}
# An ARN of each kind, of the attributes in braces.
_ARNS = {
    "aws_cloudwatch_event_rule": f"arn:aws:events:{_PLACE}:rule/{{name}}",
    "aws_cloudwatch_log_group": f"arn:aws:logs:{_PLACE}:log-group:{{name}}",
    "aws_dynamodb_table": f"arn:aws:dynamodb:{_PLACE}:table/{{name}}",
    "aws_iam_role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
    "aws_kms_key": "«key {description}»",
    "aws_lambda_function": f"arn:aws:lambda:{_PLACE}:function:{{function_name}}",
    "aws_s3_bucket": "arn:aws:s3:::{bucket}",
    "aws_secretsmanager_secret": "«secret {name}»",
    "aws_sfn_state_machine": f"arn:aws:states:{_PLACE}:stateMachine:{{name}}",
    "aws_sns_topic": f"arn:aws:sns:{_PLACE}:{{name}}",
    "aws_sqs_queue": f"arn:aws:sqs:{_PLACE}:{{name}}",
}
_OTHERS = {
    ("aws_apigatewayv2_api", "api_endpoint"): f"https://«api {{name}}».execute-api.{REGION}.amazonaws.com",
    ("aws_apigatewayv2_api", "execution_arn"): f"arn:aws:execute-api:{_PLACE}:«api {{name}}»",
    ("aws_kms_key", "key_id"): _ARNS["aws_kms_key"],
    ("aws_lambda_function", "invoke_arn"): _ARNS["aws_lambda_function"],
    ("aws_sqs_queue", "url"): f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{name}}",
}
# What an id is, where a reference to it is the reference to something else.
_IDS = {
    "aws_apigatewayv2_api": "«api {name}»",
    "aws_iam_role": "{name}",
    "aws_s3_bucket": "{bucket}",
    "aws_secretsmanager_secret": "«secret {name}»",
}


def computed(resource: Resource, name: str, attributes: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401
    """Return an attribute that the configuration does not set."""
    if resource.type == "aws_cloudcontrolapi_resource" and name == "properties":
        return f"«{attributes['type_name']}»"
    if (resource.type, name) in _DATA:
        return _DATA[resource.type, name]
    patterns = {"arn": _ARNS, "id": _IDS}.get(name, {})
    if resource.type in patterns:
        return _filled(patterns[resource.type], attributes)
    if (resource.type, name) in _OTHERS:
        return _filled(_OTHERS[resource.type, name], attributes)
    return f"«{where} {name}»"


def _filled(pattern: str, attributes: Mapping[str, Any]) -> str:
    start, _, rest = pattern.partition("{")
    name, _, end = rest.partition("}")
    return f"{start}{attributes[name]}{end}" if name else pattern
