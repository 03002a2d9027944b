# Two commands do all the set-up: `make run` and `make test`. ARGS is handed on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Live tests wait for phones to ring, mostly, so a core bears three of them.
WORKERS := $(shell expr 3 \* $$(nproc 2>/dev/null || echo 2))

# What is imported is compiled once, when it is first needed: compiling everything at the install takes longer.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run test test-dates walk live bench faults staffing-report settings commands words screens check house format lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

$(READY): requirements.lock pyproject.toml
	@echo "setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

setup: $(READY) ## the Python environment alone

run: $(READY) ## a lab call centre on a real Asterisk: calls are lost and called back (ARGS=--help)
	@$(BIN)/python -m lab $(ARGS)

test: $(READY) ## all tests, the live ones included (ARGS='-k busy')
	@$(BIN)/python -m pytest -n $(WORKERS) --maxschedchunk 1 $(ARGS)

test-dates: $(READY) ## what is not live, on leap days, clock changes, New Year, east and west (ARGS=--help)
	@$(BIN)/python -m tests.dates -n auto --maxschedchunk 1 $(ARGS)

walk: $(READY) ## the install pages, walked in a bare Debian of its own (root; some minutes)
	@$(BIN)/python -m pytest -v -m install --durations=5 $(ARGS)

live: $(READY) ## the live tests on the old Asterisk 16 (ARGS='-k busy')
	@LAB_ASTERISK=16 $(BIN)/python -m pytest -n 4 --maxschedchunk 1 -m live $(ARGS)

bench: $(READY) ## what it can bear, measured: BENCH=ingest, or a list without it (ARGS=--help)
	@$(BIN)/python -m benchmarks $(BENCH) $(ARGS)

faults: $(READY) ## what is lost when something breaks, counted from the phones (ARGS=--help)
	@$(BIN)/python -m lab.faults $(ARGS)

staffing-report: $(READY) ## docs/staffing.md: how good forecasts and hints are (ARGS='--data DIR')
	@$(BIN)/python -m benchmarks staffing $(ARGS)

settings: $(READY) ## docs/settings.md and deploy/callback.example.toml, from the source
	@mkdir -p deploy
	@$(BIN)/callback settings > docs/settings.md
	@$(BIN)/callback settings --example > deploy/callback.example.toml

commands: $(READY) ## docs/commands.md, from the source
	@$(BIN)/python -m callback.cli.operations.reference > docs/commands.md

words: $(READY) ## the console's sentences into its catalogues: what is new waits there for its translation
	@$(BIN)/pybabel -q extract -F callback/web/console/locale/babel.cfg --no-location --sort-output --omit-header \
	  -o $(VENV)/console.pot callback/web/console callback/reports/timeline
	@for language in zh_Hans zh_Hant; do $(BIN)/pybabel -q update -D console -i $(VENV)/console.pot -l $$language \
	  -d callback/web/console/locale --no-fuzzy-matching --ignore-obsolete --omit-header; done

screens: $(READY) ## docs/screens: pictures of the console, in the browser of the tests
	@SCREENS=docs/screens $(BIN)/python -m pytest -q -n 2 tests/console/test_screens.py

check: $(READY) ## format, lint, types, layers, limits, and known faults of what it stands on
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.house
	@$(BIN)/python -m tests.dependencies

house: $(READY) ## size and imports of each package, and what breaks our limits (tests/house.py)
	@$(BIN)/python -m tests.house

format: $(READY) ## rewrite the code in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## renew requirements.lock
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet pip-tools
	@.venv-lock/bin/python -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	  --no-emit-trusted-host --no-emit-find-links --no-header --extra dev --output-file requirements.lock pyproject.toml

clean: ## forget the environment; what was fetched stays in the cache
	@rm -rf $(VENV)
