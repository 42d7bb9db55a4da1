"""What a template is put together from: policies, state machines, dashboard and the functions' code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from scripts.templates_yaml import Line, Node, Tagged, load

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "cloudformation" / "src"
PLACEHOLDER = re.compile(r"<<(\w+)>>")
_ONE = re.compile(r"\$\{([\w:]+)(?:\.(\w+))?\}")
_NUMBER = re.compile(r'"(\$\{\w+Seconds\})"')
_SUBSTITUTED = re.compile(r"\$\{(\w+)\}")


def settings(name: str) -> dict[str, Node]:
    """Read a file of cloudformation/src that is a table of names."""
    return table(load((SOURCES / f"{name}.yaml").read_text(encoding="utf-8")))


def table(node: Node) -> dict[str, Node]:
    """Return a node that must be a mapping."""
    if not isinstance(node, dict):
        raise TypeError(f"A mapping is needed here: {node!r}")
    return node


def policy(name: str) -> Node:
    """Return a file of policies/ with its placeholders filled in for CloudFormation. Raises KeyError."""
    known = settings("placeholders")
    values = table(known["values"])
    before = table(known["before_the_bucket"])
    if name in (before["policies"] or ()):  # type: ignore[operator]  # a list in placeholders.yaml
        values = {**values, **table(before["values"])}
    document = json.loads((ROOT / "policies" / f"{name}.json").read_text(encoding="utf-8"))
    document["Statement"] = [Line(statement) for statement in document["Statement"]]
    return filled(document, values, table(known["lists"]))


def filled(node: Node, values: Mapping[str, Node], lists: Mapping[str, Node]) -> Node:
    """Fill in a policy: placeholders in texts as !Sub, one alone in an array as a list. Raises KeyError."""
    if isinstance(node, dict):
        return type(node)({key: filled(value, values, lists) for key, value in node.items()})
    if isinstance(node, list):
        alone = PLACEHOLDER.fullmatch(node[0]) if len(node) == 1 and isinstance(node[0], str) else None
        if alone and alone[1] in lists:
            return lists[alone[1]]
        return [filled(each, values, lists) for each in node]
    return text(node, values) if isinstance(node, str) and "<<" in node else node


def text(template: str, values: Mapping[str, Node]) -> Node:
    """Return a text with placeholders as what CloudFormation makes of it. Raises KeyError."""
    # IAM's own ${aws:…} stays as it stands: `${!` is CloudFormation's escape.
    whole = PLACEHOLDER.sub(lambda match: str(values[match[1]]), template.replace("${", "${!"))
    one = _ONE.fullmatch(whole)
    if one and one[2]:
        return Tagged("!GetAtt", f"{one[1]}.{one[2]}")
    return Tagged("!Ref", one[1]) if one else Tagged("!Sub", whole)


def state_machine(name: str) -> str:
    """Return a file of state_machines/ as DefinitionString: no comments, `"${…Seconds}"` as numbers."""
    definition = json.loads((ROOT / "state_machines" / f"{name}.json").read_text(encoding="utf-8"))
    return _NUMBER.sub(r"\1", json.dumps(_without_comments(definition), separators=(",", ":")))


def substitutions(name: str) -> Node:
    """Return what a state machine's `${Name}` are. Raises KeyError."""
    known = table(settings("placeholders")["substitutions"])
    return {each: known[each] for each in sorted(set(_SUBSTITUTED.findall(state_machine(name))))}


def example(name: str) -> str:
    """Return a state machine with an example for each of its variables: an ARN, a number or a word."""

    def value(match: re.Match[str]) -> str:
        if match[1].endswith("Arn"):
            return f"arn:aws:lambda:eu-central-1:123456789012:function:{match[1]}"
        return "60" if match[1].endswith("Seconds") else "example"

    return _SUBSTITUTED.sub(value, state_machine(name))


def dashboard(name: str) -> Node:
    """Return a dashboard's body; its placeholders are those of policies and the template's parameters."""
    body = json.loads((SOURCES / f"{name}.json").read_text(encoding="utf-8"))
    values = table(settings("placeholders")["values"])
    named = {each: f"${{{each}}}" for each in ("ProjectName", "Environment", "FunctionSuffix")}
    return text(json.dumps(body, separators=(",", ":")), {**values, **named})


def functions() -> dict[str, Node]:
    """Return the resources of all functions: function.yaml, once for each of functions.yaml."""
    pattern = (SOURCES / "function.yaml").read_text(encoding="utf-8")
    resources: dict[str, Node] = {}
    for name, given in settings("functions").items():
        one = table(given)
        code = ROOT / "lambda_functions" / f"{one['code']}.py"
        parts: dict[str, Node] = {
            "!Says": one["says"],
            "!Code": code.read_text(encoding="utf-8"),
            "!Timeout": one["timeout"],
            "!Environment": {**_common(name), **table(one["environment"])},
        }
        body = load(pattern.replace("@Name@", name).replace("@name@", name.lower()))
        resources.update(table(_put_in(body, parts)))
    return resources


def _common(name: str) -> dict[str, Node]:
    return {
        "POWERTOOLS_METRICS_NAMESPACE": "MedicalImaging/Pipeline",
        "POWERTOOLS_SERVICE_NAME": name.lower(),
        "SCANWARD_AWS_ENVIRONMENT": Tagged("!Ref", "Environment"),
    }


def _put_in(node: Node, parts: dict[str, Node]) -> Node:
    if isinstance(node, Tagged) and node.tag in parts:
        return parts[node.tag]
    if isinstance(node, dict):
        return {key: _put_in(value, parts) for key, value in node.items()}
    return node


def _without_comments(node: Node) -> Node:
    if isinstance(node, dict):
        return {key: _without_comments(value) for key, value in node.items() if key != "Comment"}
    return [_without_comments(each) for each in node] if isinstance(node, list) else node
