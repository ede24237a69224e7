# Needs nothing but make and a Python 3.11 (or newer): every target makes its own .venv.
#
#   make demo      BGADL against random on real digits: learning curves, pictures, a classifier
#   make test      lint, types and the tests
#   make check     lint and types only
#   make slow      the tests that take minutes
#   make results   the runs behind the README's table of results
#   make clean     remove .venv, caches and build output; runs/ is kept

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first that starts and is new enough; a name on the PATH alone may be a dead shim.
PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && command -v $$name && break; done)
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip --disable-pip-version-check

# TensorFlow logs a page of hardware notes at level 1; errors are level 2 and stay.
QUIET := TF_CPP_MIN_LOG_LEVEL=1

DEMO     := --dataset digits --rounds 6 --query-size 10 --initial-size 20 --steps 150
RESULTS  ?= runs/results
JOBS     ?= 2
SEEDS    ?= 0 1 2
ARMS     ?= bgadl bald random al-acgan al-pmda bda bda-full
# The arms whose order is the claim get further seeds.
HEADLINE ?= bgadl bald random
FURTHER  ?= 3 4 5 6
# Where TFDS has prepared MNIST; it is downloaded there if it has not.
DATA_DIR ?= $(HOME)/tensorflow_datasets
PROTOCOL ?= --dataset mnist --data-dir $(DATA_DIR) --classifier gal_cnn --initial-size 100 \
  --rounds 8 --query-size 50 --steps 300 --batch-size 50 --precision mixed_bfloat16 \
  --option acgan.width=0.5 --option vaeacgan.width=0.5

.PHONY: help demo test check slow results clean install install-dev

help:
	@sed -n 's/^#   \(make .*\)/\1/p' Makefile

# A stamp is touched only after pip has succeeded, so an interrupted installation is taken up
# again. "venv" over a half-made folder completes it; one whose interpreter does not start,
# or that is too damaged for pip, is made anew.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found; set PYTHON=..." >&2; exit 1; }
	$(PY) -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV)
	touch $@

$(VENV)/.installed: $(VENV)/.made setup.cfg pyproject.toml
	$(PIP) install --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.made setup.cfg pyproject.toml
	$(PIP) install --editable '.[dev]'
	touch $(VENV)/.installed $@

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

demo: $(VENV)/.installed
	$(QUIET) $(PY) scripts/train.py $(DEMO) --method bgadl --out runs/demo
	$(QUIET) $(PY) scripts/train.py $(DEMO) --method random --out runs/demo-random
	$(PY) scripts/experiment.py compare runs/demo runs/demo-random \
	  --out runs/demo/figures/comparison.png

check: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m mypy

test: check
	$(QUIET) $(PY) -m pytest -n 2

slow: $(VENV)/.installed-dev
	$(QUIET) $(PY) -m pytest -m slow

results: $(VENV)/.installed
	$(QUIET) $(PY) scripts/experiment.py run --arms $(ARMS) --seeds $(SEEDS) --jobs $(JOBS) \
	  --out $(RESULTS) -- $(PROTOCOL)
	$(QUIET) $(PY) scripts/experiment.py run --arms $(HEADLINE) --seeds $(FURTHER) --jobs $(JOBS) \
	  --out $(RESULTS) -- $(PROTOCOL)
	$(QUIET) $(PY) scripts/experiment.py run --arms bgadl --seeds $(SEEDS) --jobs $(JOBS) \
	  --out $(RESULTS)-labelled-only -- $(PROTOCOL) --option vaeacgan.unlabelled=false
	$(PY) scripts/experiment.py report $(RESULTS)
	$(PY) scripts/experiment.py report $(RESULTS)-labelled-only

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
