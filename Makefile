# SPDX-License-Identifier: Apache-2.0
# Every verb does its own set-up, and does it again only when the locks change.

.DEFAULT_GOAL := help
.PHONY: help setup console servers demo test style types bench chaos lock clean
BIN := .venv/bin
# Two at a time, file by file, in the order of the folders: the long ones of acceptance come first.
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
export PYTHON UPGRADE

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from the locks, and the console if npm is here
	@scripts/setup
	@scripts/console

console: ## build the console; needs npm and Node 20
	@scripts/console must

servers: setup ## install the servers that the tests start
	@scripts/servers

demo: setup ## run the gateway against the simulator: http://127.0.0.1:8080
	@$(BIN)/wigwag demo

test: style types servers ## check style, types and behaviour
	@$(PYTEST)

style: setup ## check the format and the rules of ruff
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: setup ## check the types with mypy --strict
	@$(BIN)/mypy

LONG := $(addprefix bench/,backlog.py console.py fuzz.py kills.py nodes.py openapi.py pairing.py roster_model.py sockets.py trouble.py wire.py)
bench: setup ## measure what docs and issues promise; the long ones of bench/README.md are run by name
	@set -e; for measure in $(filter-out $(LONG),$(wildcard bench/*.py)); do echo "» $$measure"; $(BIN)/python $$measure; done

chaos: servers ## only the tests that cut links and kill processes
	@$(PYTEST) -m chaos

lock: setup ## pin every package again; UPGRADE=1 takes the newest versions
	@scripts/lock

clean: ## remove what can be made again
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find src tests -name __pycache__ -prune -exec rm -rf {} +
