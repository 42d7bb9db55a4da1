"""Names, parameters, defaults and fields are those that the API document prints."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from src.delivery import presigned_url_handler
from src.ingestion import deidentifier, dicom_parser, metadata_extractor
from src.monitoring import cloudwatch_handler
from src.orchestration import lambda_handlers, step_functions
from src.storage import s3_handler
from src.validation import schemas
from tests.documented.printed import signatures

pytestmark = pytest.mark.unit

MODULES = (
    deidentifier,
    dicom_parser,
    metadata_extractor,
    schemas,
    s3_handler,
    cloudwatch_handler,
    step_functions,
    lambda_handlers,
    presigned_url_handler,
)


def documented(name: str) -> type:
    found = next(vars(module)[name] for module in MODULES if name in vars(module))
    assert isinstance(found, type)
    return found


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    for owner, code in signatures():
        # The documents end a signature without a body.
        tree = ast.parse(
            "".join(line + (": ...\n" if " -> " in line else "\n") for line in code.splitlines())
        )
        yield from ((owner, node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def fields() -> Iterator[tuple[str, list[str]]]:
    for owner, code in signatures():
        if "BaseModel" in code:
            (model,) = ast.parse(code).body
            assert isinstance(model, ast.ClassDef)
            targets = [line.target for line in model.body if isinstance(line, ast.AnnAssign)]
            yield owner, [target.id for target in targets if isinstance(target, ast.Name)]


@pytest.mark.parametrize(
    ("owner", "printed"), list(functions()), ids=lambda part: getattr(part, "name", part)
)
def test_a_function_takes_what_is_printed_first(owner: str, printed: ast.FunctionDef) -> None:
    taken = list(inspect.signature(getattr(documented(owner), printed.name)).parameters.values())
    names = [parameter.arg for parameter in printed.args.args]
    defaults = [ast.literal_eval(default) for default in printed.args.defaults]

    assert [parameter.name for parameter in taken[: len(names)]] == names
    assert [parameter.default for parameter in taken[len(names) - len(defaults) : len(names)]] == defaults
    assert all(parameter.default is not inspect.Parameter.empty for parameter in taken[len(names) :])


@pytest.mark.parametrize(
    ("owner", "printed"), list(fields()), ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_model_has_the_printed_fields_in_order(owner: str, printed: list[str]) -> None:
    model = documented(owner)

    assert issubclass(model, BaseModel)
    assert list(model.model_fields) == printed


def test_every_printed_class_and_method_is_compared() -> None:
    assert len(list(functions())) == 36
    assert len(list(fields())) == 5
