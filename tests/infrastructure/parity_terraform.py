"""The facts of what Terraform plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.infrastructure.hcl_plan import Plan, Planned
from tests.infrastructure.parity import Facts, definition, document, number


def facts(plan: Plan) -> Facts:
    """Return every resource of a plan that CloudFormation has too; an unknown kind is an error."""
    found: Facts = {}
    for planned in plan.resources:
        kind = planned.resource.type
        if planned.resource.mode != "resource" or kind in _NOT_COMPARED:
            continue
        if kind in _PARTS:
            continue
        name, given = _WHOLES[kind](plan, planned)
        found[_KINDS[kind], name] = given
    return found


def _first(value: Any) -> dict[str, Any]:  # noqa: ANN401 - a block
    first: dict[str, Any] = (value or [{}])[0]
    return first


def _parts(plan: Plan, kind: str, argument: str, value: str) -> Iterator[Planned]:
    return (each for each in plan.of(kind) if each.values.get(argument) == value)


def _part(plan: Plan, kind: str, argument: str, value: str) -> dict[str, Any]:
    for each in _parts(plan, kind, argument, value):
        return dict(each.values)
    return {}


def _kept(planned: Planned) -> bool:
    return bool(planned.lifecycle.get("prevent_destroy", False))


def _bucket(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    name = planned.values["bucket"]

    def part(kind: str) -> dict[str, Any]:
        return _part(plan, f"aws_s3_bucket_{kind}", "bucket", name)

    rule = _first(part("server_side_encryption_configuration")["rule"])
    default = _first(rule["apply_server_side_encryption_by_default"])
    logging, closed = part("logging"), part("public_access_block")
    return name, {
        "encryption": [default["sse_algorithm"], default.get("kms_master_key_id")],
        "bucket key": bool(rule.get("bucket_key_enabled")),
        "versions": _first(part("versioning")["versioning_configuration"])["status"],
        "public access": [
            closed.get(each)
            for each in (
                "block_public_acls",
                "block_public_policy",
                "ignore_public_acls",
                "restrict_public_buckets",
            )
        ],
        "ownership": _first(part("ownership_controls").get("rule")).get("object_ownership"),
        "policy": document(part("policy").get("policy", "null")),
        "access logs": [logging.get("target_bucket"), logging.get("target_prefix")],
        "lifecycle": [_rule(each) for each in part("lifecycle_configuration").get("rule", [])],
        "events": [
            [event, each["queue_arn"]]
            for each in part("notification").get("queue", [])
            for event in each["events"]
        ],
        "kept": _kept(planned),
    }


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": rule["id"],
        "status": rule["status"],
        "prefix": _first(rule.get("filter")).get("prefix") or "",
        "tiers": [[each["days"], each["storage_class"]] for each in rule.get("transition", [])],
        "noncurrent tiers": [
            [each["noncurrent_days"], each["storage_class"]]
            for each in rule.get("noncurrent_version_transition", [])
        ],
        "expiration": _first(rule.get("expiration")).get("days"),
        "noncurrent expiration": _first(rule.get("noncurrent_version_expiration")).get("noncurrent_days"),
        "unfinished": _first(rule.get("abort_incomplete_multipart_upload")).get("days_after_initiation"),
    }


def _key(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    values = planned.values
    marker = f"«key {values['description']}»"
    return values["description"], {
        "policy": document(values["policy"]),
        "rotation": values["enable_key_rotation"],
        "window": values["deletion_window_in_days"],
        "aliases": sorted(
            each.values["name"] for each in _parts(plan, "aws_kms_alias", "target_key_id", marker)
        ),
        "kept": _kept(planned),
    }


def _queue(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    values = planned.values
    url = f"https://sqs.eu-central-1.amazonaws.com/123456789012/{values['name']}"
    allow = _part(plan, "aws_sqs_queue_redrive_allow_policy", "queue_url", url)
    return values["name"], {
        "visibility": values.get("visibility_timeout_seconds", 30),
        "retention": values.get("message_retention_seconds", 345600),
        "key": values.get("kms_master_key_id"),
        "key reuse": values.get("kms_data_key_reuse_period_seconds", 300),
        "redrive": document(values.get("redrive_policy", "null")),
        "redrive allow": document(allow.get("redrive_allow_policy", "null")),
        "policy": document(_part(plan, "aws_sqs_queue_policy", "queue_url", url).get("policy", "null")),
    }


def _topic(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    name = planned.values["name"]
    arn = f"arn:aws:sns:eu-central-1:123456789012:{name}"
    return name, {
        "key": planned.values.get("kms_master_key_id"),
        "policy": document(_part(plan, "aws_sns_topic_policy", "arn", arn).get("policy", "null")),
        "subscriptions": sorted(
            [each.values["protocol"], each.values["endpoint"]]
            for each in _parts(plan, "aws_sns_topic_subscription", "topic_arn", arn)
        ),
    }


def _table(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = planned.values
    sse = _first(values.get("server_side_encryption"))
    return values["name"], {
        "billing": values["billing_mode"],
        "key": [values["hash_key"], values.get("range_key")],
        "attributes": {each["name"]: each["type"] for each in values["attribute"]},
        "indexes": {
            each["name"]: [each["hash_key"], each.get("range_key"), each["projection_type"]]
            for each in values.get("global_secondary_index", [])
        },
        "point in time": _first(values.get("point_in_time_recovery")).get("enabled", False),
        "encryption": [sse.get("enabled", False), sse.get("kms_key_arn")],
        "kept": _kept(planned),
    }


def _secret(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    values = planned.values
    module = planned.address.removesuffix("aws_secretsmanager_secret.this")
    (digits,) = (
        each.values for each in plan.of("random_password") if each.address.startswith(f"{module}ephemeral.")
    )
    return values["name"], {
        "description": values["description"],
        "key": values["kms_key_id"],
        "length": digits["length"],
        "alphabet": digits["override_special"],
        "kept": _kept(planned),
    }


def _role(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    values = planned.values
    inline = _parts(plan, "aws_iam_role_policy", "role", values["name"])
    attached = _parts(plan, "aws_iam_role_policy_attachment", "role", values["name"])
    return values["name"], {
        "trust": document(values["assume_role_policy"]),
        "policies": {each.values["name"]: document(each.values["policy"]) for each in inline},
        "managed": sorted(each.values["policy_arn"] for each in attached),
    }


def _log_group(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = planned.values
    return values["name"], {"retention": values["retention_in_days"], "key": values.get("kms_key_id")}


def _function(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    values = planned.values
    module = planned.address.removesuffix("aws_lambda_function.this")
    (code,) = (each for each in plan.of("archive_file") if each.address == f"{module}data.archive_file.code")
    source = _first(code.values["source"])
    vpc = _first(values.get("vpc_config"))
    return values["function_name"], {
        "description": values["description"],
        "role": values["role"],
        "runtime": values["runtime"],
        "architectures": values["architectures"],
        "handler": values["handler"],
        # A template can only inline index.py; Phase 1's handlers are then found in the layer.
        "own file": source["filename"].removesuffix(".py") == values["handler"].split(".")[0],
        "code": source["content"],
        "layers": values["layers"],
        "memory": values["memory_size"],
        "timeout": values["timeout"],
        "environment": {
            name: str(value) for name, value in _first(values["environment"])["variables"].items()
        },
        "vpc": [vpc.get("subnet_ids", []), vpc.get("security_group_ids", [])],
        "concurrency": values.get("reserved_concurrent_executions"),
    }


def _machine(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = planned.values
    logging = _first(values["logging_configuration"])
    sealed = _first(values.get("encryption_configuration"))
    return values["name"], {
        "type": values["type"],
        "role": values["role_arn"],
        "definition": definition(values["definition"]),
        "logs": [logging["level"], logging["include_execution_data"], logging["log_destination"]],
        "encryption": [
            sealed.get("type"),
            sealed.get("kms_key_id"),
            sealed.get("kms_data_key_reuse_period_seconds"),
        ],
    }


def _trigger(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = planned.values
    return f"{values['event_source_arn']} -> {values['function_name']}", {
        "batch": values["batch_size"],
        "answers": values["function_response_types"],
        "concurrency": number(_first(values.get("scaling_config")).get("maximum_concurrency")),
    }


def _event_rule(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    values = planned.values
    return values["name"], {
        "description": values.get("description"),
        "pattern": document(values.get("event_pattern", "null")),
        "targets": sorted(
            [each.values["target_id"], each.values["arn"]]
            for each in _parts(plan, "aws_cloudwatch_event_target", "rule", values["name"])
        ),
    }


def _permission(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = planned.values
    return f"{values['principal']} -> {values['function_name']}", {
        "action": values["action"],
        "account": values.get("source_account"),
        "source": values.get("source_arn"),
    }


def _alarm(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    values = planned.values
    return values["alarm_name"], {
        "metric": [values["namespace"], values["metric_name"], values["statistic"]],
        "dimensions": values["dimensions"],
        "when": [
            values["comparison_operator"],
            values["threshold"],
            values["period"],
            values["evaluation_periods"],
            values["treat_missing_data"],
        ],
        "tells": values["alarm_actions"],
    }


def _dashboard(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    return planned.values["dashboard_name"], {"body": document(planned.values["dashboard_body"])}


def _api(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:
    name = planned.values["name"]

    def parts(kind: str) -> list[dict[str, Any]]:
        return [
            dict(each.values) for each in _parts(plan, f"aws_apigatewayv2_{kind}", "api_id", f"«api {name}»")
        ]

    return name, {
        "protocol": planned.values["protocol_type"],
        "cors": _first(planned.values.get("cors_configuration")),
        "integrations": [
            [
                each["integration_type"],
                each["integration_uri"],
                each["payload_format_version"],
                each["timeout_milliseconds"],
            ]
            for each in parts("integration")
        ],
        "authorizers": [
            [
                each["name"],
                each["authorizer_type"],
                each["identity_sources"],
                _first(each["jwt_configuration"]),
            ]
            for each in parts("authorizer")
        ],
        "routes": [
            [each["route_key"], each["authorization_type"], bool(each.get("authorizer_id"))]
            for each in parts("route")
        ],
        "stages": [
            {
                "name": each["name"],
                "deploys": each["auto_deploy"],
                "throttles": _first(each["default_route_settings"]),
                "log": _first(each["access_log_settings"])["destination_arn"],
                "format": document(_first(each["access_log_settings"])["format"]),
            }
            for each in parts("stage")
        ],
    }


def _cloud_control(plan: Plan, planned: Planned) -> tuple[str, dict[str, Any]]:  # noqa: ARG001 - as its siblings
    return planned.values["type_name"], {
        "properties": document(planned.values["desired_state"]),
        "kept": _kept(planned),
    }


_WHOLES: dict[str, Callable[[Plan, Planned], tuple[str, dict[str, Any]]]] = {
    "aws_apigatewayv2_api": _api,
    "aws_cloudcontrolapi_resource": _cloud_control,
    "aws_cloudwatch_dashboard": _dashboard,
    "aws_cloudwatch_event_rule": _event_rule,
    "aws_cloudwatch_log_group": _log_group,
    "aws_cloudwatch_metric_alarm": _alarm,
    "aws_dynamodb_table": _table,
    "aws_iam_role": _role,
    "aws_kms_key": _key,
    "aws_lambda_event_source_mapping": _trigger,
    "aws_lambda_function": _function,
    "aws_lambda_permission": _permission,
    "aws_s3_bucket": _bucket,
    "aws_secretsmanager_secret": _secret,
    "aws_sfn_state_machine": _machine,
    "aws_sns_topic": _topic,
    "aws_sqs_queue": _queue,
}
_KINDS = {
    "aws_apigatewayv2_api": "api",
    "aws_cloudcontrolapi_resource": "other",
    "aws_cloudwatch_dashboard": "dashboard",
    "aws_cloudwatch_event_rule": "rule",
    "aws_cloudwatch_log_group": "log group",
    "aws_cloudwatch_metric_alarm": "alarm",
    "aws_dynamodb_table": "table",
    "aws_iam_role": "role",
    "aws_kms_key": "key",
    "aws_lambda_event_source_mapping": "trigger",
    "aws_lambda_function": "function",
    "aws_lambda_permission": "permission",
    "aws_s3_bucket": "bucket",
    "aws_secretsmanager_secret": "secret",
    "aws_sfn_state_machine": "state machine",
    "aws_sns_topic": "topic",
    "aws_sqs_queue": "queue",
}
# Looked at with the resource that they are a part of.
_PARTS = frozenset(
    {
        "aws_apigatewayv2_authorizer",
        "aws_apigatewayv2_integration",
        "aws_apigatewayv2_route",
        "aws_apigatewayv2_stage",
        "aws_cloudwatch_event_target",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_kms_alias",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_s3_bucket_logging",
        "aws_s3_bucket_notification",
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_policy",
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_versioning",
        "aws_secretsmanager_secret_version",
        "aws_sns_topic_policy",
        "aws_sns_topic_subscription",
        "aws_sqs_queue_policy",
        "aws_sqs_queue_redrive_allow_policy",
    }
)
# A template takes the layer's ARN as a parameter.
_NOT_COMPARED = frozenset({"aws_lambda_layer_version", "terraform_data"})
