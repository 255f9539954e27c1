# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/.installed

.PHONY: demo test up check lint bench clean

demo: $(DONE)  ## one real search on handwritten digits, through HTTP, on the CPU
	$(BIN)/dna demo

test: $(DONE)  ## every test, against real PostgreSQL and Redis; two processes share the files, the long ones first
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

up: $(DONE)  ## the service on this machine until Ctrl-C
	$(BIN)/dna up

lint: $(DONE)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## what CI runs

bench: $(DONE)  ## the benchmarks that need no GPU and no data, under ten minutes
	$(BIN)/python -m benchmarks.selection --device cpu
	$(BIN)/python -m benchmarks.rating --device cpu
	$(BIN)/python -m benchmarks.distillation --device cpu
	$(BIN)/python -m benchmarks.scheduling
	$(BIN)/python -m benchmarks.training --device cpu
	$(BIN)/python -m benchmarks.eta benchmarks/recordings/*.jsonl

$(DONE): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(DONE)

clean:
	rm -rf $(VENV) demo-output .mypy_cache .ruff_cache .import_linter_cache .hypothesis
