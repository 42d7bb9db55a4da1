"""A CloudFormation template's resources with their values, as they would be deployed into one account."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.templates_yaml import Tagged, load
from tests.infrastructure.hcl_computed import ACCOUNT, PARTITION, REGION

_PLACE = f"{REGION}:{ACCOUNT}"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": PARTITION,
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
}
_NO_VALUE = object()
_IN_TEXT = re.compile(r"\$\{(!?)([\w:.]+)\}")
# What Ref and GetAtt give, made of a property where a name decides it, as hcl_computed does.
_NAMES = {
    "AWS::ApiGatewayV2::Api": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Key": "Description",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_PLACE}:table/",
    "AWS::Events::Rule": f"arn:aws:events:{_PLACE}:rule/",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_PLACE}:function:",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_PLACE}:log-group:",
    "AWS::S3::Bucket": "arn:aws:s3:::",
    "AWS::SNS::Topic": f"arn:aws:sns:{_PLACE}:",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_PLACE}:",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_PLACE}:stateMachine:",
}
_REFS = {
    "AWS::ApiGatewayV2::Api": "«api {}»",
    "AWS::KMS::Key": "«key {}»",
    "AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{{}}",
    "AWS::SecretsManager::Secret": "«secret {}»",
}
_REF_IS_ARN = frozenset({"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"})


@dataclass(frozen=True, slots=True)
class Deployed:
    """One resource that the template's conditions let stand."""

    logical: str
    type: str
    properties: Mapping[str, Any]
    kept: bool


def _parameter(declared: Mapping[str, Any], value: Any) -> Any:  # noqa: ANN401 - a list may be given as one
    listed = declared["Type"] == "CommaDelimitedList" and isinstance(value, str)
    return value.split(",") if listed else value


class Template:
    """A template with its parameters' values."""

    def __init__(self, path: Path, parameters: Mapping[str, Any]) -> None:
        loaded: Any = load(path.read_text(encoding="utf-8"))
        self._resources: dict[str, Any] = loaded["Resources"]
        self._conditions: dict[str, Any] = loaded.get("Conditions", {})
        self._mappings: dict[str, Any] = loaded.get("Mappings", {})
        self._outputs: dict[str, Any] = loaded.get("Outputs", {})
        declared: dict[str, Any] = loaded.get("Parameters", {})
        unknown = parameters.keys() - declared.keys()
        if unknown:
            raise KeyError(f"there is no parameter {sorted(unknown)}")
        self.declared = declared
        self._parameters = {
            name: _parameter(each, parameters.get(name, each.get("Default", "")))
            for name, each in declared.items()
        }

    def resources(self) -> list[Deployed]:
        """Return every resource that stands, with its values."""
        return [
            Deployed(
                name,
                body["Type"],
                self._value(body.get("Properties", {})),
                str(body.get("DeletionPolicy", "Delete")).startswith("Retain"),
            )
            for name, body in self._resources.items()
            if self._stands(body)
        ]

    def outputs(self) -> dict[str, Any]:
        """Return the outputs that stand, by name."""
        return {
            name: self._value(body["Value"]) for name, body in self._outputs.items() if self._stands(body)
        }

    def _stands(self, body: Mapping[str, Any]) -> bool:
        return "Condition" not in body or self._condition(body["Condition"])

    def _condition(self, name: str) -> bool:
        return bool(self._value(self._conditions[name]))

    def _value(self, node: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        if isinstance(node, Tagged):
            return self._function(node.tag.removeprefix("!"), node.value)
        if isinstance(node, dict):
            pairs = {key: self._value(value) for key, value in node.items()}
            return {key: value for key, value in pairs.items() if value is not _NO_VALUE}
        if isinstance(node, list):
            return [each for each in map(self._value, node) if each is not _NO_VALUE]
        return node

    def _function(self, name: str, argument: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "GetAtt": self._attribute,
            "Sub": self._text,
            "If": lambda given: self._value(given[1] if self._condition(given[0]) else given[2]),
            "Equals": lambda given: self._value(given[0]) == self._value(given[1]),
            "Not": lambda given: not self._value(given[0]),
            "And": lambda given: all(self._value(each) for each in given),
            "Or": lambda given: any(self._value(each) for each in given),
            "Condition": self._condition,
            "Split": lambda given: str(self._value(given[1])).split(given[0]),
            "Join": lambda given: str(given[0]).join(self._value(given[1])),
            "Select": lambda given: self._value(given[1])[int(given[0])],
        }
        return functions[name](argument)

    def _ref(self, name: str) -> Any:  # noqa: ANN401 - a parameter may be a list
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._parameters:
            return self._parameters[name]
        kind = self._resources[name]["Type"]
        if kind in _REF_IS_ARN:
            return self._attribute(f"{name}.Arn")
        return _REFS.get(kind, "{}").format(self._name(name)) if kind in _NAMES else f"«{kind}»"

    def _attribute(self, path: Any) -> Any:  # noqa: ANN401 - a text, or its two halves
        name, _, attribute = (path if isinstance(path, str) else ".".join(path)).partition(".")
        kind = self._resources[name]["Type"]
        if attribute == "Arn" and kind in _ARNS:
            # A log group's ARN by GetAtt ends in :*, Terraform's does not.
            end = ":*" if kind == "AWS::Logs::LogGroup" else ""
            return f"{_ARNS[kind]}{self._name(name)}{end}"
        if attribute == "QueueName":
            return self._name(name)
        if attribute in {"Arn", "Id", "ApiId", "TopicArn"}:
            return self._ref(name)
        return f"«{kind} {attribute}»"

    def _name(self, logical: str) -> str:
        body = self._resources[logical]
        return str(self._value(body["Properties"][_NAMES[body["Type"]]]))

    def _text(self, argument: Any) -> str:  # noqa: ANN401 - a text, or a text and its own names
        template, own = (argument, {}) if isinstance(argument, str) else argument

        def filled(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(self._value(own[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _IN_TEXT.sub(filled, template)
