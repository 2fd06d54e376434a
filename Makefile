# make run    sets up what is needed, builds the kernel and the page, starts the appliance
# make test   sets up what is needed and runs every check and every test
# make help   the other targets

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
# A checkout keeps its data to itself: two of them never meet, and nothing stays behind when one is deleted.
DATA ?= data
CONFIG ?=
ARGS ?=

STAMPS := .venv/.stamps
# what is made for the page's build is none of its sources
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -type f ! -name openapi.json ! -path web/src/api/schema.ts -print 2>/dev/null)
KERNEL_SOURCES := $(shell find observatory/otlp observatory/semconv -name '*.py[xd]' -o -name '*.pxi' -o -name jsonwire.py 2>/dev/null)

.PHONY: help setup run test test-fast test-blackbox bench web kernel config wheels screenshots clean distclean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(STAMPS)/dev $(STAMPS)/kernel $(STAMPS)/web $(STAMPS)/node-clients ## everything that running and testing need, in .venv and node_modules
	@.ci/need compiler $(BIN)/python
	@.ci/need chromium
	@.ci/need curl
	@.ci/need sender

run: $(STAMPS)/server $(STAMPS)/kernel $(STAMPS)/web ## start the appliance (DATA=dir CONFIG=file ARGS='--listen …')
	@exec $(BIN)/observatory serve --data $(DATA) $(if $(CONFIG),--config $(CONFIG)) $(ARGS)

test: setup ## every check and every test
	@.ci/test

test-fast: setup ## the tests that take seconds: no child processes, no browser
	@$(BIN)/pytest -q -m "not slow and not browser" --ignore tests/blackbox --ignore tests/browser

test-blackbox: setup ## the appliance as a child process: killed, starved, cut off
	@$(BIN)/pytest tests/blackbox

bench: $(STAMPS)/dev $(STAMPS)/kernel ## the figures, one JSON line each
	@.ci/need sender
	@$(BIN)/python -m benchmarks.kernel --json
	@$(BIN)/python -m benchmarks.ingest --proto http
	@$(BIN)/python -m benchmarks.ingest --proto grpc
	@$(BIN)/python -m benchmarks.query
	@$(BIN)/python -m benchmarks.start
	@.ci/need chromium
	@$(BIN)/python -m benchmarks.ui

web: $(STAMPS)/web ## build the page into observatory/api/static

kernel: $(STAMPS)/kernel ## build the native decoder in place

config: $(STAMPS)/server ## write config.toml and its JSON schema from the code
	$(BIN)/observatory config default > config.toml
	$(BIN)/observatory config schema > docs/config.schema.json

wheels: $(STAMPS)/server $(STAMPS)/web ## dist/: a compiled wheel and a pure one
	@rm -rf build/lib* build/bdist* dist
	@$(PIP) wheel --no-deps --wheel-dir dist .
	@rm -rf build/lib* build/bdist*
	@OBSERVATORY_PURE=1 $(PIP) wheel --no-deps --wheel-dir dist .
	@ls -l dist

screenshots: setup ## docs/screenshots from a living appliance
	@$(BIN)/python -m tests.browser.screenshots

clean: ## remove what was built; data and .venv stay
	rm -rf build dist *.egg-info observatory/api/static .pytest_cache .ruff_cache .hypothesis .import_linter_cache test-results $(STAMPS)/kernel $(STAMPS)/web
	find observatory -name '*.so' -delete
	rm -f observatory/otlp/*.c observatory/otlp/*.cpp
	find observatory tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## … and .venv and node_modules
	rm -rf .venv web/node_modules tests/flow/node/node_modules

# ── what the targets stand on; each stamp is newer than what it was made from, so a second run does nothing

.venv/bin/python:
	@python=$$(.ci/need python); echo "making .venv with $$python"; "$$python" -m venv .venv

$(STAMPS)/server: .venv/bin/python pyproject.toml setup.py
	@echo "installing the server's packages"
	@mkdir -p $(STAMPS)
	@$(PIP) install 'setuptools>=77' wheel 'cython>=3.1'
	@OBSERVATORY_PURE=1 $(PIP) install --no-build-isolation -e '.[server]'
	@touch $@

$(STAMPS)/dev: $(STAMPS)/server
	@echo "installing the packages of development"
	@OBSERVATORY_PURE=1 $(PIP) install --no-build-isolation -e '.[server,dev]'
	@touch $@

# Without a compiler the appliance still runs, on the slow decoder, and says so; `make setup` insists.
$(STAMPS)/kernel: $(STAMPS)/server $(KERNEL_SOURCES) setup.py
	@if .ci/need compiler $(BIN)/python; then \
	    echo "building the native decoder"; mkdir -p build; \
	    $(BIN)/python setup.py build_ext --inplace > build/kernel.txt 2>&1 && compgen -G 'observatory/otlp/_kernel*.so' > /dev/null \
	        || { tail -n 40 build/kernel.txt; echo "the native decoder did not build; all of it is in build/kernel.txt" >&2; exit 1; }; \
	    touch $@; \
	else echo "going on without the native decoder: the pure-Python one is some 30 times slower" >&2; fi

# the page's types of the API are those of the document the server serves
$(STAMPS)/web: $(STAMPS)/server web/package-lock.json $(WEB_SOURCES) $(wildcard observatory/api/openapi*.py)
	@.ci/need node
	@mkdir -p $(STAMPS)
	@if [ ! -e web/node_modules/.stamp ] || [ web/package-lock.json -nt web/node_modules/.stamp ]; then \
	    echo "installing the page's packages"; cd web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.stamp; fi
	@echo "building the page"
	@$(BIN)/python -m observatory.api.openapi > web/openapi.json
	@npm --prefix web run --silent types > /dev/null
	@npm --prefix web run --silent build
	@touch $@

$(STAMPS)/node-clients: tests/flow/node/package-lock.json
	@.ci/need node
	@mkdir -p $(STAMPS)
	@echo "installing the Node exporters that the tests run"
	@cd tests/flow/node && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
