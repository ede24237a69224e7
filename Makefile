# Needs nothing but make and a Python 3.11 (or newer): every target makes its own .venv.
#
#   make demo      bgadl-semi against random on digits: learning curves, pictures, a classifier
#   make serve     serve the demo's classifier: REST on port 8501, gRPC on 8500
#   make test      lint, types and the tests
#   make check     lint and types only
#   make slow      the tests that take minutes
#   make browser   the tests of the labelling page, all of them, in the chromium on the PATH
#   make labelstudio  the tests with a real Label Studio, in .venv-labelstudio (about 1 GB)
#   make pairs     every acquisition with every learner and kind of examples
#   make results   the runs behind the README's table of results
#   make updates   the runs that compare simultaneous with alternating updates
#   make features  the six arms in the features of BACKBONE, on CIFAR-10 and CIFAR-100
#   make bench     how fast it is here, beside whatever rivals there are; for the table of speed
#   make acquisitions  what one query of every acquisition costs, beside peers: hours, goes on
#   make clean     remove environments, caches and build output; runs/ is kept

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
BGADL  := $(VENV)/bin/bgadl
PIP    := $(PY) -m pip --disable-pip-version-check

# TensorFlow logs a page of hardware notes at level 1; errors are level 2 and stay.
QUIET := TF_CPP_MIN_LOG_LEVEL=1

DEMO     := --dataset digits --rounds 6 --query-size 10 --initial-size 20 --steps 150
RESULTS  ?= runs/results
UPDATES  ?= runs/updates
FEATURES ?= runs/features
JOBS     ?= 2
# Where TFDS has prepared MNIST; it is downloaded there if it has not.
DATA_DIR ?= $(HOME)/tensorflow_datasets
STUDY     = $(QUIET) $(BGADL) study --jobs $(JOBS) --data-dir $(DATA_DIR)

# The measurements of record; BENCH takes cases and flags: BENCH="serving --repeats 9".
SPEED ?= scripts/benchmarks/results.json
BENCH ?=
# The same of make acquisitions: QUERIES="--only badge --size 2000".
QUERIES ?=

# A frozen network, keras:NAME or model:FILE.keras, and the pixels that a file expects.
BACKBONE ?=
PIXELS   ?=
EMBED     = $(QUIET) $(BGADL) embed --data-dir $(DATA_DIR) --image-size 128 --views 3 \
  --backbone $(BACKBONE) $(if $(PIXELS),--pixel-range=$(PIXELS))

.PHONY: help demo serve test check slow browser labelstudio pairs results updates features bench \
  acquisitions clean install install-dev

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

$(VENV)/.installed-serve: $(VENV)/.made setup.cfg pyproject.toml
	$(PIP) install --editable '.[serve]'
	touch $(VENV)/.installed $@

$(VENV)/.installed-dev: $(VENV)/.made setup.cfg pyproject.toml
	$(PIP) install --editable '.[dev]'
	touch $(VENV)/.installed $(VENV)/.installed-serve $@

$(VENV)/.installed-bench: $(VENV)/.made setup.cfg pyproject.toml
	$(PIP) install --editable '.[bench]'
	touch $(VENV)/.installed $(VENV)/.installed-serve $@

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

demo: $(VENV)/.installed
	$(QUIET) $(PY) scripts/train.py $(DEMO) --method bgadl-semi --out runs/demo
	$(QUIET) $(PY) scripts/train.py $(DEMO) --method random --out runs/demo-random
	$(BGADL) compare runs/demo runs/demo-random \
	  --out runs/demo/figures/comparison.png
	$(BGADL) report runs/demo --against runs/demo-random

serve: $(VENV)/.installed-serve
	@test -d runs/demo/export/classifier || { echo "run make demo first" >&2; exit 1; }
	$(PY) -m bgadl_tf.serving --rest_api_port=8501 --model_name=classifier \
	  --model_base_path=runs/demo/export/classifier --enable_batching

check: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m mypy

test: check
	$(QUIET) $(PY) -m pytest -n 2 --dist loadfile

slow: $(VENV)/.installed-dev
	$(QUIET) $(PY) -m pytest -m slow

# An environment of its own: what Label Studio asks for must not change what is tested with it.
LABEL_STUDIO := .venv-labelstudio

$(LABEL_STUDIO)/.installed:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found; set PYTHON=..." >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(LABEL_STUDIO)
	$(LABEL_STUDIO)/bin/python -m pip --disable-pip-version-check install label-studio==1.23.2
	touch $@

browser: $(VENV)/.installed-dev
	$(QUIET) $(PY) -m pytest -m "slow or not slow" tests/integration/test_page.py

labelstudio: $(VENV)/.installed-dev $(LABEL_STUDIO)/.installed
	$(QUIET) $(PY) -m pytest -m labelstudio tests/integration/labelling

pairs: $(VENV)/.installed-dev
	$(QUIET) $(PY) -m pytest -n 2 -m "slow or not slow" tests/conformance/test_pairs.py

results: $(VENV)/.installed
	$(STUDY) scripts/experiments/mnist.yaml --out $(RESULTS)
	$(STUDY) scripts/experiments/mnist-labelled-only.yaml --out $(RESULTS)-labelled-only

updates: $(VENV)/.installed
	$(STUDY) scripts/experiments/updates.yaml --out $(UPDATES)

# Each dataset is embedded once; then all arms and seeds share its features.
features: $(VENV)/.installed
	@test -n "$(BACKBONE)" || { echo "say which: make features BACKBONE=keras:EfficientNetV2B0," \
	  "or BACKBONE=model:FILE.keras PIXELS=0,255" >&2; exit 1; }
	$(EMBED) --dataset cifar10 --out runs/embeddings/cifar10
	$(STUDY) scripts/experiments/cifar10-features.yaml --out $(FEATURES)/cifar10
	$(EMBED) --dataset cifar100 --out runs/embeddings/cifar100
	$(STUDY) scripts/experiments/cifar100-features.yaml --out $(FEATURES)/cifar100

bench: $(VENV)/.installed-bench
	$(QUIET) $(PY) scripts/benchmark.py $(BENCH) --out $(SPEED) --data-dir $(DATA_DIR)

acquisitions: $(VENV)/.installed-bench
	$(QUIET) $(PY) -m scripts.benchmarks.acquisitions $(QUERIES) --data-dir $(DATA_DIR)

clean:
	rm -rf $(VENV) $(LABEL_STUDIO) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
