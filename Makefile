# `make demo` and `make test` set up what they need in .venv on any machine with Python >= 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A worker for each processor, so the BLAS needs no threads of its own beside them.
PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal
SOURCES := pyproject.toml setup.py $(wildcard pairvote/_kernels/*.py)

# The rooms that call kernels.
WITH_KERNELS := kernels votes inference scoring ranking sampling simulation

.PHONY: demo test test-quick test-interpreted test-checked lint types docs wheel bench clean

demo: $(VENV)/installed-all
	$(BIN)/pairvote demo

test: $(VENV)/installed-test
	$(PYTEST)

test-quick: $(VENV)/installed-test
	$(PYTEST) -m 'not slow'

# Every kernel gives the same bits compiled and interpreted, which tests/kernels holds. So interpreted ones need the tests of
# the rooms that call them, and of these not the slow ones.
test-interpreted: $(VENV)/installed-test
	PAIRVOTE_KERNELS=python $(PYTEST) -m 'not servers and not slow' $(addprefix tests/,$(WITH_KERNELS))

# Needs gcc: bounds checks and sanitizers, in build/checked, beside the kernels of the checkout.
test-checked: $(VENV)/installed-dev
	.ci/test_checked $(BIN)/python

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

docs: $(VENV)/installed-dev
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/docs

wheel: $(VENV)/installed-dev
	rm -rf dist
	$(BIN)/python -m build --wheel

bench: $(VENV)/installed-test
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of extras; the kernels are compiled again when their sources change.
$(VENV)/installed-%: $(VENV)/bin/python $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info pairvote/_kernels/*.so
