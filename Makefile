# `make demo` and `make test` do all set-up on a fresh clone. See README.md.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
READY := .venv/.ready
DATA ?= $(CURDIR)/.lienthong
BOTH := --numprocesses 2

.DEFAULT_GOAL := $(READY)
.PHONY: demo down test check format unit live bench faults attacks clean

$(READY): locks/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python found: install Python 3.11 (apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11: name a newer one, make PYTHON=/path/to/python3.12" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: apt install python3-venv" >&2; exit 2; }
	@echo "Making .venv (a minute or two, once)"
	@"$(PYTHON)" -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement locks/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	@$(BIN)/lienthong demo --data "$(DATA)"

down: $(READY)
	@$(BIN)/lienthong down --data "$(DATA)"

test: check
	@$(BIN)/python -m pytest $(BOTH) tests

check: $(READY)
	@$(BIN)/ruff format --check --quiet . || { echo "Run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@rm -rf dist && $(BIN)/python -m build --quiet --no-isolation --wheel --outdir dist && echo "Wheel built: $$(ls dist)"

format: $(READY)
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

unit: $(READY)
	@$(BIN)/python -m pytest $(BOTH) tests -m "not live"

live: $(READY)
	@$(BIN)/python -m pytest $(BOTH) tests -m live

bench: $(READY)
	@$(BIN)/python benchmarks/cold_start.py
	@$(BIN)/python benchmarks/republish.py
	@$(BIN)/python benchmarks/whole_path.py
	@$(BIN)/python benchmarks/whole_path.py --latency 500 --seconds 60
	@$(BIN)/python benchmarks/whole_path.py --grid --events 10000
	@$(BIN)/python benchmarks/whole_path.py --soak 500000

faults: $(READY)
	@$(BIN)/python tests/live/faults/kit.py --planted

attacks: $(READY)
	@LIENTHONG_HOSTILE=2000 LIENTHONG_HELD_SECONDS=5 $(BIN)/python -m pytest -p no:randomly tests/live/alone/test_hostile_records.py

clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
