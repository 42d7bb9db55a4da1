"""The check of Terraform's files finds what it is there to find: each kind of fault, planted into a copy."""

from __future__ import annotations

import json

import pytest

from tests.infrastructure import hcl_format
from tests.infrastructure.hcl_check import faults
from tests.infrastructure.hcl_reading import ROOT, TERRAFORM, Parsed, parse, sorted_by_modules

pytestmark = pytest.mark.integration

# What is planted: the file, a text in it, what stands there instead, and a part of what is told.
PLANTED: dict[str, tuple[str, str, str, str]] = {
    "a brace that is missing": ("modules/sns/main.tf", "\n}\n", "\n\n", "modules/sns/main.tf"),
    "a block of no kind": (
        "outputs.tf",
        'output "raw_bucket_name"',
        'outptu "raw_bucket_name"',
        "kind outptu",
    ),
    "two of one name": (
        "modules/kms/outputs.tf",
        'output "arn" {',
        'output "arn" {\n  description = "x"\n  value = "x"\n}\n\noutput "arn" {',
        "output arn is declared twice",
    ),
    "an unknown resource": (
        "modules/sns/main.tf",
        '"aws_sns_topic" "this"',
        '"aws_sns_topik" "this"',
        "aws_sns_topik",
    ),
    "an unknown argument": (
        "modules/sqs/main.tf",
        "visibility_timeout_seconds ",
        "visibility_timeout ",
        "knows no visibility_timeout",
    ),
    "an unknown argument of a block": (
        "modules/s3/main.tf",
        "sse_algorithm ",
        "algorithm ",
        "knows no algorithm",
    ),
    "a missing argument": (
        "modules/step_functions/main.tf",
        "  definition = module.definition.json\n",
        "",
        "needs definition",
    ),
    "a missing argument of a block": (
        "modules/s3/main.tf",
        "        storage_class = transition.value.storage_class\n",
        "",
        "needs storage_class",
    ),
    "an argument that is the provider's": (
        "modules/kms/main.tf",
        "  enable_key_rotation ",
        '  arn = "x"\n  enable_key_rotation ',
        "arn is for the provider to say",
    ),
    "a block in the place of an argument": (
        "modules/lambda/main.tf",
        "  layers           = [var.layer_arn]\n",
        "  layers {\n    arn = var.layer_arn\n  }\n",
        "is an argument, and no block",
    ),
    "an argument in the place of a block": (
        "modules/dynamodb/main.tf",
        "  point_in_time_recovery {\n    enabled = true\n  }\n",
        "  point_in_time_recovery = true\n",
        "point_in_time_recovery is a block",
    ),
    "a literal of another type": (
        "modules/lambda/main.tf",
        "= var.timeout_seconds",
        '= "soon"',
        "timeout is a string, not a number",
    ),
    "a value of another type": (
        "modules/lambda/main.tf",
        "= [var.layer_arn]",
        "= var.layer_arn",
        "is a string, not a list",
    ),
    "a variable that is not declared": (
        "modules/s3/main.tf",
        "= var.name",
        "= var.nmae",
        "there is no variable nmae",
    ),
    "a local that is not declared": (
        "main.tf",
        "= local.layer_arn",
        "= local.layer",
        "there is no local layer",
    ),
    "a resource that is not declared": (
        "modules/kms/main.tf",
        "= aws_kms_key.this.key_id",
        "= aws_kms_key.that.key_id",
        "there is no aws_kms_key.that",
    ),
    "an attribute that is not there": (
        "modules/sqs/outputs.tf",
        "= aws_sqs_queue.this.url",
        "= aws_sqs_queue.this.uri",
        "has no attribute uri",
    ),
    "an output that is not there": (
        "modules/pipeline/main.tf",
        "module.alerts.arn",
        "module.alerts.arm",
        "module alerts has no output arm",
    ),
    "a module that is not there": (
        "main.tf",
        '"./modules/names"',
        '"./modules/naems"',
        "no folder modules/naems",
    ),
    "an argument that a module does not take": (
        "main.tf",
        "  deid_keys   ",
        "  deid_key    ",
        "has no variable deid_key",
    ),
    "an argument that a module requires": (
        "modules/pipeline/main.tf",
        "  name        = var.names.topic\n",
        "",
        "modules/sns requires name",
    ),
    "an index where there is one": (
        "modules/pipeline/outputs.tf",
        "= module.events.url",
        "= module.events[0].url",
        "module events is one and takes no index",
    ),
    "no index where there are many": (
        "modules/pipeline/main.tf",
        'module.function["starter"].name',
        "module.function.name",
        "module function is many and needs an index",
    ),
    "each where there is no for_each": (
        "modules/sns/main.tf",
        "= var.name",
        "= each.key",
        "each stands where there is no for_each",
    ),
    "a function that does not exist": (
        "modules/names/main.tf",
        "title(name)",
        "capitalise(name)",
        "the function capitalise is not known",
    ),
    "a map without that key": (
        "modules/pipeline/main.tf",
        'var.placeholders["AccountId"]',
        'var.placeholders["AccountID"]',
        "has no AccountID",
    ),
    "a file that is not there": (
        "modules/pipeline/main.tf",
        "policies/topic_alerts.json",
        "policies/topic.json",
        "there is no",
    ),
    "a placeholder without a value": (
        "modules/names/main.tf",
        "    LogsBucketArn      =",
        "    LogBucketArn       =",
        "has no LogsBucketArn",
    ),
    "a default that its validation refuses": (
        "variables.tf",
        'default     = "x86_64"',
        'default     = "x64"',
        "architecture is x86_64 or arm64",
    ),
    "a variable without a type": (
        "modules/sns/variables.tf",
        "  type        = string\n",
        "",
        "needs a type and a description",
    ),
    "a variable of no use": (
        "modules/sns/variables.tf",
        'variable "name" {',
        'variable "idle" {\n  description = "x"\n  type = string\n  default = ""\n}\n\nvariable "name" {',
        "variable idle is used nowhere",
    ),
    "a value for no variable": (
        "environments/prod/terraform.tfvars",
        "bucket_suffix ",
        "bucket_sufix ",
        "no variable bucket_sufix",
    ),
    "a provider that nobody required": (
        "versions.tf",
        "    random = {",
        "    randoms = {",
        "the provider random is not in",
    ),
    "a circle": (
        "modules/sqs/main.tf",
        'resource "aws_sqs_queue" "dead_letters" {\n',
        'resource "aws_sqs_queue" "dead_letters" {\n  policy = aws_sqs_queue.this.arn\n',
        "a circle: ",
    ),
    "protection by an expression": (
        "modules/s3/main.tf",
        "prevent_destroy = true",
        "prevent_destroy = var.force_destroy",
        "not an expression",
    ),
    "a lifecycle rule of no kind": (
        "modules/s3/main.tf",
        "prevent_destroy = true",
        "prevent_deletion = true",
        "lifecycle knows no prevent_deletion",
    ),
}


@pytest.fixture(scope="module")
def clean() -> Parsed:
    return parse(TERRAFORM)


@pytest.fixture(scope="module")
def planted_files(tmp_path_factory: pytest.TempPathFactory) -> Parsed:
    """Every changed file in a folder of its own: the parser starts once."""
    folder = tmp_path_factory.mktemp("planted")
    for at, (name, old, new, _) in enumerate(PLANTED.values()):
        text = (TERRAFORM / name).read_text(encoding="utf-8")
        assert old in text, name
        path = folder / f"{at:02}" / name
        path.parent.mkdir(parents=True)
        path.write_text(text.replace(old, new), encoding="utf-8")
    return parse(folder)


def test_there_is_no_fault(clean: Parsed) -> None:
    found = faults(sorted_by_modules(TERRAFORM, clean))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str, clean: Parsed, planted_files: Parsed) -> None:
    place = f"{list(PLANTED).index(planted):02}/"
    *_, told = PLANTED[planted]
    changed = {
        name.removeprefix(place): blocks
        for name, blocks in planted_files.files.items()
        if name.startswith(place)
    }
    unread = [each.removeprefix(place) for each in planted_files.faults if each.startswith(place)]
    parsed = Parsed({**clean.files, **changed}, {**clean.trees, **planted_files.trees}, unread)
    found = faults(sorted_by_modules(TERRAFORM, parsed))
    assert found
    assert any(told in each for each in found), "\n".join(found)


def test_the_files_are_written_as_the_formatter_writes_them() -> None:
    paths = [path for path in TERRAFORM.rglob("*.tf*") if ".terraform" not in path.parts]
    assert len(paths) > 40
    told = [
        line
        for path in sorted(paths)
        for line in hcl_format.faults(path.name, path.read_text(encoding="utf-8"))
    ]
    assert not told, "\n".join(told)


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\nlong = 2\n",
        "a {\nb = 1\n}\n",
        "a = 1 \n",
        "a = 1\n\n",
        "a   = 1\nlong = {\n  b = 1\n}\n",
    ],
)
def test_another_form_than_the_formatter_s_is_told(text: str) -> None:
    assert list(hcl_format.faults("a.tf", text))


def test_the_schema_has_the_kinds_that_are_used_and_names_its_provider(clean: Parsed) -> None:
    used = {
        f"{mode} {kind}"
        for blocks in clean.files.values()
        for mode in ("resource", "data")
        for kind in blocks.get(mode, {})
        if kind.startswith("aws_")
    }
    schema = json.loads((ROOT / "tools/infrastructure/provider_aws.json").read_text(encoding="utf-8"))
    assert {f"{mode} {kind}" for mode in ("resource", "data") for kind in schema[mode]} == used
    assert schema["provider"].startswith("6.")
