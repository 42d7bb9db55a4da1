"""deploy.sh and destroy.sh, run with programs on the PATH that write down what they are asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infrastructure.hcl_reading import TERRAFORM, Resource, read

pytestmark = pytest.mark.integration

LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:l:1"
# Terraform also writes down which protections are off while it runs.
RECORDER = """#!/bin/bash
[ "$1" = version ] && { echo "Terraform v@VERSION@"; exit 0; }
[ "$1 $2" = "sts get-caller-identity" ] && { echo 123456789012; exit @AWS@; }
off="$(cd modules 2>/dev/null && ls */delete_data_override.tf 2>/dev/null | sed 's/^/ !/' | tr -d '\\n')"
echo "$(basename "$0") $*$off" >> @CALLS@
[ "$1" = "@FAILS@" ] && exit 1
exit 0
"""


class Deployment:
    """A copy of terraform/, and a PATH with recorders before everything else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        self.terraform = folder / "checkout" / "terraform"
        shutil.copytree(TERRAFORM, self.terraform, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        for name in ("scanward", "phase1_ingestion", ".venv"):
            (folder / "checkout" / name).symlink_to(TERRAFORM.parent / name)
        self.programs()

    def programs(self, *, version: str = "1.13.4", aws: int = 0, fails: str = "nothing") -> None:
        (self.folder / "bin").mkdir(exist_ok=True)
        for name in ("terraform", "aws"):
            text = RECORDER.replace("@VERSION@", version).replace("@AWS@", str(aws))
            program = self.folder / "bin" / name
            program.write_text(text.replace("@CALLS@", str(self.calls)).replace("@FAILS@", fails))
            program.chmod(0o755)

    def run(self, script: str, *options: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [self.terraform / "scripts" / script, *options],
            input=typed,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env={**os.environ, "PATH": path},
        )

    def recorded(self) -> list[str]:
        """Return what Terraform was asked, with the plan's temporary name as PLAN."""
        if not self.calls.exists():
            return []
        lines = self.calls.read_text(encoding="utf-8").splitlines()
        return [re.sub(r"/\S*/plan", "PLAN", line).removeprefix("terraform ") for line in lines]


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


VARIABLES = "-var-file=environments/dev/terraform.tfvars"


def test_deploying_plans_asks_and_applies_what_was_planned(deployment: Deployment) -> None:
    ran = deployment.run("deploy.sh", "dev", "--layer-arn", LAYER, typed="yes\n")
    assert ran.returncode == 0, ran.stderr
    assert "account 123456789012" in ran.stdout
    assert deployment.recorded() == [
        "init -input=false",
        "workspace select -or-create default",
        f"plan -input=false {VARIABLES} -var=layer_arn={LAYER} -out=PLAN",
        "apply -input=false PLAN",
        "output",
    ]


def test_without_a_yes_nothing_is_applied(deployment: Deployment) -> None:
    for typed in ("no\n", "", "y\n"):
        assert deployment.run("deploy.sh", "dev", "--layer-arn", LAYER, typed=typed).returncode == 2
    assert not [call for call in deployment.recorded() if call.startswith("apply")]


def test_yes_asks_nothing_and_plan_stops_before_applying(deployment: Deployment) -> None:
    assert deployment.run("deploy.sh", "dev", "--plan", "--layer-arn", LAYER).returncode == 0
    assert not [call for call in deployment.recorded() if call.startswith("apply")]
    assert deployment.run("deploy.sh", "dev", "--yes", "--layer-arn", LAYER).returncode == 0
    assert "apply -input=false PLAN" in deployment.recorded()


def test_the_layer_is_built_before_the_plan(deployment: Deployment) -> None:
    ran = deployment.run("deploy.sh", "dev", "--plan")
    assert ran.returncode == 0, ran.stderr
    layer = deployment.terraform.parent / "build" / "layer" / "scanward-layer-python3.12-x86_64.zip"
    assert layer.is_file()
    assert f"plan -input=false {VARIABLES} -out=PLAN" in deployment.recorded()


def test_another_environment_has_its_own_workspace_and_needs_its_own_bucket_names(
    deployment: Deployment,
) -> None:
    refused = deployment.run("deploy.sh", "prod", "--yes", "--layer-arn", LAYER)
    assert refused.returncode == 2
    assert "bucket_suffix" in refused.stderr
    assert not deployment.recorded()
    values = deployment.terraform / "environments" / "prod" / "terraform.tfvars"
    values.write_text(values.read_text(encoding="utf-8").replace("-change-me", "-4711"), encoding="utf-8")
    assert deployment.run("deploy.sh", "prod", "--yes", "--layer-arn", LAYER).returncode == 0
    assert "workspace select -or-create prod" in deployment.recorded()


@pytest.mark.parametrize("script", ["deploy.sh", "destroy.sh"])
@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ("stage", "there are: dev prod"),
        ("../dev", "lower-case"),
        ("--all", "unknown option"),
    ],
)
def test_an_environment_that_is_not_there_is_refused(
    deployment: Deployment, script: str, environment: str, told: str
) -> None:
    ran = deployment.run(script, environment)
    assert ran.returncode == 2
    assert told in ran.stderr
    assert not deployment.recorded()


@pytest.mark.parametrize("version", ["1.9.8", "0.15.5", "1.10.0"])
def test_a_terraform_that_would_write_secrets_into_its_state_is_refused(
    deployment: Deployment, version: str
) -> None:
    deployment.programs(version=version)
    ran = deployment.run("deploy.sh", "dev", "--layer-arn", LAYER)
    assert ran.returncode == 2
    assert "1.11 or newer" in ran.stderr
    assert not deployment.recorded()


def test_credentials_are_tried_before_anything_else(deployment: Deployment) -> None:
    deployment.programs(aws=1)
    ran = deployment.run("deploy.sh", "dev", "--layer-arn", LAYER)
    assert ran.returncode == 2
    assert "credentials" in ran.stderr
    assert not deployment.recorded()


def test_destroying_keeps_what_holds_data(deployment: Deployment) -> None:
    # As the printed line has it: without a name it is dev.
    ran = deployment.run("destroy.sh", typed="yes\n")
    assert ran.returncode == 0, ran.stderr
    assert deployment.recorded() == [
        "init -input=false",
        "workspace select -or-create default",
        f"plan -input=false {VARIABLES} -var=data_only=true -out=PLAN",
        "apply -input=false PLAN",
    ]
    assert "What holds data stays" in ran.stdout


def test_deleting_data_needs_the_name_whatever_else_is_said(deployment: Deployment) -> None:
    for typed in ("", "yes\n", "dev\n", "medical-imaging-pipeline-prod\n"):
        ran = deployment.run("destroy.sh", "dev", "--delete-data", "--yes", typed=typed)
        assert ran.returncode == 2
        assert "nothing was deleted" in ran.stderr
    assert not deployment.recorded()


def test_deleting_data_takes_the_protection_off_and_puts_it_back(deployment: Deployment) -> None:
    ran = deployment.run("destroy.sh", "dev", "--delete-data", typed="medical-imaging-pipeline-dev\nyes\n")
    assert ran.returncode == 0, ran.stderr
    *_, planned, applied, destroyed = deployment.recorded()
    both = "-var=data_only=true -var=delete_data=true"
    assert planned == f"plan -input=false {VARIABLES} {both} -out=PLAN"
    assert applied == "apply -input=false PLAN"
    command, *off = destroyed.split(" !")
    assert command == f"destroy -input=false -auto-approve {VARIABLES} {both}"
    folders = ["dynamodb", "healthimaging", "kms", "s3", "secrets"]
    assert off == [f"{folder}/delete_data_override.tf" for folder in folders]
    assert not list(deployment.terraform.rglob("*_override.tf"))


def test_the_protection_is_put_back_when_terraform_fails(deployment: Deployment) -> None:
    deployment.programs(fails="destroy")
    ran = deployment.run(
        "destroy.sh", "dev", "--delete-data", "--yes", typed="medical-imaging-pipeline-dev\n"
    )
    assert ran.returncode != 0
    assert not list(deployment.terraform.rglob("*_override.tf"))


def test_the_script_knows_every_protected_resource() -> None:
    script = (TERRAFORM / "scripts" / "destroy.sh").read_text(encoding="utf-8")
    listed = set(re.findall(r"^  (\w+:\w+:\w+)$", script, re.MULTILINE))
    assert listed == {
        f"{path.removeprefix('modules/')}:{resource.type}:{resource.name}"
        for path, module in read().modules.items()
        for resource in module.resources.values()
        if _protected(resource)
    }


def _protected(resource: Resource) -> bool:
    return any(each.get("prevent_destroy") for each in resource.body.get("lifecycle", []))


@pytest.mark.parametrize("script", sorted(path.name for path in (TERRAFORM / "scripts").glob("*.sh")))
def test_a_script_is_understood_by_bash_and_prints_its_help(script: str) -> None:
    path = TERRAFORM / "scripts" / script
    subprocess.run(["bash", "-n", path], check=True, timeout=10)
    if script != "common.sh":
        ran = subprocess.run([path, "--help"], check=True, timeout=10, capture_output=True, text=True)
        assert ran.stdout.startswith("Usage: terraform/scripts/")
