# What people type. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export SQLX_OFFLINE ?= true
CARGO := cargo
# A development build runs crypto and dependencies optimised (Cargo.toml), so demo, lab and tests share one build.
TARGET := $(or $(CARGO_TARGET_DIR),target)
DIR ?= demo-state

.PHONY: help setup build build-all demo demo-reset test lint lab bench ui fuzz russh-stock

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: ## Install what a fresh machine lacks (done by every other target)
	@deploy/setup

build: setup
	@echo "make: building (minutes the first time, seconds later)" >&2
	@$(CARGO) build --package anteroom

build-all: setup
	@echo "make: building with the test kit (minutes the first time, seconds later)" >&2
	@$(CARGO) build --workspace --bins

demo: build ## Everything on this machine with made-up people and patients; Ctrl-C stops it, state is kept
	@exec $(TARGET)/debug/anteroom demo --dir $(DIR)

demo-reset: ## Forget the demo's state
	@if [ -e $(DIR) ]; then $(MAKE) --no-print-directory build && $(TARGET)/debug/anteroom demo --dir $(DIR) --reset; \
		else echo "there is nothing to forget"; fi

test: setup ## Unit, property and vector tests, then the black-box stories; the summary is the last thing printed
	@echo "make: building programs and tests (minutes the first time, seconds later)" >&2
	@$(CARGO) build --workspace --bins --tests # one selection of features for both: nothing is compiled twice
	@deploy/test

lint: setup ## Formatting, clippy, licences and advisories, stored queries, browser parts
	$(CARGO) fmt --all --check
	$(CARGO) clippy --quiet --workspace --all-targets -- -D warnings
	deploy/lint/deny
	deploy/sqlx-prepare --check
	@if [ -f web/ui/package.json ]; then cd web/ui && npm run --silent check; fi

lab: build-all ## The same pieces without a person: target/lab/ssh_config, target/lab/lab.json; Ctrl-C stops it
	@exec $(TARGET)/debug/lab

bench: build-all ## Ratios against `ssh -J` through a plain sshd, recording on
	@exec $(TARGET)/debug/bench

SECONDS ?= 60
TARGETS ?= transfers telnet menu certificates masking live formats container unsealer rdp_relay rdp_channels rdp_pieces desktop tiles sbom posture policy
russh-stock: setup ## Shows that the traps of russh are open in the stock crate (tests/russh); minutes the first time
	@deploy/lint/russh-stock

fuzz: setup ## Coverage-guided fuzzing of what parses foreign bytes, SECONDS each (needs cargo-fuzz: cargo install cargo-fuzz)
	@for t in $(TARGETS); do (cd tests && RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none --target-dir ../target/fuzz $$t -- -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048) || exit 1; done

ui: setup ## The browser parts only
	@echo "web/ui is built"
