# Scanward: everything that one does with a clone. `make help` prints what follows `##`.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
STAMP := .venv/.setup-done
DIR ?=
ONCE ?=
JOBS ?= 2

# Coverage of the branches: over all by pytest-cov, of the two packages that must be whole by tests/gates.py.
COVERAGE := --cov --cov-report=term:skip-covered --cov-fail-under=95 -p tests.gates

.PHONY: help setup demo demo-aws test test-all check format docs bench-deidentify bench-line bench-large-objects mutate lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): scripts/setup.sh pyproject.toml uv.lock requirements-dev.txt
	@scripts/setup.sh .venv
	@touch $@

setup: $(STAMP) ## make .venv from uv.lock, the emulator of AWS, and what Debian programs the tests run beside
	@scripts/debian_packages.sh dicom3tools postgresql strace chromium

	@scripts/aws_tools.sh

demo: $(STAMP) ## run real DICOM files (and DIR=…) through the whole line, then serve them (ONCE=1: stop after the table)
	@DIR="$(DIR)" ONCE="$(ONCE)" scripts/demo.sh

demo-aws: $(STAMP) ## the same line on AWS, on an emulator: upload, watch, download, and try by hand (ONCE=1: take it down)
	@scripts/aws_tools.sh
	@DIR="$(DIR)" ONCE="$(ONCE)" $(BIN)/python -m scripts.demo_aws

test: check ## set up, check, and run the tests with coverage
	@$(BIN)/pytest -m "not slow" -n $(JOBS) --dist loadfile --no-loadscope-reorder $(COVERAGE)

test-all: check ## the same with the slow tests
	@$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(COVERAGE)

check: setup ## lint, format, types, layers, dependencies, lock, documents and infrastructure, without changing anything
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .
	@$(BIN)/uv lock --check --quiet
	@$(BIN)/python -m scripts.generate_docs --check
	@scripts/check_infrastructure.sh

format: $(STAMP) ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(STAMP) ## rewrite the generated blocks of the documents, and the rendered templates
	@$(BIN)/python -m scripts.generate_docs
	@$(BIN)/python -m scripts.templates
	@$(BIN)/python -m scripts.phase1_template

bench-deidentify: $(STAMP) ## measure de-identification beside cp, dicognito, dicom-anonymizer and gdcmanon
	@scripts/debian_packages.sh libgdcm-tools
	@$(BIN)/python -m bench.deidentify --write

bench-line: $(STAMP) ## measure the whole line beside a bare loop of fsynced copies and Orthanc
	@scripts/debian_packages.sh orthanc iproute2
	@$(BIN)/python -m bench.line --write

bench-large-objects: $(STAMP) ## measure what objects of gigabytes cost inside S3
	@$(BIN)/python -m bench.large_objects --write

mutate: $(STAMP) ## mutate deidentify/ and show which changes no test notices
	@$(BIN)/mutmut run
	@$(BIN)/mutmut results

lock: $(STAMP) ## renew uv.lock and the exported requirements
	@$(BIN)/uv lock --upgrade
	@for tool in emulator checkov awscli; do (cd tools/$$tool && ../../$(BIN)/uv pip compile --quiet --upgrade --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
	  requirements.in -o requirements.txt); done
	@terraform/scripts/build_lambda_layer.sh --lock
	@cd tools/infrastructure && PATH="$$PWD/../../$(BIN):$$PATH" npm update --package-lock-only --no-audit --no-fund
	@scripts/export_requirements.sh

clean: ## remove what was made here (the environment too), but no data outside
	@rm -rf .venv .tools .demo dist build mutants htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache \
	  .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
