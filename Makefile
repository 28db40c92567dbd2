# Two targets do everything from a bare Python and make: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

.PHONY: help setup demo test lint format unit bench clean lock

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'

setup: $(STAMP) ## create .venv from requirements.lock, once

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tokui needs Python 3.11 or newer; set PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP) ## simulate, train, promote, serve and ask, in a few minutes
	$(BIN)/tokui demo

test: $(STAMP) lint unit ## everything CI checks

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -q --cov --cov-report=term

format: $(STAMP) ## ruff, mending what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## install the peers and measure side by side, some ten minutes; README has the longer runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m benchmarks.features --rows 1000000
	$(BIN)/python -m benchmarks.ltv_churn --quick
	$(BIN)/python -m benchmarks.uplift speed
	$(BIN)/python -m benchmarks.serving --connections 1 --workers 1

lock: ## pin what the newest allowed versions resolve to
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade pip
	.venv-lock/bin/python -m pip install --quiet . --group test
	.venv-lock/bin/python -m pip install --quiet 'setuptools>=80' wheel
	.venv-lock/bin/python -m pip freeze --all --exclude tokui --exclude pip --exclude nvidia-nccl-cu12 > requirements.lock
	rm -rf .venv-lock

clean: ## remove what was built here
	rm -rf .venv .venv-lock build *.egg-info .mypy_cache .ruff_cache .pytest_cache demo
