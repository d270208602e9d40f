# Each target first updates what it depends on.
PYTHON ?= python3
BIN := .venv/bin
NODE_PACKAGES := tests/clients/node_modules/.installed docs/examples/site/node_modules/.installed
PARALLEL := --numprocesses 4 --dist worksteal
CLIENTS := $(NODE_PACKAGES) tests/clients/.venv/installed

.PHONY: run demo site test test-clients check coverage benchmark soak install examples release lock

run: .venv/runtime
	@$(BIN)/python main.py serve

# Serves the clinic in five states, to test a frontend: open, with a waiting list, open but paused,
# temporarily closed, permanently closed.
demo: .venv/runtime
	@$(BIN)/python main.py demo

# An example website for the first of those five clinics; see docs/examples/site.
site: docs/examples/site/node_modules/.installed
	@echo "Example site  http://127.0.0.1:8080"
	@$(PYTHON) -m http.server 8080 --bind 127.0.0.1 --directory docs/examples/site

# Databases of tests are in memory if possible, because they need no disk.
test test-clients coverage: export TMPDIR := $(shell test -w /dev/shm && echo /dev/shm || echo /tmp)
# Python may write bytecode, also where the environment forbids it: pytest takes seconds to compile
# the tests in each of its processes.
test test-clients coverage: export PYTHONDONTWRITEBYTECODE :=

# The Python tests, on both databases. ARGS gives files or options: ARGS=tests/public/test_status.py
test: .venv/development
	@$(BIN)/pytest --ignore tests/clients --ignore tests/programs $(or $(ARGS),$(PARALLEL))

# The tests that need other programs: Node.js, a JDK, Chromium, nginx, Redis, curl, strace.
test-clients: .venv/development $(CLIENTS)
	@$(BIN)/pytest $(PARALLEL) tests/clients tests/programs

# All tests, with a report of lines that no test reaches. Takes twice as long.
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
	@$(BIN)/python main.py content check data/content

install: .venv/development

# Compares reads with bare uvicorn and with the code of FastAPI's tutorial. Takes minutes.
benchmark: .venv/development
	@$(BIN)/python -m tests.benchmark

# Tests that take minutes: long repetitions, and nginx as a cache for the reads.
soak: .venv/development
	@$(BIN)/pytest -m soak -s

# Records the examples of the OpenAPI document from a running service.
examples: .venv/development
	@$(BIN)/python -m tests.openapi.examples

# Records the OpenAPI document of a release. `make test` reports changes that break its clients.
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
		echo "Node.js is not installed: tests that need it are skipped"; \
	fi

# A code generator with other versions of dependencies than the service, so it has its own venv.
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
