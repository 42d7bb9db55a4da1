from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import templates, templates_parts
from scripts.templates_parts import ROOT, example, filled, text
from scripts.templates_yaml import Tagged, dump, load

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("stack", templates.STACKS)
def test_the_committed_template_is_what_its_sources_render(stack: str) -> None:
    committed = (ROOT / "cloudformation" / f"{stack}.yaml").read_text(encoding="utf-8")
    assert committed == templates.rendered(stack), "run `python -m scripts.templates`"


def test_a_stale_template_is_named_and_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stale = tmp_path / "cloudformation" / "pipeline.yaml"
    stale.parent.mkdir()
    stale.write_text("stale", encoding="utf-8")
    monkeypatch.setattr(templates_parts, "ROOT", tmp_path)
    monkeypatch.setattr(templates, "rendered", lambda stack: f"fresh {stack}")
    assert templates.main(["--check"]) == 1
    assert "cloudformation/pipeline.yaml is stale" in capsys.readouterr().out
    assert stale.read_text(encoding="utf-8") == "stale"
    assert templates.main([]) == 0
    assert stale.read_text(encoding="utf-8") == "fresh pipeline"
    assert templates.main(["--check"]) == 0


def test_a_placeholder_becomes_a_reference_an_attribute_or_a_text_with_both() -> None:
    values = {"Topic": "${AlertsTopic}", "Bucket": "${RawBucket.Arn}", "Region": "${AWS::Region}"}
    assert text("<<Topic>>", values) == Tagged("!Ref", "AlertsTopic")
    assert text("<<Region>>", values) == Tagged("!Ref", "AWS::Region")
    assert text("<<Bucket>>", values) == Tagged("!GetAtt", "RawBucket.Arn")
    assert text("<<Bucket>>/*", values) == Tagged("!Sub", "${RawBucket.Arn}/*")


def test_iams_own_variables_stay_iams() -> None:
    found = text("<<Bucket>>/${aws:PrincipalTag/team}/*", {"Bucket": "${RawBucket.Arn}"})
    assert found == Tagged("!Sub", "${RawBucket.Arn}/${!aws:PrincipalTag/team}/*")


def test_a_list_takes_the_place_of_its_array() -> None:
    keepers = Tagged("!Split", [",", "a,b"])
    found = filled({"aws:PrincipalArn": ["<<Keepers>>"]}, {}, {"Keepers": keepers})
    assert found == {"aws:PrincipalArn": keepers}


def test_a_placeholder_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError, match="Unknown"):
        filled({"Resource": "<<Unknown>>"}, {"Known": "x"}, {})


def test_what_was_read_is_written_as_it_stood() -> None:
    source = "A: !Sub '${B}-c'\nD: !If [E, !Ref F, !GetAtt G.Arn]\nH:\n- {I: true, J: 2}\n"
    assert load(dump(load(source))) == load(source)


@pytest.mark.parametrize("path", sorted((ROOT / "state_machines").glob("*.json")), ids=lambda path: path.stem)
def test_a_state_machine_with_its_variables_filled_in_is_json_with_numbers_for_seconds(path: Path) -> None:
    definition = json.loads(example(path.stem))
    assert "${" not in json.dumps(definition)
    limits = [state["TimeoutSeconds"] for state in definition["States"].values() if "TimeoutSeconds" in state]
    assert all(isinstance(limit, int) for limit in limits)


@pytest.mark.parametrize("path", sorted((ROOT / "state_machines").glob("*.json")), ids=lambda path: path.stem)
def test_nothing_in_a_state_machine_looks_like_a_variable_and_is_none(path: Path) -> None:
    """Terraform fills in comments too, and stops at a name that it does not know."""
    found = re.findall(r"\$\{[^}]*\}?", path.read_text(encoding="utf-8"))
    assert not [each for each in found if not re.fullmatch(r"\$\{\w+\}", each)]


def test_the_definitions_are_written_for_the_validator(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "scripts.templates", "--definitions", tmp_path / "made"],
        cwd=ROOT,
        check=True,
        timeout=60,
    )
    written = {path.name for path in (tmp_path / "made").iterdir()}
    assert written == {path.name for path in (ROOT / "state_machines").glob("*.json")}
