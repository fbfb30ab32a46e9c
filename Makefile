# Waybill. `make` alone lists the targets. Each target sets up what it needs, inside this checkout.

ifeq ($(filter oneshell,$(.FEATURES)),)
  $(error missing: GNU make 4 or later. macOS: brew install make, then gmake)
endif
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help setup demo up down test storm conformance bench fuzz lint build deploy ci local-artefacts

SEEDS ?= 2000
FUZZ_SECONDS ?= 60
ARGS ?=

export PATH := $(CURDIR)/.venv/cargo/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
# No target installs anything into the machine, nor may rustup on its behalf; infra/setup says what is missing.
export RUSTUP_AUTO_INSTALL := 0
export WAYBILL_ARTEFACTS := $(CURDIR)/target/lambda-local

# cargo-nextest where the machine has it, plain cargo test otherwise. Everything is built in one profile, with the features of
# the whole workspace, so that it is built once.
NEXTEST := $(shell RUSTUP_AUTO_INSTALL=0 cargo nextest --version >/dev/null 2>&1 && echo yes)
ifeq ($(NEXTEST),yes)
  TESTS := cargo nextest run --locked --cargo-profile checked --workspace
  LONG := $(TESTS) --profile storm
else
  TESTS := cargo test --locked --profile checked --workspace
  LONG := $(TESTS)
endif

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## fetch every tool into the checkout (the other targets do it as they need it)
	@infra/setup rust nextest stack build lint checkov cargo arm64
	echo "ready: make demo, make test"

demo: local-artefacts ## deploy everything here, move sample files into a simulated Content Server, prove it; FLOW=name or all for others
	@target/checked/examples/demo $(if $(FLOW),--flow $(FLOW)) $(ARGS)

up: local-artefacts ## the demo's systems, left running for files of your own (make down ends them)
	@target/checked/examples/demo up $(ARGS)

down: ## stop what make up started, and nothing else
	@infra/setup rust stack
	cargo run --locked --quiet --profile checked -p tests --example demo -- down

test: local-artefacts ## every test, with the real binaries and the real template on the stand-in for AWS
	@infra/setup nextest
	echo "· the template: its variants, and the rights of its roles"
	tests/aws/stand-in run -- .venv/stack/bin/python tests/aws/deploy_test.py &
	variants=$$!
	tests/aws/stand-in run --rights -- .venv/stack/bin/python tests/aws/rights_test.py
	wait $$variants
	echo "· the commands for operators"
	cargo build --locked --profile checked --workspace --example audit --example dead-letters --example dry-run --example preflight \
	    --example serve
	echo "· every test"
	tests/aws/stand-in run -- $(TESTS) --lib --test '*' --example demo $(ARGS)

storm: ## faults at every call and SEEDS=2000 random schedules of them
	@infra/setup nextest
	STORM_SEEDS=$(SEEDS) $(LONG) --test storm $(ARGS)

conformance: ## unmodified third-party software: clients before the simulators, bagit, opex-manifest-generator and webhook libraries before ours
	@infra/setup rust
	tests/conformance-python/run
	tests/conformance-bagit/run
	tests/conformance-opex/run
	tests/conformance-iconik/run
	tests/conformance-preservica/run
	tests/conformance-webhooks/run
	tests/conformance-otmm/run
	tests/conformance-consonance/run
	$(TESTS) --test consonance events::

bench: ## the published figures: the artefact as published, against the same function in Python
	@infra/setup rust build arm64
	infra/package bench
	tests/bench/run $(ARGS)

fuzz: ## malformed keys, rules, events and sidecars, for FUZZ_SECONDS=60
	@infra/setup nextest
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(LONG) --test fuzz $(ARGS)
	tests/fuzz/run $(FUZZ_SECONDS)

lint: ## format, clippy, licences and banned crates, and the template against its rules
	@infra/setup rust cargo lint checkov
	echo "· format"
	cargo fmt --all --check
	echo "· clippy"
	cargo clippy --locked --workspace --all-targets -- -D warnings
	echo "· what ships, with its own features"
	infra/package check
	echo "· the fuzz targets"
	cargo check --locked --quiet --manifest-path tests/fuzz/Cargo.toml --target-dir target/fuzz-check --lib
	echo "· licences, bans, sources"
	cargo deny --locked check --hide-inclusion-graph bans licenses sources
	infra/advisories
	infra/lint

build: ## the artefacts for AWS: arm64 in target/lambda, x86_64 in target/lambda-x86_64
	@infra/setup rust build arm64
	infra/package arm64
	infra/package x86_64

deploy: ## build for arm64 and deploy to the AWS account of your credentials (see infra/README.md)
	@infra/setup rust build lint arm64
	infra/deploy $(ARGS)

ci: ## what a change must pass: lint, test, storm, fuzz, demo, from a clean checkout
	@MAKE="$(MAKE)" infra/ci

local-artefacts:
	@infra/setup rust stack
	echo "· building the functions for this machine"
	infra/package local
