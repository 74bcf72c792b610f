# Everything one does with Event Hub, on a machine that has Python 3.11 or newer and make. `make help` lists it.

PYTHON ?= python3
ARGS ?=
PROCESSES ?= 2

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
MANAGE := $(BIN)/python manage.py

# What `make lint` gives the settings: production's safety, nothing of this machine. The key guards nothing.
LINT_ENVIRONMENT := ENV_FILE= DEBUG=0 SECRET_KEY=nothing-is-signed-with-this-Xq7vT2mZ9rLd4KpW8sHc3YbF6nJg1AeU ALLOWED_HOSTS=localhost \
	SECURE_SSL=1 PAYMENT_GATEWAY=mock
SQLITE := DATABASE_URL=sqlite:///.data/lint.sqlite3

.DEFAULT_GOAL := help
.PHONY: help env run test test-sqlite lint lock bench chaos clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  Variables: PYTHON=python3.12 (which Python), PORT=9000 (run), ARGS='-k refund' (tests), PROCESSES=4 (tests)"

env: $(READY) ## Write a .env with generated secrets, unless there is one
	@$(BIN)/python -m eventhub_config.development.environment_file

run: $(READY) ## Run web, worker and beat in this terminal; Ctrl-C ends everything
	@exec $(BIN)/python -m eventhub_config.development.supervisor

test: $(READY) ## Run the tests on a throw-away PostgreSQL and Valkey, or on DATABASE_URL and REDIS_URL
	@exec $(BIN)/python -m pytest -n $(PROCESSES) $(ARGS)

test-sqlite: $(READY) ## Run the same tests on SQLite
	@EVENTHUB_TEST_DATABASE=sqlite exec $(BIN)/python -m pytest -n $(PROCESSES) $(ARGS)

lint: $(READY) ## Check style, types, import directions, migrations, settings and the API description
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(LINT_ENVIRONMENT) $(SQLITE) $(BIN)/python -m mypy
	@$(BIN)/python $(BIN)/lint-imports
	@$(LINT_ENVIRONMENT) $(SQLITE) $(MANAGE) makemigrations --check --dry-run
	@$(LINT_ENVIRONMENT) LOG_LEVEL=WARNING DATABASE_URL= $(BIN)/python -m eventhub_config.development.servers \
		$(MANAGE) lintmigrations --exclude-apps django_celery_beat --no-cache --quiet ok ignore \
		--ignore-name 0008_longer_action_urls # a longer varchar changes the catalogue only
	@$(LINT_ENVIRONMENT) $(SQLITE) $(MANAGE) check --fail-level WARNING
	@$(LINT_ENVIRONMENT) $(SQLITE) $(MANAGE) check --deploy --tag security --fail-level WARNING
	@$(LINT_ENVIRONMENT) $(SQLITE) $(MANAGE) spectacular --validate --fail-on-warn --file /dev/null

lock: $(READY) ## Lock what requirements.in and requirements-dev.in name; ARGS=--upgrade takes newer versions
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes $(ARGS) requirements.in -o requirements.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes $(ARGS) -c requirements.txt requirements-dev.in -o requirements-dev.txt
	@! grep -nE 'https?://|file://|index-url|find-links' requirements.txt requirements-dev.txt || \
		{ echo "A registry's address got into a lock (see above); it must not stay there."; exit 1; }

bench: $(READY) ## Measure booking, check-in and the public list beside a bare prototype
	@exec $(BIN)/python -m eventhub_config.development.bench $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only $(ONLY)) $(ARGS)

chaos: $(READY) ## Kill, freeze and flush everything while many clients book and pay, then open the books (MINUTES=10, SEED=1)
	@exec $(BIN)/python -m eventhub_config.tests.chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) \
		$(if $(filter 1,$(CONTROL)),--control) $(if $(REPLAY),--replay $(REPLAY)) $(ARGS)

clean: ## Remove the environment and what tools left behind; keeps .env and the data in .data
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made once, and brought up to date when the lock changes. A half-made environment is made anew.
$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Event Hub needs Python 3.11 or newer as '$(PYTHON)'. Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make environments (Debian splits that off): sudo apt install python3-venv, then again."; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "Making the environment in $(VENV) ..."; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing the locked packages into $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements-dev.txt
	@touch $@
