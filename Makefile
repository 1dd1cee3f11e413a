# `make demo` and `make test` set everything up by themselves; a second run starts in seconds.
# Needs Debian (or the like) with Python 3.11 or later and pip's usual package index.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SHELL  := /bin/bash

.PHONY: help demo test heavy bench lint format setup chromium clean

help:
	@echo "make demo    the service with sample calls flowing in; prints the pages' addresses"
	@echo "make test    ruff, mypy --strict, import rule, all tests but the heavy ones"
	@echo "make heavy   the long suites: crashes under load, whole corpora, latency"
	@echo "make bench   Becalm beside a naive peer, a quarter of an hour; writes BENCHMARKS.md"
	@echo "make format  ruff format and the safe fixes"

demo: $(READY)
	$(BIN)/becalm demo

test: lint chromium
	$(BIN)/python -m pytest

heavy: $(READY)
	$(BIN)/python -m pytest -m heavy

bench: $(READY)
	$(BIN)/python -m tests.bench.run

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

setup: $(READY)

# torch goes in first and by itself: any looser request for it pulls gigabytes of GPU libraries.
$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); } || \
	  { echo "make: cannot create $(VENV); install Python's venv module (Debian: python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet -e '.[plot,dev]' -c constraints.txt
	@touch $@

# The browser tests want Chromium and a font with CJK; without them they are skipped and say so.
chromium:
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing chromium and fonts for the browser tests"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core fonts-noto-cjk >/dev/null \
	    || echo "make: chromium could not be installed; the browser tests will be skipped" >&2; \
	else echo "make: no chromium and not root; the browser tests will be skipped" >&2; fi

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
