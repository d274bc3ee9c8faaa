# Thin on purpose: each goal is the commands that one would type. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench demo console models contracts deps supply pebble
SHELL := /bin/bash

# Where cargo builds; also the home of tools that only this project uses. All of it is git-ignored.
export TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
NPM := scripts/node.sh $(TARGET)
CONSOLE := web-admin/dist/index.html
MODULES := web-admin/node_modules/.package-lock.json
NEXTEST := 0.9.143
RUN_BENCH = PYTHONDONTWRITEBYTECODE=1 $(TARGET)/bench/bin/python bench
MEASURED = --binary $(TARGET)/dist/holdfast --data $(TARGET)
# Beside the data folder of `make run`, where serve finds it; git-ignored.
MODELS := models

help: ## This list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: ## Build everything and serve (ARGS="--http 127.0.0.1:8081" to change how)
	@scripts/install.sh run
	@$(MAKE) --no-print-directory $(CONSOLE)
	@scripts/models.sh $(MODELS) || echo "Without models, search is by words alone."
	cargo build --release --locked
	$(TARGET)/release/holdfast serve $(ARGS)

test: deps models ## Everything that must hold: format, lints, all tests on both engines, console, browser, API fuzzing
	cargo fmt --all --check
	$(NPM) run lint
	$(NPM) run typecheck
	$(NPM) run test
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo build --workspace --all-targets --locked
	PATH="$(TARGET)/schemathesis/bin:$$PATH" cargo nextest run --workspace --locked
	CHROMIUM=$$(command -v chromium chromium-browser | head -n 1) HOLDFAST_BIN=$(TARGET)/debug/holdfast $(NPM) run e2e
	python3 demo/demo.py --binary $(TARGET)/debug/holdfast --models $(MODELS) --manuals $(TARGET)/demo --pages 150 --check
	$(TARGET)/schemathesis/bin/python tests/openai_sdk.py sqlite
	$(TARGET)/schemathesis/bin/python tests/openai_sdk.py postgres
	python3 tests/framing.py $(TARGET)/debug/holdfast 3000
	tests/schemathesis.sh sqlite 25
	tests/schemathesis.sh postgres 8

check: $(CONSOLE) models ## The quick part, under a minute when warm: format, lints, unit tests on SQLite, types, sizes
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo nextest run --workspace --lib --bins -E 'not test(postgres)'
	$(NPM) run typecheck
	@python3 scripts/sizes.py

demo: models ## Load two real manuals, ask what is known and show the cited answers (DEMO="--pages 150" for a part)
	@scripts/install.sh run
	@$(MAKE) --no-print-directory $(CONSOLE)
	cargo build --release --locked
	python3 demo/demo.py --binary $(TARGET)/release/holdfast --models $(MODELS) --manuals $(TARGET)/demo $(DEMO)

fmt: ## Format all Rust
	cargo fmt --all

console: $(CONSOLE) ## Build the web console into web-admin/dist

models: ## Fetch the embedding models (100 MB over the network, 71 MB kept; skipped when there)
	@scripts/models.sh $(MODELS)

contracts: ## Write web-admin/openapi.json, schema.graphql and the typed client anew; review the diff
	cargo build --locked
	$(TARGET)/debug/holdfast openapi > web-admin/openapi.json
	$(TARGET)/debug/holdfast graphql-schema > web-admin/schema.graphql
	$(NPM) run generate

bench: models ## Speed on this machine: the API, documents, chat, edge and certificates, beside their peers (BENCH=--quick to try it)
	@scripts/install.sh bench
	@$(MAKE) --no-print-directory $(CONSOLE) $(TARGET)/bench/.installed
	cargo build --profile dist --locked -p holdfast -p bench-certificates
	$(RUN_BENCH)/run.py $(MEASURED) $(BENCH)
	$(RUN_BENCH)/knowledge.py $(MEASURED) --models $(MODELS) --manuals $(TARGET)/demo $(BENCH)
	$(RUN_BENCH)/chat.py $(MEASURED) --litellm $(TARGET)/bench/bin/litellm $(BENCH)
	$(RUN_BENCH)/edge.py $(MEASURED) --caddy $(TARGET)/bench/bin/caddy $(BENCH)
	$(RUN_BENCH)/slow.py $(MEASURED) $(BENCH)
	$(RUN_BENCH)/certificates.py $(MEASURED) $(BENCH)

pebble: ## Run a certificate authority for trying the edge on this machine, until Ctrl-C
	@scripts/install.sh pebble
	@scripts/pebble.sh $(TARGET)/pebble

deps: ## Install what the tests need (Debian/Ubuntu; elsewhere it says what is missing)
	@scripts/install.sh test
	@cargo nextest --version >/dev/null 2>&1 || env -u CARGO_TARGET_DIR cargo install --locked cargo-nextest --version $(NEXTEST)
	@$(MAKE) --no-print-directory $(CONSOLE) $(TARGET)/schemathesis/.installed

supply: ## Licences, advisories and banned crates (installs cargo-deny, some minutes)
	@cargo deny --version >/dev/null 2>&1 || env -u CARGO_TARGET_DIR cargo install --locked cargo-deny
	cargo deny check

$(MODULES): web-admin/package-lock.json
	$(NPM) ci --no-audit --no-fund
	@touch $@

$(CONSOLE): $(MODULES) $(shell find web-admin/src -type f 2>/dev/null) $(wildcard web-admin/*.html web-admin/*.ts web-admin/package.json)
	$(NPM) run build
	@touch $@

$(TARGET)/bench/.installed: bench/requirements.txt
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(TARGET)/schemathesis/.installed: tests/requirements.txt
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
