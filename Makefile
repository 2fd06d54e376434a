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
# the packages of an extra by name: the project itself stays installed, so that what runs beside pip finds it
extra = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$(1)"])'
# A checkout keeps its data to itself: two of them never meet, and nothing stays behind when one is deleted.
DATA ?= data
CONFIG ?=
ARGS ?=

STAMPS := .venv/.stamps
DISTRIBUTE = PATH="$$PWD/$(BIN):$$PATH" $(BIN)/python packaging/build.py
# what is made for the page's build is none of its sources
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -type f ! -name openapi.json ! -path web/src/api/schema.ts -print 2>/dev/null)
PROGRAM_SOURCES := $(shell find observatory -name '*.py' -o -name '*.sql' -o -name '*.service' -o -name '*.py[xd]' -o -name '*.pxi' -o -name prices.json 2>/dev/null)
KERNEL_SOURCES := $(shell find observatory/otlp observatory/semconv observatory/model -name '*.py[xd]' -o -name '*.pxi' -o -name jsonwire.py -o -name hashtable.py 2>/dev/null)

.PHONY: help setup run test test-fast test-blackbox test-dist bench web kernel config docs dist dist-dir deb wheels screenshots clean distclean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: ## everything that running and testing need, in .venv and node_modules
	@$(MAKE) --no-print-directory --silent --jobs 4 $(addprefix $(STAMPS)/,dev kernel web node-clients node-examples sdk-clients)
	@.ci/need compiler $(BIN)/python
	@.ci/need chromium
	@.ci/need curl
	@.ci/need sender

run: $(STAMPS)/server $(STAMPS)/kernel $(STAMPS)/web ## start the appliance (DATA=dir CONFIG=file ARGS='--listen …')
	@exec $(BIN)/observatory serve --data $(DATA) $(if $(CONFIG),--config $(CONFIG)) $(ARGS)

test: setup ## every check and every test
	@.ci/test

test-fast: setup ## the tests that take seconds: no child processes, no browser
	@$(BIN)/pytest -q -m "not slow and not browser" --ignore tests/blackbox --ignore tests/browser --ignore tests/sdk --ignore tests/dist

test-blackbox: setup ## the appliance as a child process: killed, starved, cut off
	@.ci/pytest build/pytest-blackbox.txt tests/blackbox

test-dist: setup $(STAMPS)/dist ## build the executable and test it: alone in an empty root, watched by strace, walked as the README says
	@.ci/need strace
	@.ci/need buildah
	@$(MAKE) --no-print-directory dist dist-dir deb
	@OBSERVATORY_BIN=$(CURDIR)/dist/observatory .ci/pytest build/pytest-dist.txt tests/dist tests/flow/test_first_run.py tests/flow/test_formats.py tests/blackbox/test_shutdown.py

bench: $(STAMPS)/dev $(STAMPS)/kernel $(STAMPS)/sdk-clients ## the figures, one JSON line each
	@.ci/need sender
	@$(BIN)/python -m benchmarks.kernel --json
	@$(BIN)/python -m benchmarks.ingest --proto http
	@$(BIN)/python -m benchmarks.ingest --proto grpc
	@$(BIN)/python -m benchmarks.query
	@$(BIN)/python -m benchmarks.start
	@$(BIN)/python -m benchmarks.policies
	@$(BIN)/python -m benchmarks.sdk
	@.ci/need chromium
	@$(BIN)/python -m benchmarks.ui

web: $(STAMPS)/web ## build the page into observatory/api/static

kernel: $(STAMPS)/kernel ## build the native decoder in place

config: $(STAMPS)/server ## write config.toml and its JSON schema from the code
	$(BIN)/observatory config default > config.toml
	$(BIN)/observatory config schema > docs/config.schema.json

docs: $(STAMPS)/docs ## build the documentation into observatory/api/site, from where /docs is served

# KEY=file: an ed25519 private key (PEM) that signs what is built
dist: $(STAMPS)/frozen wheels ## dist/observatory: one file for any Linux on x86-64, bill of materials, licences, checksums (KEY=file signs)
	@$(DISTRIBUTE) executable $(if $(KEY),--key $(KEY)) $(if $(LEVEL),--level $(LEVEL))

dist-dir: $(STAMPS)/frozen ## dist/observatory-….tar.gz: the same as a directory, which unpacks nothing at a start
	@$(DISTRIBUTE) directory $(if $(KEY),--key $(KEY))

deb: $(STAMPS)/frozen ## dist/….deb: program, unit, user, configuration, data directory
	@$(DISTRIBUTE) deb $(if $(KEY),--key $(KEY))

wheels: $(STAMPS)/server $(STAMPS)/web ## dist/: a compiled wheel and a pure one
	@rm -rf build/lib* build/bdist* dist/*.whl
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build/lib* build/bdist*
	@OBSERVATORY_PURE=1 $(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls -l dist

screenshots: setup ## docs/screenshots from a living appliance
	@$(BIN)/python -m tests.browser.screenshots

clean: ## remove what was built; data and .venv stay
	rm -rf build dist *.egg-info observatory/api/static observatory/api/site observatory/api/wheels .pytest_cache .ruff_cache .hypothesis .import_linter_cache test-results $(STAMPS)/kernel $(STAMPS)/web $(STAMPS)/docs $(STAMPS)/sdk $(STAMPS)/frozen
	find observatory -name '*.so' -delete
	rm -f observatory/otlp/*.c observatory/otlp/*.cpp
	find observatory tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## … and .venv and node_modules
	rm -rf .venv .venv-sdk web/node_modules tests/flow/node/node_modules docs/examples/typescript/node_modules

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
	@$(PIP) install $$($(call extra,dev))
	@touch $@

$(STAMPS)/dist: $(STAMPS)/dev $(STAMPS)/kernel $(STAMPS)/web
	@.ci/need launcher
	@echo "installing what builds the executable"
	@$(PIP) install $$($(call extra,dist))
	@touch $@

$(STAMPS)/docs: $(STAMPS)/dist packaging/docs/mkdocs.yml packaging/docs/hooks.py README.md CHANGELOG.md config.toml $(shell find docs -name node_modules -prune -o -type f -print) $(PROGRAM_SOURCES)
	@echo "building the documentation"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file packaging/docs/mkdocs.yml --site-dir $(CURDIR)/observatory/api/site
	@touch $@

# Wheels without compiled code, so that one set serves applications on every platform: what the SDK needs, and the SDK.
build/wheelhouse/.complete: $(STAMPS)/dist pyproject.toml
	@echo "collecting the wheels that the SDK needs"
	@rm -rf build/wheelhouse && mkdir -p build/wheelhouse
	@$(PIP) download --dest build/wheelhouse --only-binary :all: --platform any --implementation py --abi none --python-version 3.11 \
	    $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")') \
	    opentelemetry-exporter-otlp-proto-http # the README's first trace without the SDK
	@touch $@

$(STAMPS)/sdk: build/wheelhouse/.complete $(STAMPS)/docs $(STAMPS)/web setup.py $(PROGRAM_SOURCES)
	@echo "building the SDK's wheel"
	@rm -rf build/lib* build/bdist* observatory/api/wheels && mkdir -p observatory/api/wheels
	@OBSERVATORY_PURE=1 $(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheelhouse .
	@cp build/wheelhouse/*.whl observatory/api/wheels
	@touch $@

$(STAMPS)/frozen: $(STAMPS)/sdk $(PROGRAM_SOURCES) $(shell find packaging -type f -name '*.py' -o -name '*.spec' 2>/dev/null)
	@echo "freezing the program"
	@$(DISTRIBUTE) freeze
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

$(STAMPS)/node-examples: docs/examples/typescript/package-lock.json
	@.ci/need node
	@mkdir -p $(STAMPS)
	@echo "installing what the TypeScript examples import"
	@cd docs/examples/typescript && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The libraries that the SDK instruments, in environments of their own: their dependencies fit neither ours nor one another.
$(STAMPS)/sdk-clients: $(STAMPS)/dev .ci/sdk-venv $(wildcard tests/sdk/requirements/*.txt)
	@printf '%s\n' clients frameworks gateways oldest 'base 3.12' 'base 3.13' | xargs -P 3 -L 1 .ci/sdk-venv
	@touch $@
