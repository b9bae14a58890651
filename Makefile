# What each target does is said after its ##; `make help` prints it.
PREFIX  ?= /usr/local
DESTDIR ?=
ARCH    := $(subst aarch64,arm64,$(subst x86_64,x64,$(shell uname -m)))
RID     := linux-$(ARCH)

SOURCES := $(shell find src -name bin -prune -o -name obj -prune -o -type f \( -name '*.cs' -o -name '*.csproj' -o -name '*.json' -o -name '*.txt' \) -print) \
           Directory.Build.props Directory.Packages.props global.json

# The SDK's welcome, and the certificate that it makes with it, are nothing to do with this.
export DOTNET_NOLOGO := 1
export DOTNET_GENERATE_ASPNET_CERTIFICATE := false

# Both publishes build the same two libraries.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test publish install bench docs lint fuzz simulate soak model clean

help: ## Say what each target does.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build, start a three-node cluster on this machine, and walk through its life: clone to failover and back.
	@tools/prerequisites demo
	@$(MAKE) --no-print-directory publish
	@tools/demo

test: ## Run everything that CI runs: build, format, fast tests, the published programs against real servers, scripts.
	@tools/prerequisites test
	@tools/test

publish: dist/repmgr dist/repmgrd ## Compile the two programs ahead of time into dist/.

dist/%: $(SOURCES)
	@tools/prerequisites build
	@mkdir -p dist
	@# Restored without -r, which the lock files of the libraries do not know.
	dotnet restore src/$* -v quiet --nologo
	dotnet publish src/$* --no-restore -c Release -r $(RID) -o artifacts/publish/$* -v quiet --nologo
	@install -m 755 artifacts/publish/$*/$* dist/$*

install: publish ## Install programs, man pages, completions, sample configuration and service unit: PREFIX=/usr/local DESTDIR=
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" tools/install

bench: ## Measure start-up, cluster show and the daemon beside repmgr 5.3.3, cloning beside pg_basebackup, rsync and pg_rewind, failover; medians as JSON lines.
	@tools/prerequisites bench
	@$(MAKE) --no-print-directory publish
	@tools/bench
	@tools/bench-clone
	@tools/bench-failover

docs: ## Write the generated documents anew: command pages, man pages, completions, configuration reference, samples.
	@tools/prerequisites build
	@tools/docs

lint: ## Check formatting, analyzers and shell scripts.
	@tools/lint

fuzz: ## Fuzz the parsers of repmgr.conf and of connection strings for MINUTES=60.
	@tools/fuzz $(or $(MINUTES),60)

simulate: ## Simulate failover over SEEDS=10000 seeds from FROM=1 on, with every invariant checked; prints what it found and how fast.
	@tools/prerequisites build
	dotnet build tests/Repmgr.Simulate -c Release -v quiet --nologo
	@tests/Repmgr.Simulate/bin/Release/net10.0/Repmgr.Simulate $(or $(FROM),1) $(or $(SEEDS),10000)

soak: ## Strike a cluster of real servers with faults by chance for MINUTES=60 (SEED=, SYNCHRONOUS=off|quorum|strict, HOSTS=3 to 5, MAJOR=15, STORE=etcd); prints each, and a summary.
	@REPMGR_TEST_MAJORS="$(or $(MAJOR),15)" tools/prerequisites test
	@$(MAKE) --no-print-directory publish
	@SYNCHRONOUS="$(SYNCHRONOUS)" HOSTS="$(HOSTS)" MAJOR="$(MAJOR)" STORE="$(STORE)" tools/soak $(or $(MINUTES),60) "$(SEED)"

model: ## Explore the models of the failover rules: what was explored, and the shortest way to what each simpler rule leads to.
	@tools/prerequisites model
	@docs/model/check full

clean: ## Remove what the other targets built.
	rm -rf dist artifacts
	find src tests -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
