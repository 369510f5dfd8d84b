# Everything a developer does here. `make help` lists it.

PYTHON ?= python3
BOOTSTRAP = $(PYTHON) -m deploy.local.bootstrap
LOCAL = .venv/bin/python -m deploy.local
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run parts test fuzz faults stop reset status logs verify-audit check protos bench

run: ## start the whole platform, or what of it is not running: http://localhost:27000
	@$(BOOTSTRAP) run
	@$(LOCAL) up run

parts: ## start PostgreSQL, RabbitMQ and Keycloak for tests, and keep them
	@$(BOOTSTRAP) parts
	@$(LOCAL) up test

test: ## checks and all tests; args="-k name services/identity" for some, KEEP=1 keeps the parts
	@$(BOOTSTRAP) test
	@$(LOCAL) test test $(args)

fuzz: ## made-up requests against the whole platform, all failures listed; requests=100000
	@$(BOOTSTRAP) test
	@FUZZ_REQUESTS=$(or $(requests),100000) $(LOCAL) test test tests/e2e/test_fuzz.py -s

faults: ## kill, freeze and cut off everything during 20,000 writes, and count; the long runs; hours; args="storm" for one
	@$(BOOTSTRAP) test
	@$(LOCAL) faults test $(args)

# What is below needs what `run`, `parts` or `test` installed.
stop reset status logs verify-audit check protos bench: | .venv/bin/python

.venv/bin/python:
	@echo "  Nothing is installed yet: start with \`make run\` or \`make parts\`." >&2; exit 1

stop: ## stop everything; nothing stays behind
	@$(LOCAL) down run
	@$(LOCAL) down test

reset: ## stop everything and delete its data; downloads stay
	@$(LOCAL) reset run
	@$(LOCAL) reset test

status: ## which processes run
	@$(LOCAL) status run
	@$(LOCAL) status test

logs: ## follow the logs of the running platform; s=NAME for one process
	@$(LOCAL) logs run $(s)

verify-audit: ## compare every audit trail with its seals and anchors; name what was tampered with
	@$(LOCAL) verify-audit run

check: ## formatting, lint, types, and which module may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@for part in protos chassis gateway services/identity services/customers deploy/demo "bench deploy/local deploy/keycloak tests"; do \
		echo mypy $$part; $(BIN)/mypy $$part || exit 1; done
	$(BIN)/lint-imports

protos: ## generate code from the contracts
	$(BIN)/python protos/generate.py

bench: ## measure, and write bench/RESULTS.md; args="lists" for one part of lists, calls, chain, events
	$(BIN)/python -m bench $(args)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
