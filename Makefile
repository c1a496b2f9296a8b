# Everything is set up in .venv; nothing but Python 3.11 or newer is needed beforehand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test check lint types layers generate bench conform mutants lock clean

help:
	@echo "make demo      set up, and review this project's own documents and sources with plugins"
	@echo "make test      set up, and run every test"
	@echo "make check     lint, types, layers and freshness of generated files"
	@echo "make bench     compare the speed of a call with a bare pair and with pygls"
	@echo "make conform   check every subject, and the host, with the conformance suite; compare with the baselines"
	@echo "make mutants   print which case of the suite finds which vice"
	@echo "make generate  make everything again that is made from spec/model"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is `$(PYTHON) --version`. Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

REVIEW := $(BIN)/python host/examples/review/review.py

demo: $(READY)
	@echo "== seven plugins in three languages, one of them twice, review this project's own documents and sources"
	@$(REVIEW) README.md CHANGELOG.md spec sdk host
	@echo "== they review a draft with slips, and mend what can be mended"
	@cp host/examples/review/draft.md.txt $(VENV)/draft.md
	@$(REVIEW) $(VENV)/draft.md; test $$? -eq 1
	@$(REVIEW) --fix $(VENV)/draft.md >$(VENV)/draft.log; test $$? -eq 1; grep -c fixed: $(VENV)/draft.log | sed 's/$$/ mended with --fix/'
	@echo "== one call to a plugin from the shell"
	PATH="$(CURDIR)/$(BIN):$$PATH" plugin-run call greeter/hello '{"name": "Ada"}' --with sdk/examples/python-greeter

test: $(READY)
	$(BIN)/python -m pytest -n auto

check: lint types layers
	$(BIN)/python sdk/codegen --check

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

generate: $(READY)
	$(BIN)/python sdk/codegen

bench: $(READY)
	$(BIN)/python -m tests.bench

conform: $(READY)
	$(BIN)/python conformance/subjects/run.py

mutants: $(READY)
	$(BIN)/python -m tests.conformance.mutants

lock: $(READY)
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --extra dev --no-header \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-annotate --output-file requirements.lock pyproject.toml
	sed -i '/^# /d; /^plugwire @/d' requirements.lock  # the project itself is no requirement of its own

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
