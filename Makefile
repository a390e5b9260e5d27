# `make` lists the targets. Everything is installed into .venv from the registries pip and npm are set up with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
PEERS := .peers/installed
SOURCES := pyproject.toml constraints.txt hatch_build.py
PAGE := vega_trio/_web/index.html
WEB := $(shell find web -name node_modules -prune -o -type f -print)

# The tests start hundreds of programs: none is to compile the package, nor three workers the tests, each time anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo serve test unit torture conform lint web docs types package bench bench-peers clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 12

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "vega_trio needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

# What the demo needs: no compiler, no node, no key. The page is built by `make serve` and `make test`.
$(VENV)/.demo: $(VENV)/bin/python $(SOURCES)
	@echo 'Installing into $(VENV), which takes a minute or two ...'
	@VEGA_BUILD_WEB=never $(PIP) --editable '.[all]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python $(SOURCES)
	VEGA_BUILD_WEB=never $(PIP) --editable '.[all,dev]'
	@touch $@ $(VENV)/.demo

# The page, again when its sources have changed since it was built.
$(PAGE): $(WEB) | $(VENV)/.dev
	$(BIN)/python hatch_build.py build
	@touch $@

# MCP servers of others and the conformance suite: for tests only, never committed.
$(PEERS): $(VENV)/.dev tests/mcp/peers.py
	$(BIN)/python tests/mcp/peers.py
	@touch $@

demo: $(VENV)/.demo  ## run the main job: a two-agent code review, then a crash and its recovery (no key needed)
	$(BIN)/vega run examples/code-review.vega.yaml --workflow review --task "Write a binary search function" --model demo
	$(BIN)/python examples/library.py --model demo
	@echo
	@echo "Next: make serve, then open http://localhost:3001"

serve: $(VENV)/.dev $(PAGE)  ## build the web page and serve it with the demo model
	$(BIN)/vega serve --demo

test: $(VENV)/.dev $(PAGE) $(PEERS)  ## run all tests (the browser tests need Chromium; .ci/run installs it)
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal

unit: $(VENV)/.dev  ## run the tests that start no program, server or browser
	$(BIN)/python -m pytest -m 'not e2e' --numprocesses 2 --dist worksteal

torture: $(VENV)/.dev $(PAGE) $(PEERS)  ## kill, simulate and fuzz for some minutes
	VEGA_PACKAGE=1 $(BIN)/python -m pytest -q tests/packaging
	$(BIN)/python tests/conformance/api.py
	VEGA_KILLS=100 $(BIN)/python -m pytest -q tests/e2e/test_e2e_crash.py tests/e2e/test_e2e_torture.py
	VEGA_CANCELS=200 VEGA_KILLS=20 $(BIN)/python -m pytest -q tests/mcp/test_mcp_orphans.py
	VEGA_SEEDS=2000 $(BIN)/python -m pytest -q --numprocesses 2 --dist worksteal tests/simulation
	$(BIN)/python tests/fuzz/fuzz_dsl.py -max_total_time=60 -timeout=10 $(if $(CI),-seed=1) .fuzz
	$(BIN)/python tests/fuzz/fuzz_expr.py -max_total_time=30 -timeout=10 -max_len=60 $(if $(CI),-seed=1)
	$(BIN)/python tests/fuzz/fuzz_runs.py 30 $(if $(CI),1)
	VEGA_FUZZ=1 $(BIN)/python -m pytest -q tests/dsl/test_dsl_properties.py tests/core tests/llm/test_llm_cuts.py
	VEGA_RACES=20000 VEGA_CANCELS=400 VEGA_FUZZ=1 $(BIN)/python -m pytest -q tests/tools tests/skills tests/security
	VEGA_CROWD_S=30 $(BIN)/python -m pytest -q tests/e2e/test_e2e_crowd.py
	VEGA_LISTENERS=2000 $(BIN)/python -m pytest -q tests/serve/test_serve_crowd.py

conform: $(VENV)/.dev $(PEERS)  ## run the outside suites and the cancellation audit, and print one scorecard
	$(BIN)/python tests/conformance/scorecard.py

lint: $(VENV)/.dev  ## check style and types of Python and of the page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet vega_trio tests hatch_build.py docs/site
	$(BIN)/mypy
	$(BIN)/python hatch_build.py lint

web: $(PAGE)  ## rebuild the web page

docs: $(VENV)/.dev  ## build the documentation as a site, into build/site
	$(BIN)/python docs/site/site_build.py

types: $(VENV)/.dev  ## make the page's types anew from the models of the API (after a change to them)
	$(BIN)/python hatch_build.py types

package: $(VENV)/.dev $(PAGE)  ## build the wheel and the source distribution, install and try them in fresh environments
	VEGA_PACKAGE=1 $(BIN)/python -m pytest -q tests/packaging

bench: $(VENV)/.dev  ## run the benchmarks, `make bench QUICK=1` a part of them, into build/bench
	$(BIN)/python tests/bench/run.py $(if $(QUICK),--quick) $(if $(DOCS),--docs)

bench-peers: $(VENV)/.dev  ## install the libraries that make bench compares with (1.5 GB)
	$(BIN)/python tests/bench/cases/contenders.py

clean:  ## remove what the other targets made
	rm -rf $(VENV) .peers build dist vega_trio/_web web/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz
