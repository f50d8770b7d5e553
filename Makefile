# Works from a clean clone with python3 >= 3.11 and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test lint test-slow fuzz focus bench docs clean

help:
	@echo "make run        install, then simulate workloads/openai-2024.yaml"
	@echo "make test       install, lint, type-check, check import layers, run the tests"
	@echo "make test-slow  the tests that take minutes"
	@echo "make fuzz       the tests on random scenarios, with many more of them"
	@echo "make focus      FOCUS exports before the public validator, in an environment of its own"
	@echo "make bench      the benchmarks"
	@echo "make docs       write the reference pages from the code"
	@echo "make clean      remove .venv, caches and build products; results stay"

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "fleetsim needs Python 3.11 or later; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml
	$(PIP) -e .
	@$(BIN)/python -m compileall -q fleetsim
	@touch $@

$(VENV)/installed-dev: $(VENV)/made pyproject.toml
	$(PIP) -e '.[dev]'
	@$(BIN)/python -m compileall -q fleetsim
	@touch $@ $(VENV)/installed

run: $(VENV)/installed
	$(BIN)/fleetsim run workloads/openai-2024.yaml

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

compile-%: $(VENV)/installed-dev
	$(BIN)/python tests/compile_kernels.py $*

test: $(VENV)/installed-dev
	@$(MAKE) --no-print-directory -j2 lint compile-training compile-fluid compile-requests
	$(BIN)/pytest -n 2 -m "not slow" tests

test-slow: $(VENV)/installed-dev
	$(BIN)/pytest -n 2 -m slow tests

fuzz: $(VENV)/installed-dev
	$(BIN)/pytest -n 2 --hypothesis-profile=fuzz tests/agreement tests/conservation

focus: $(VENV)/installed-dev
	$(BIN)/python tests/focus/validate.py $(VENV)/focus

bench: $(VENV)/installed-dev
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/installed-dev
	$(BIN)/python docs/generate.py --outputs

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
	find fleetsim tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
