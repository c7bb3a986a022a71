# Two commands matter: `make run` starts everything from a bare checkout, `make test` shows that it works.
# Both install what they need into .venv; nothing outside this folder is touched.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SOURCES := wire runtime services deploy checker apidocs tests loadtests web examples
# Twice as many as the cores that CI has: much of what tests do is to wait.
WORKERS := --numprocesses=4 --dist=loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 22

.PHONY: run
run: $(VENV)/local.stamp web ## Start the whole system here; Ctrl-C ends it, data stays in .run/
	@exec $(BIN)/python -m deploy.local

.PHONY: test
test: packages $(VENV)/dev.stamp web ## Run all tests, against real servers and the official clients
	@# Compiled once: the tests start some thousand processes, and not every environment lets Python keep what it compiles.
	@$(BIN)/python -m compileall -q wire runtime services deploy checker loadtests
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

.PHONY: check
check: $(VENV)/dev.stamp ## Lint, types, import rules, formatting; changes nothing
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: fmt
fmt: $(VENV)/dev.stamp ## Format, and mend what the linter can mend
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

.PHONY: lock
lock: $(VENV)/dev.stamp ## Lock the newest versions that requirements/*.in allow, with hashes
	for name in services tracing local dev node bench containers loadtest; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	    --upgrade requirements/$$name.in -o requirements/$$name.txt || exit 1; done

.PHONY: conformance
conformance: packages $(VENV)/dev.stamp ## The official protocol suites against the edge (SUITES=copy of socketio/socket.io)
	$(BIN)/python -m tests.conformance $(SUITES)

.PHONY: loadtest
loadtest: $(VENV)/dev.stamp ## Users against a stack of its own, judged: docs/LOADTESTING.md (USERS= SECONDS= SHAPE= PROCESSES= ARGS=)
	$(BIN)/python -m loadtests --users $(or $(USERS),500) --seconds $(or $(SECONDS),60) --shape $(or $(SHAPE),hold) \
	  $(if $(PROCESSES),--processes $(PROCESSES)) $(ARGS)

.PHONY: loadtest-connections
loadtest-connections: $(VENV)/dev.stamp ## Very many connections, behind HAProxy (N= SECONDS= RATE= GATEWAYS= SHAPE= ARGS=)
	@.ci/packages loadtest
	$(BIN)/python -m loadtests.connections --connections $(or $(N),10000) --seconds $(or $(SECONDS),600) \
	  --shape $(or $(SHAPE),hold) --gateways $(or $(GATEWAYS),4) $(if $(RATE),--rate $(RATE)) $(ARGS)

.PHONY: loadtest-smoke
loadtest-smoke: $(VENV)/dev.stamp ## A short one, which `make test` runs too: 200 users, 20 seconds, all accounts balanced (ARGS=)
	$(BIN)/python -m loadtests --users 200 --seconds 20 --slo loadtests/slo-smoke.yaml $(ARGS)

.PHONY: faults
faults: packages $(VENV)/dev.stamp ## Break things under load, and check what every member saw (SEED= FAULTS= SECONDS= MEMBERS=)
	$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) \
	  $(if $(SECONDS),--seconds $(SECONDS)) $(if $(MEMBERS),--members $(MEMBERS))

.PHONY: fuzz
fuzz: $(VENV)/dev.stamp ## Random bad input to a stack of its own, and a good client that must not notice (SECONDS= SEED=)
	$(BIN)/python -m tests.abuse.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: $(VENV)/dev.stamp $(if $(PEERS),bench-peers) ## CPU, memory, latency (PEERS=1 TARGETS=parley,node CASES= CONNECTIONS= REPEATS= SECONDS= OUT=)
	$(BIN)/python -m loadtests.bench $(if $(PEERS),--peers) $(if $(CASES),--cases $(CASES)) \
	  $(if $(CONNECTIONS),--connections $(CONNECTIONS)) $(if $(REPEATS),--repeats $(REPEATS)) \
	  $(if $(SECONDS),--seconds $(SECONDS)) $(if $(TARGETS),--targets "$(TARGETS)") $(if $(OUT),--out $(OUT))

.PHONY: docs
docs: $(VENV)/dev.stamp ## Write docs/openapi.yaml, docs/asyncapi.yaml and their pages from the code
	$(BIN)/python -m apidocs

.PHONY: observability
observability: $(VENV)/dev.stamp ## Write the Grafana dashboards, and what else is made from deploy/observability
	$(BIN)/python -m deploy.observability

.PHONY: web
web: web/vendor/socket.io.esm.min.js ## Build the chat page's Socket.IO client, with npm

.PHONY: images
images: ## Build the container images (ENGINE=docker or podman)
	for service in gateway auth history loadtest; do \
	  $(ENGINE) build $(BUILD_ARGS) --build-arg SERVICE=$$service --build-arg REVISION=$(REVISION) -t parley/$$service:$(VERSION) . || exit 1; done
ENGINE ?= docker
VERSION ?= 0.1.0
REVISION ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

# podman has no compose of its own; podman-compose comes into the environment.
PODMAN_COMPOSE := $(if $(filter podman,$(ENGINE)),$(VENV)/containers.stamp)
compose = $(if $(PODMAN_COMPOSE),$(BIN)/python,$(PYTHON)) -m deploy.compose

.PHONY: up
up: $(PODMAN_COMPOSE) ## Start the containers, wait until all are healthy (ENGINE= PROFILES=monitoring,loadtest ARGS=)
	@REVISION=$(REVISION) $(compose) up --engine $(ENGINE) --profiles "$(PROFILES)" $(if $(ARGS),-- $(ARGS))

.PHONY: down
down: $(PODMAN_COMPOSE) ## Stop the containers; the volumes stay (ARGS=-v: they go, too)
	@$(compose) down --engine $(ENGINE) $(if $(ARGS),-- $(ARGS))

.PHONY: test-loadtests
test-loadtests: packages $(VENV)/dev.stamp ## The long tests of the load tests: whole runs, disturbed and cut short (ARGS=)
	$(BIN)/python -m pytest $(WORKERS) tests/loadtests $(ARGS)

.PHONY: test-containers
test-containers: packages $(VENV)/dev.stamp $(VENV)/containers.stamp ## Run docker-compose.yml and the manifests' pods with podman, under load
	@.ci/packages containers
	@$(BIN)/python -m tests.containers.images
	$(BIN)/python -m pytest -s tests/containers $(ARGS)

.PHONY: clean
clean: ## Remove what make made: the environment, caches, the local stack's data
	rm -rf $(VENV) .run .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache web/vendor web/node_modules \
	  examples/node_modules

.PHONY: packages
packages:
	@.ci/packages

.PHONY: bench-peers
bench-peers: $(VENV)/bench.stamp
	@.ci/packages bench

# --- what the targets need -----------------------------------------------------------------------------------------

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Parley needs Python 3.11 or newer; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV) || { echo "parley: $(PYTHON) cannot make virtual environments (Debian: apt install python3-venv)"; \
	  rm -rf $(VENV); exit 1; }

$(VENV)/%.stamp: requirements/%.txt | $(VENV)/bin/python
	@echo "installing requirements/$*.txt"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Without npm the gateways still start, and their page says what is missing.
web/vendor/socket.io.esm.min.js: web/package.json web/package-lock.json web/build.py web/npm.py | $(VENV)/bin/python
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt || true
	@$(BIN)/python -m web.build || echo "parley: the chat page is not built; everything else works"
