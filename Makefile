# Everything a newcomer, a developer and the gate need; `make help` lists it.

VENV := .venv
PYTHON := $(VENV)/bin/python
BABEL := $(VENV)/bin/pybabel -q
TEXTS := $(VENV)/moodmiles.pot
# Quick tests compute; the others wait for programs about as long as they compute.
CORES = $(shell getconf _NPROCESSORS_ONLN)
SIDE_BY_SIDE = $(shell wanted=$$(($(CORES) * 2)); echo $$((wanted < 8 ? wanted : 8)))
# Hundreds of programs are started: none of them compiles our modules anew.
export PYTHONDONTWRITEBYTECODE :=
# And they speak as they do in anybody's shell.
export PYTHONUNBUFFERED :=
PYTEST = PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PYTHON) -m pytest -n $(SIDE_BY_SIDE) --dist worksteal
# Only the virtual environment is needed: see tests/support/markers.py.
QUICK := not browser and not postgresql and not processes and not slow
OSV = $(if $(OSV_URL),--vulnerability-service osv --osv-url "$(OSV_URL)")
OPTIONS = $(if $(PORT),--port $(PORT)) $(if $(DATA_DIR),--data-dir "$(DATA_DIR)")
COMPILE := $(VENV)/bin/uv pip compile --universal --generate-hashes \
	--no-emit-index-url --no-annotate --python-version 3.11 $(if $(UPGRADE),--upgrade)

.PHONY: help demo up quick test check audit fix lock migration messages bench chaos any-day release-check

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.run ## the whole loop, with a simulated Strava [EXPORT=activities.csv] [PORT=8000]
	@$(VENV)/bin/moodmiles demo $(OPTIONS) $(if $(EXPORT),--export "$(EXPORT)")

up: $(VENV)/.run ## the same parts for yourself, with no made-up data [PORT=8000]
	@$(VENV)/bin/moodmiles up $(OPTIONS)

quick: SIDE_BY_SIDE = $(shell wanted=$$(($(CORES) + 1)); echo $$((wanted < 8 ? wanted : 8)))
quick: $(VENV)/.develop ## the tests that need nothing but Python [TESTS=tests/web]
	$(PYTEST) -m "$(QUICK)" $(TESTS)

test: $(VENV)/.develop ## every test [TESTS=tests/web] [COVERAGE=1]
	@.ci/prepare $(VENV)
	$(PYTEST) $(if $(COVERAGE),--cov --cov-report=term:skip-covered) $(TESTS)

check: $(VENV)/.develop ## formatter, linters, types, and which layer may import which
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry .

# Asks the package index for known weaknesses, or a list that answers
# OSV's queries; without an answer it fails.
audit: $(VENV)/.develop ## known weaknesses of the locked libraries [OSV_URL=...]
	$(VENV)/bin/pip-audit --strict --require-hashes --disable-pip $(OSV) -r requirements.lock

fix: $(VENV)/.develop ## format, and mend what linters can mend
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

# UPGRADE=1 takes the newest versions; then both locks are installed afresh, by
# Debian 12's pip and by the newest.
lock: $(VENV)/.develop ## write both locks anew and prove them [UPGRADE=1]
	$(COMPILE) --group build pyproject.toml -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(MAKE) $(VENV)/.develop
	$(PYTHON) -m tests.lab.locks --install

migration: $(VENV)/.develop ## a migration for what changed in the models NAME="add a column"
	@test -n "$(NAME)" || { echo 'Say what changes: make migration NAME="add a column"' >&2; exit 2; }
	$(PYTHON) -m host.cli db upgrade
	$(VENV)/bin/alembic revision --autogenerate --message "$(NAME)"

messages: $(VENV)/.develop ## collect the texts of pages and mails for translators
	$(BABEL) extract -F babel.cfg -k _ -k translatable \
		--no-location --sort-output --no-wrap \
		--project Moodmiles -o $(TEXTS) .
	$(BABEL) update -D moodmiles -i $(TEXTS) -d sync/locale \
		--no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BABEL) compile -D moodmiles -d sync/locale --statistics

bench: $(VENV)/.develop ## what an instance costs: start, memory, rest
	$(PYTHON) -m tests.lab.bench.up

chaos: $(VENV)/.develop ## 200 runners, everything fails in turn, then all is compared
	@.ci/prepare $(VENV)
	$(PYTHON) -m tests.lab.chaos

# The quick tests at four moments to come; LONG=1: every test at every moment.
any-day: $(VENV)/.develop ## the quick tests under other dates [LONG=1]
	@.ci/prepare $(VENV)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PYTHON) -m tests.lab.any_day $(if $(LONG),--long)

# What a tag needs beside the gate: see docs/releasing.md.
release-check: $(VENV)/.develop ## what a tag needs beside the gate
	$(PYTHON) -m tests.lab.release
	$(MAKE) audit
	$(PYTHON) -m tests.lab.locks --install
	$(MAKE) any-day
	$(MAKE) chaos

# Both locks are complete: each is installed by itself.
$(VENV)/.run: requirements.lock pyproject.toml
	@.ci/install $< $(VENV)
	@touch $@

$(VENV)/.develop: requirements-dev.lock pyproject.toml
	@.ci/install $< $(VENV)
	@touch $(VENV)/.run $@
