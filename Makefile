# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/.installed
# Checks the types of the dashboard's modules where npm is; nothing else here needs node.
TYPESCRIPT := 7.0.2
TSC := .node/typescript-$(TYPESCRIPT)/node_modules/.bin/tsc

.PHONY: demo test chaos up check lint types screenshots bench clean

demo: $(DONE)  ## one real search on handwritten digits, through HTTP, on the CPU
	$(BIN)/dna demo

# Many tests start processes: each would compile every module of ours anew, and pytest its plugins, where bytecode is not kept.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(DONE)  ## every test, against real PostgreSQL and Redis; three processes share the files, the long ones first: on two cores, for each waits at times
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

SEED ?= 1
STORMS ?= 1
FAULTS ?= 200
chaos: export PYTHONDONTWRITEBYTECODE :=
chaos: $(DONE)  ## a seeded storm of 200 faults upon the service, some ten minutes; other seeds with SEED=7, one after the other with STORMS=20
	$(BIN)/python -m tests.chaos.storm --seed $(SEED) --storms $(STORMS) --faults $(FAULTS)

up: $(DONE)  ## the service on this machine until Ctrl-C
	$(BIN)/dna up

lint: $(DONE)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory types; else echo 'The types of the dashboard were not checked: there is no npm.'; fi

types: $(TSC)
	$(TSC) --project tsconfig.json

$(TSC):
	npm install --silent --no-save --no-package-lock --prefix .node/typescript-$(TYPESCRIPT) typescript@$(TYPESCRIPT)

screenshots: $(DONE)  ## pictures of every page of the dashboard, for the docs: some minutes, and a Chromium
	$(BIN)/python -m tests.browser.screenshots

check: lint test  ## what CI runs

bench: $(DONE)  ## the benchmarks that need no GPU and no data, under ten minutes
	$(BIN)/python -m benchmarks.selection --device cpu
	$(BIN)/python -m benchmarks.rating --device cpu
	$(BIN)/python -m benchmarks.distillation --device cpu
	$(BIN)/python -m benchmarks.scheduling
	$(BIN)/python -m benchmarks.workers --epochs 2 --rating-images 100
	$(BIN)/python -m benchmarks.training --device cpu
	$(BIN)/python -m benchmarks.eta benchmarks/recordings/*.jsonl

$(DONE): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	@echo 'Installing into $(VENV): some minutes, and 5 GB with torch.'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(DONE)

clean:
	rm -rf $(VENV) .node demo-output .mypy_cache .ruff_cache .import_linter_cache .hypothesis
