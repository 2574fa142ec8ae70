# Everything a new machine needs is installed from here: Python packages from the lock files with pip, into $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := $(shell find drivers controller sim_hardware -type f -not -name '*.pyc') pyproject.toml setup.py
PYTEST_ARGS ?=
# What pytest says where -k leaves it no test.
NO_TEST := 5
DEMO_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 600
FUZZ_ARGS ?=

# An installation locks this file, and takes it away when it is done. An interrupted one leaves it, and an environment
# that pip may not be able to mend: that one is made anew.
UNFINISHED := $(VENV)/unfinished
$(shell [ ! -e $(UNFINISHED) ] || ! flock --nonblock $(UNFINISHED) true || rm -rf $(VENV))
INSTALL := flock $(UNFINISHED) $(BIN)/pip install --quiet

# The steps share one virtual environment: under `make -j` two pips at once would break it.
.NOTPARALLEL:
.PHONY: help demo test unit bench fuzz test-all-pythons system-packages lint docs screenshots lock clean

help: ## What can be made here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "impairlab needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt-get install python3-venv" >&2; exit 1; }
	@mkdir -p $(VENV)
	flock $(UNFINISHED) $(PYTHON) -m venv $(VENV)
	@rm -f $(UNFINISHED)
	@touch $@

$(VENV)/runtime: requirements/runtime.txt $(VENV)/created
	$(INSTALL) --require-hashes -r requirements/runtime.txt
	@rm -f $(UNFINISHED)
	@touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/created
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@rm -f $(UNFINISHED)
	@touch $@ $(VENV)/runtime

$(VENV)/test: requirements/test.txt $(VENV)/created
	$(INSTALL) --require-hashes -r requirements/test.txt
	@rm -f $(UNFINISHED)
	@touch $@ $(VENV)/runtime

# setuptools leaves deleted files behind in build/, so it is cleared before every build.
$(VENV)/installed: $(SOURCES) | $(VENV)/runtime
	flock $(UNFINISHED) rm -rf build
	$(INSTALL) --no-deps --no-build-isolation --force-reinstall .
	@rm -f $(UNFINISHED)
	@touch $@

demo: $(VENV)/installed ## Impair the path to a simulated inference service for a minute, and judge what that does
	@$(BIN)/impairlab demo $(DEMO_ARGS)

test: $(VENV)/dev $(VENV)/installed system-packages ## Run the tests; says how many were skipped and why
	@status=0; for part in "-n 2 tests/unit tests/contract" "tests/system tests/netem"; do \
	  echo "pytest $$part $(PYTEST_ARGS)"; $(BIN)/pytest $$part $(PYTEST_ARGS) || [ $$? = $(NO_TEST) ] || status=1; \
	done; exit $$status

unit: $(VENV)/test $(VENV)/installed ## Run the unit tests alone
	$(BIN)/pytest tests/unit $(PYTEST_ARGS)

# What the benchmark of netem is compared with; in an environment of its own, so that nothing else depends on it.
.venv-bench/tcconfig: tests/benchmarks/tcconfig.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet -r tests/benchmarks/tcconfig.txt
	@touch $@

bench: $(VENV)/test $(VENV)/installed .venv-bench/tcconfig ## Print how quick it is beside what it promises; fails when a promise is broken
	$(BIN)/python tests/benchmarks $(BENCH_ARGS)

fuzz: $(VENV)/test $(VENV)/installed ## Fuzz the parsers for FUZZ_SECONDS, 10 minutes by default
	$(BIN)/python tests/fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_ARGS)

test-all-pythons: ## Run the unit tests on each Python 3.11 to 3.14 that is here, besides the default
	@default=$$($(PYTHON) -c 'import sys; print(sys.version_info[1])'); \
	for python in $$(.ci/pythons); do \
	  minor=$$($$python -c 'import sys; print(sys.version_info[1])'); \
	  [ $$minor = $$default ] || { echo "Unit tests on $$($$python --version)"; \
	    $(MAKE) --no-print-directory PYTHON=$$python VENV=.venv-3.$$minor unit; } || exit 1; \
	done

system-packages:
	@.ci/system-packages || echo "The system packages could not be installed; tests may be skipped." >&2

lint: $(VENV)/dev $(VENV)/installed ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/dev $(VENV)/installed ## Build the documentation into docs/_build/html; warnings are errors
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

screenshots: $(VENV)/installed ## Make docs/screenshots/*.png from a run of the demo; needs chromium
	$(BIN)/python docs/screenshots/make.py

lock: $(VENV)/created ## Write requirements/*.txt anew from pyproject.toml
	$(BIN)/pip install --quiet uv
	for set in "runtime --group build" "test --group build --group test" \
	  "dev --group build --group test --group lint --group docs"; do \
	  name=$${set%% *}; $(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --python-version 3.11 \
	    --no-header --no-emit-index-url --no-annotate pyproject.toml $${set#* } -o requirements/$$name.txt || exit 1; done

clean: ## Remove what was built
	rm -rf build docs/_build docs/reference/api $(VENV) .venv-3.* .venv-bench .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
