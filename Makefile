# Each target does what it needs first; a second call does only what has changed.
PYTHON ?= python3
BIN := .venv/bin
NODE_PACKAGES := tests/clients/node_modules/.installed docs/examples/site/node_modules/.installed
PARALLEL := --numprocesses 4 --dist worksteal
CLIENTS := $(NODE_PACKAGES) tests/clients/.venv/installed

.PHONY: run demo site test test-clients check coverage benchmark soak install examples release lock

run: .venv/runtime
	@$(BIN)/python main.py serve

# The same clinic open, with a waiting list, paused and closed, for trying a frontend.
demo: .venv/runtime
	@$(BIN)/python main.py demo

# A website on the first of those four clinics; see docs/examples/site.
site: docs/examples/site/node_modules/.installed
	@echo "Example site  http://127.0.0.1:8080"
	@$(PYTHON) -m http.server 8080 --bind 127.0.0.1 --directory docs/examples/site

# In memory where there is some: a test's database need not outlast the machine.
test test-clients coverage: export TMPDIR := $(shell test -w /dev/shm && echo /dev/shm || echo /tmp)

# In Python, on both databases; ARGS names files or options, such as ARGS=tests/public/test_status.py.
test: .venv/development
	@$(BIN)/pytest --ignore tests/clients --ignore tests/programs $(or $(ARGS),$(PARALLEL))

# With other programs: Node.js, a JDK, Chromium; nginx, Redis, curl, strace.
test-clients: .venv/development $(CLIENTS)
	@$(BIN)/pytest $(PARALLEL) tests/clients tests/programs

# The same, with the lines that no test reaches; half as fast.
coverage: .venv/development $(CLIENTS)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(PARALLEL) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under 95

check: .venv/development
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_architecture.py
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/python main.py check

install: .venv/development

# Reads, side by side with bare uvicorn and with the tutorial's way; takes some minutes.
benchmark: .venv/development
	@$(BIN)/python -m tests.benchmark

# What takes minutes: long repetitions, and a real cache in front of the reads (nginx).
soak: .venv/development
	@$(BIN)/pytest -m soak -s

# The OpenAPI document's examples, as the service gives them now.
examples: .venv/development
	@$(BIN)/python -m tests.openapi.examples

# What clients of this release may rely on; `make test` tells what would break them.
release: .venv/development
	@$(BIN)/python -m tests.openapi.breaking

lock: .venv/development
	@$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 \
		--custom-compile-command "make lock" --group dev -c requirements.lock pyproject.toml \
		-o requirements-dev.lock
	@cd tests/clients && ../../$(BIN)/uv pip compile -q --universal --generate-hashes \
		--python-version 3.11 --custom-compile-command "make lock" requirements.in \
		-o requirements.lock

$(NODE_PACKAGES): %/node_modules/.installed: %/package-lock.json
	@if command -v npm >/dev/null; then \
		cd $* && npm ci --silent && touch node_modules/.installed; \
	else \
		echo "Node.js is not installed: what needs it is left out"; \
	fi

# A generator of clients that asks for other versions than the service does.
tests/clients/.venv/installed: tests/clients/requirements.lock
	@$(PYTHON) -m venv tests/clients/.venv
	@tests/clients/.venv/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r $<
	@touch $@

.venv/runtime: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what the service needs"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/development: requirements-dev.lock .venv/runtime
	@echo "Installing what tests and checks need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
