# make demo   from nothing to a ranked submission with figures
# make course all homeworks at level simple, one table
# make test   the test suite            make check  style, types, import rules, docs in step
# make bench  the speed figures         make docs   regenerate tables and pages

VENV := .venv
BIN := $(VENV)/bin
THREADS := OMP_NUM_THREADS=1

.DEFAULT_GOAL := help
.PHONY: help install demo course test check bench docs clean

help:
	@sed -n '1,3p' Makefile | sed 's/^# //'

install: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt scripts/install.sh
	@bash scripts/install.sh

demo: install
	@$(BIN)/python scripts/demo.py

course: install
	@$(BIN)/mlspring run all simple

test: install
	@$(THREADS) $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist worksteal

check: install
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m benchmarks.tables --check
	@$(BIN)/python scripts/pages.py --check
	@$(BIN)/python scripts/links.py --check
	@$(BIN)/python scripts/words.py

bench: install
	@$(BIN)/python benchmarks/speed.py

docs: install
	@$(BIN)/python -m benchmarks.tables
	@$(BIN)/python scripts/pages.py
	@$(BIN)/python scripts/links.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
