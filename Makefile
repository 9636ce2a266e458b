# `make run` and `make test` work from a fresh clone: whatever they need is installed into .venv.

PY ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
RAY := .venv/.with-ray
DOCS := .venv/.with-docs
PEERS := .venv/.with-peers

unexport PYTHONDONTWRITEBYTECODE  # else each process that a test starts compiles all modules anew

.DEFAULT_GOAL := help
.PHONY: help install run test test-fast test-all coverage reproduce bench wheel check docs format ui clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(INSTALLED)  ## make .venv and install the project with everything it needs

$(INSTALLED): pyproject.toml constraints.txt
	$(PY) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,search,slurm,tensorboard,onnx]'
	@touch $@

$(RAY): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[ray]'
	@touch $@

$(DOCS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

$(PEERS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

run: $(INSTALLED)  ## train on 5,000 real digits (nothing to download) and show the result
	$(BIN)/python -m mlp.run $(ARGS)

test: $(INSTALLED)  ## run the tests, a few minutes on two cores
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

test-fast: $(INSTALLED)  ## run all but the end-to-end tests, under 30 seconds
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not e2e and not slow' $(ARGS)

test-all: $(RAY)  ## run the slow tests too (installs Ray)
	$(BIN)/python -m pytest -n auto --dist worksteal -m '' $(ARGS)

# Those that take minutes; the others are run by their own commands, and appear on the page too.
PRESETS := lecun1998_linear lecun1998_linear_deskewed lecun1998_300 lecun1998_300_deskewed \
  lecun1998_300_distorted lecun1998_1000 lecun1998_300_100 lecun1998_300_100_distorted \
  lecun1998_500_150 lecun1998_500_150_distorted hinton2005_500_300 nielsen_ch3 keras_mnist_mlp \
  sklearn_mlp simard2003_ce

reproduce: $(PRESETS:%=reproduce-%)  ## run the presets of published results, write docs/reproduction.md
	$(BIN)/python bench/reproduction.py

reproduce-%: $(INSTALLED)  # one that fails is no reason to leave out the others
	-$(BIN)/python -m mlp.run -m experiment=$* 'seed=range(3)' sweep.test=all sweep.name=$* $(ARGS)

bench: $(PEERS)  ## measure on a quiet machine for 20 minutes, write docs/performance.md
	for part in steps runs busy growth report; do \
	  $(BIN)/python -m bench.performance $$part $(ARGS) || exit; \
	done

coverage: $(INSTALLED)  ## run the tests and show the branches that none of them takes
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term-missing:skip-covered $(ARGS)

wheel:  ## build the wheel, install it elsewhere, and train from it
	PY=$(PY) .ci/wheel

check: $(INSTALLED)  ## lint, formatting, types, the order of the rooms, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/codespell

docs: $(DOCS)  ## build the documentation into site/, a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

format: $(INSTALLED)  ## sort the imports and format the code
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

ui: $(INSTALLED)  ## serve MLflow's UI on this project's runs, and say where (ARGS="--port 5001")
	@exec $(BIN)/python -m mlp.ui $(ARGS)

clean:  ## delete .venv and the caches of the tools; runs/ and data/ stay
	rm -rf .venv build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find mlp tests conf docs bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
