# Every target does its own set-up first; `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
ENGINE ?=
ARGS ?=

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv/bin
RUNTIME := $(PYTHON) scripts/bootstrap.py
DEV := $(PYTHON) scripts/bootstrap.py --dev

.PHONY: help demo run test test-all check opa fmt openapi predicates ledger-docs pins parity bench-decisions bench-hostile bench-moderation

help: ## List the targets
	@awk -F ':.*## ' '/^[a-zA-Z%-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## See a governed inference end to end on real photos, then stop everything
	@$(RUNTIME) && exec $(VENV)/python -m scripts.demo $(ARGS)

run: ## Keep a seeded Assent running on PORT (8000), deciding with ENGINE (rego, opa, casbin), until Ctrl-C
	@$(RUNTIME) && { [ "$(ENGINE)" != opa ] || $(VENV)/python -m scripts.install_opa; } && PORT=$(PORT) ENGINE=$(ENGINE) exec $(VENV)/python -m scripts.run $(ARGS)

test: ## Run all tests, shuffled and over all cores; ARGS="-k name" for some, ARGS="-n 0" in one process
	@$(DEV) && $(VENV)/python -m scripts.install_chromium && $(VENV)/python -m scripts.install_opa && exec $(VENV)/python -m pytest -n auto $(ARGS)

test-all: ## Run all tests in their long forms, parity on 2,000 examples and every benchmark briefly
	@$(DEV) && $(VENV)/python -m scripts.install_chromium && $(VENV)/python -m scripts.install_opa && exec $(VENV)/python -m scripts.test_all $(ARGS)

check: ## Check lint, format, types, layers, migrations, OpenAPI, policies; ARGS="lint types" for some
	@$(DEV) && $(VENV)/python -m scripts.install_opa && exec $(VENV)/python -m scripts.check $(ARGS)

opa: ## Get an Open Policy Agent into var/tools unless one is on PATH, and print where it is
	@$(RUNTIME) && exec $(VENV)/python -m scripts.install_opa --path

fmt: ## Format the code and repair what lint can repair
	@$(DEV) && $(VENV)/ruff format . && $(VENV)/ruff check --fix .

openapi: ## Write docs/openapi.yaml from the code
	@$(DEV) && exec $(VENV)/python -m scripts.openapi

predicates: ## Write docs/predicates.md from the schemas of statements
	@$(DEV) && exec $(VENV)/python -m scripts.predicates

ledger-docs: ## Write docs/ledger.md from the declared kinds of ledger entries
	@$(DEV) && exec $(VENV)/python -m scripts.ledger_docs

pins: ## Write constraints.txt from .venv after changing a requirement file
	@$(DEV) && exec $(VENV)/python -m scripts.pin

parity: ## Hold rego, OPA, Casbin and SQL against one another on N (500) random examples; SEED= to repeat
	@$(DEV) && $(VENV)/python -m scripts.install_opa && exec $(VENV)/python -m scripts.parity --examples $(or $(N),500) $(if $(SEED),--seed $(SEED))

bench-decisions: ## Measure decisions on every engine with 10 to 10,000 rules
	@$(RUNTIME) && $(VENV)/python -m scripts.install_opa && exec $(VENV)/python -m benchmarks.decisions

bench-hostile: ## Upload and run hundreds of hostile and odd files at a stack of its own, and measure what they cost
	@$(DEV) && exec $(VENV)/python -m benchmarks.hostile $(ARGS)

bench-moderation: ## Score every photograph in the installed packages: none of them may be denied
	@$(DEV) && exec $(VENV)/python -m benchmarks.moderation $(ARGS)

bench-%: ## Run one benchmark of benchmarks/, for example make bench-policy
	@$(RUNTIME) && exec $(VENV)/python -m benchmarks.$*
