# Everything is done from .venv, which is made from the hashed locks when it is missing or older
# than they are. `make demo` and `make run` install the run-time lock only; the rest, dev.txt.

PYTHON ?= python3
CONFIG ?= config/example.yaml
SEEDS ?= 500
KILLS ?= 40
WORKERS ?= 2
BENCH_ARGS ?=

BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# No source archives: building one would fetch build tools that no lock names.
LOCKED := --require-hashes --no-deps --only-binary :all:
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run test lint format sim e2e kill bench generate lock clean

help:  ## show this table
	@echo "usage: make TARGET [NAME=value]"
	@echo
	@sed -nE 's/^([a-z]+):[^#]*## (.*)$$/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 13
	@echo
	@echo "PYTHON=$(PYTHON) makes the environment; it needs to be 3.11 or newer"

demo: .venv/.ready-run  ## watch logs travel to a small receiver on this machine, with faults
	$(BIN)/python -m logagent demo

run: .venv/.ready-run  ## run the agent with CONFIG=config/example.yaml
	$(BIN)/python -m logagent run --config $(CONFIG)

test: lint  ## lint, types, then all tests that need no server
	$(BIN)/python -m pytest tests --ignore=tests/e2e -p no:benchmark -n $(WORKERS) --dist worksteal

lint: .venv/.ready-dev  ## ruff and mypy, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.ready-dev  ## let ruff format the code and fix what it can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

sim: .venv/.ready-dev  ## the simulator alone, over SEEDS=500 seeds
	SIM_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/sim -p no:benchmark -n $(WORKERS)

e2e: .venv/.ready-dev  ## real servers and processes: needs Java 17, Maven, Go and strace
	$(BIN)/python -m pytest tests/e2e -m e2e -p no:benchmark

kill: .venv/.ready-dev  ## kill -9 the agent KILLS=40 times under load, then count each line
	$(BIN)/python -m tests.e2e.kill_loop --kills $(KILLS)

bench: .venv/.ready-dev  ## measure, and print a table (BENCH_ARGS are handed on)
	$(BIN)/python -m bench $(BENCH_ARGS)

generate: .venv/.ready-dev  ## write config/reference.yaml and config/schema.json again
	$(BIN)/python -m logagent reference > config/reference.yaml.new
	$(BIN)/python -m logagent schema > config/schema.json.new
	mv config/reference.yaml.new config/reference.yaml
	mv config/schema.json.new config/schema.json

# Each lock is held to those above it, so that a package has one version in all of them.
lock: .venv/.ready-dev  ## resolve requirements/*.txt again (UPGRADE=--upgrade for newer versions)
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements/runtime.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra aws \
		-c requirements/runtime.txt -o requirements/aws.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra elasticsearch \
		-c requirements/aws.txt -o requirements/elasticsearch.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra kafka \
		-c requirements/elasticsearch.txt -o requirements/kafka.txt
	$(LOCK) $(UPGRADE) pyproject.toml requirements/dev.in --all-extras \
		-c requirements/elasticsearch.txt -c requirements/kafka.txt -c requirements/aws.txt \
		-o requirements/dev.txt

clean:  ## remove the environment and everything that can be made again
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	rm -rf build dist bench/.cache bench/out *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready-run: requirements/runtime.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("needs Python 3.11")'
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) $(LOCKED) -r requirements/runtime.txt
	@touch $@

# The checkout itself comes last, with the build backend of the lock: nothing is fetched for it.
.venv/.ready-dev: .venv/.ready-run requirements/dev.txt pyproject.toml
	$(PIP_INSTALL) $(LOCKED) -r requirements/dev.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@
