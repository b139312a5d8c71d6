# Needs Python 3.11 or newer and make; everything else is obtained. `make help` lists what there is.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The oldest Python that is good enough; PYTHON=... chooses another.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null && echo "$$name" && break; done)
# uv installs the same locked files faster, where it is present.
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv)
ifneq ($(UV),)
INSTALL = uv pip install --quiet --python $(BIN)/python
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
endif

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## play a story over real HTTP and check every answer
	@$(BIN)/dmp demo

test: servers-begun $(VENV)/.dev $(VENV)/.load postgresql ## run the tests, on real PostgreSQL and real MinIO
	@$(COVERED) $(SHORT)
	@$(OTHERS) $(SHORT)

test-long: servers-begun $(VENV)/.dev $(VENV)/.load $(VENV)/.postgresql ## the same with the long runs in full
	@DMP_ORACLE_CASES=2000000 DMP_BULK_SITUATIONS=1000000 DMP_FUZZ=1000000 $(COVERED)
	@$(OTHERS)

test-citus: $(VENV)/.dev ## what stores and the journeys, on a database over a Citus cluster; Citus has to be installed
	@DMP_TEST_CITUS=1 $(PYTEST) -m "not long" tests/models tests/vault/journal tests/vault/keys tests/api/services tests/journeys

bench: servers-begun $(VENV)/.dev postgresql ## ratios, each against a reference measured in the same run
	@$(BIN)/python -m tests.benchmarks

check: lint test ## lint, types, import contracts, policy checks, then the tests

serve: $(VENV)/.run ## the service with a small demonstration population, on 127.0.0.1:8000
	@$(BIN)/dmp serve --demonstration

loadtest: $(VENV)/.load ## two minutes of load on a service it starts, with its report; LOAD="--postgres --minio" for these
	@$(BIN)/dmp-loadtest run peak --seconds 40 --step-seconds 4 --first-rate 20 $(LOAD)

lint: $(VENV)/.dev ## style, types, import contracts, policy checks
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/dmp policy check --strict
	@$(BIN)/dmp policy prove

format: $(VENV)/.dev ## rewrite the sources as ruff formats them
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

lock: ## choose the newest versions that pyproject.toml allows and write requirements/
	@uv pip compile $(LOCK) pyproject.toml --output-file requirements/run.txt
	@set -e; seen=requirements/run.txt; for group in build dev load postgresql go; do \
		cat $$seen > requirements/.seen; \
		uv pip compile $(LOCK) --group $$group --constraint requirements/.seen --output-file requirements/$$group.txt; \
		seen="$$seen requirements/$$group.txt"; done; rm requirements/.seen

clean: ## remove what was made here; the cache of the user and var/ stay
	@rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help demo test test-long test-citus bench check serve loadtest lint format lock clean servers-begun postgresql

# As many processes as there are processors; each has servers of its own. What decides and what keeps is covered entirely,
# branches included, by its own tests: measuring that takes them twice their time and more, which the others are spared,
# as are those marked `no_cover`, which go through everything once more.
PYTEST = $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal
COVERED = $(PYTEST) tests/policy tests/vault --cov --cov-report=term-missing:skip-covered --cov-fail-under=100
# None of these takes a minute; one that hangs says where, and ends its process.
SHORT = -m "not long" -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true
OTHERS = $(PYTEST) --ignore=tests/policy --ignore=tests/vault
LOCK = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--no-strip-extras \
	--custom-compile-command 'make lock' --upgrade

# ------------------------------------------------------------------------- the environment, one stamp for each layer

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.14 is needed; none was found." >&2; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)"
	@$(if $(UV),uv venv --quiet --clear --python "$$(command -v $(PYTHON))" $(VENV),$(PYTHON) -m venv --clear $(VENV))
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements/build.txt requirements/run.txt pyproject.toml
	@$(INSTALL) --require-hashes --requirement requirements/build.txt --requirement requirements/run.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev $(VENV)/.load $(VENV)/.postgresql: $(VENV)/.%: $(VENV)/.run requirements/%.txt
	@$(INSTALL) --require-hashes --requirement requirements/$*.txt
	@touch $@

# ------------------------------------------------------------------------------------------ the servers of the tests

# MinIO takes minutes to build, once for a user, SoftHSM and ClamAV a moment to obtain: that begins while the rest is
# installed, and the first test that needs one of them waits.
servers-begun:
	@$(PYTHON) -m tests.servers softhsm clamav minio >/dev/null 2>&1 &

postgresql: $(VENV)/.dev
	@$(BIN)/python -m tests.servers postgresql >/dev/null 2>&1 || $(MAKE) --no-print-directory $(VENV)/.postgresql
