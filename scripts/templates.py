"""Render cloudformation/*.yaml from cloudformation/src, policies/, state_machines/ and lambda_functions/.

`python -m scripts.templates` writes what is stale, `--check` only names it, `--definitions FOLDER` writes the
state machines as they would be deployed, with examples for what is substituted. The pipeline's template has
more than the 51,200 bytes that a call may bear, so it is deployed through a bucket, where 1 MB may lie.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from scripts import templates_parts as parts
from scripts.templates_yaml import Node, Tagged, dump, load

STACKS = ("pipeline",)
_HEAD = "# Rendered by `python -m scripts.templates`; the source is in cloudformation/src.\n"
_TAGGED = frozenset(
    {
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::SecretsManager::Secret",
        "AWS::StepFunctions::StateMachine",
    }
)
_COST_TAGS: list[Node] = [
    {"Key": "Project", "Value": Tagged("!Ref", "ProjectName")},
    {"Key": "Environment", "Value": Tagged("!Ref", "Environment")},
]
_PARTS: dict[str, Callable[[str], Node]] = {
    "!Policy": parts.policy,
    "!StateMachine": parts.state_machine,
    "!Substitutions": parts.substitutions,
    "!Dashboard": parts.dashboard,
}


def rendered(stack: str) -> str:
    """Return a stack's template. Raises KeyError (an unknown placeholder)."""
    template = parts.table(load((parts.SOURCES / f"{stack}.yaml").read_text(encoding="utf-8")))
    resources: dict[str, Node] = {}
    for name, resource in parts.table(template["Resources"]).items():
        resources.update(parts.functions() if name == "Functions" else {name: resource})
    template["Resources"] = {name: _finished(parts.table(each)) for name, each in resources.items()}
    return _HEAD + dump(_put_together(template))


def _finished(resource: dict[str, Node]) -> dict[str, Node]:
    """Tag what bears costs; what holds data (`Data: true`) outlives its stack, but not a failed first try."""
    kept = {key: value for key, value in resource.items() if key != "Data"}
    if "Data" in resource:
        kept = {
            "Type": kept.pop("Type"),
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            **kept,
        }
    if resource["Type"] in _TAGGED:
        kept["Properties"] = {**parts.table(resource["Properties"]), "Tags": _COST_TAGS}
    return kept


def _put_together(node: Node) -> Node:
    if isinstance(node, Tagged) and node.tag in _PARTS:
        return _PARTS[node.tag](str(node.value))
    if isinstance(node, Tagged):
        return Tagged(node.tag, _put_together(node.value))
    if isinstance(node, dict):
        return type(node)({key: _put_together(value) for key, value in node.items()})
    return [_put_together(each) for each in node] if isinstance(node, list) else node


def definitions(folder: Path) -> None:
    """Write every state machine with examples in place of its variables, as a validator wants to see it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((parts.ROOT / "state_machines").glob("*.json")):
        (folder / path.name).write_text(parts.example(path.stem), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Rewrite stale templates, or with --check only name them; 1 if any was stale then."""
    if arguments[:1] == ["--definitions"]:
        definitions(Path(arguments[1]))
        return 0
    stale = 0
    for stack in STACKS:
        path = parts.ROOT / "cloudformation" / f"{stack}.yaml"
        fresh = rendered(stack)
        if path.exists() and path.read_text(encoding="utf-8") == fresh:
            continue
        if "--check" in arguments:
            print(f"cloudformation/{stack}.yaml is stale; run `python -m scripts.templates`")
            stale = 1
        else:
            path.write_text(fresh, encoding="utf-8")
            print(f"cloudformation/{stack}.yaml: {len(fresh.encode()):,} bytes")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
