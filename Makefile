# What a person types. Needs make, Python 3.11 to 3.13 and a package index; nothing else, no root.
# `make help` lists it. Afterwards bin/trimtab runs the command line, from any folder.
#
# uv is taken from the PATH if it accepts this project, or else installed into .uv/, a private
# virtual environment. Packages are those of uv.lock, in .venv. No Python is ever downloaded.

.DEFAULT_GOAL := help
.PHONY: help demo up environment add test lint format clean

export UV_PYTHON_DOWNLOADS := never
export DO_NOT_TRACK := 1

ifeq ($(origin PYTHON),command line)
export UV_PYTHON := $(PYTHON)
endif

# Where Python may not write bytecode, every process would compile all that it imports, each time.
ifneq ($(PYTHONDONTWRITEBYTECODE),)
export UV_COMPILE_BYTECODE := 1
endif

UV_VERSION := 0.13.9
UV := $(shell uv --version 2>/dev/null | awk '{split($$2, v, "."); if (v[1] > 0 || v[2] >= 8) new = 1} \
    END {exit !new}' && uv python find >/dev/null 2>&1 && echo uv || echo .uv/bin/uv)
RUN := $(UV) run --no-sync

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo
	@echo "ARGS passes flags on:  make demo ARGS='--yes --report report.json'"
	@echo "                       make test ARGS='tests/policies -x'"
	@echo "The command line:      bin/trimtab --help   (by its path, from any folder)"

demo: environment ## Replay real production weeks through everything and show the incidents
	@bin/trimtab demo $(ARGS)

up: environment ## Start the embedded stack and keep it running until Ctrl-C
	@bin/trimtab up $(ARGS)

environment: $(filter .uv/bin/uv,$(UV)) ## Install what bin/trimtab needs into .venv
	@$(UV) sync --locked $(GROUPS) --check --quiet 2>/dev/null || { \
	    echo "Installing packages into .venv: 1.4 GB, a minute or two the first time"; \
	    $(UV) sync --locked $(GROUPS); }

add: environment ## Install packages of your own: make add PACKAGES='ibis-framework[postgres]'
	@$(UV) pip install $(foreach package,$(PACKAGES),"$(package)")

# Two files of tests run side by side, for they mostly wait for servers. Those that run alone start
# whole stacks, on the ports that a person's stack has.
ALONE := tests/cli/up tests/e2e tests/packaging

test: lint ## Lint, check types and run every test
ifneq ($(ARGS),)
	@$(RUN) pytest $(ARGS)
else
	@$(RUN) pytest -n 2 --dist loadfile $(ALONE:%=--ignore=%)
	@$(RUN) pytest $(ALONE)
endif

lint: environment ## Check style and types
	@$(RUN) ruff check
	@$(RUN) ruff format --check
	@$(RUN) mypy

format: environment ## Rewrite the code in the house's style
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

# Library and application; what else is installed already (packages of one's own, the developers'
# tools) stays. Tests get exactly what uv.lock says: these two, the developers' tools, and the
# drivers of the engines that profiles are computed on.
GROUPS := --no-dev --inexact
format: GROUPS := --inexact
test lint: GROUPS := --group engines

clean: ## Remove environments and caches; keeps .trimtab, where the audit log is
	rm -rf .uv .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python on the PATH that fits and can make a private environment makes it.
.uv/bin/uv:
	@rm -rf .uv; seen=; \
	for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	        2>/dev/null || continue; \
	    seen="$$seen $$python"; \
	    if $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	        echo "Installing uv $(UV_VERSION) into .uv with $$python"; \
	        $$python -m venv .uv && .uv/bin/python -m pip install --quiet \
	            --disable-pip-version-check uv==$(UV_VERSION) && exit 0; \
	    elif $$python -m pip --version >/dev/null 2>&1; then \
	        echo "Installing uv $(UV_VERSION) into .uv with $$python, which has no ensurepip"; \
	        $$python -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
	            --root-user-action=ignore --target .uv uv==$(UV_VERSION) && exit 0; \
	    else continue; fi; \
	    rm -rf .uv; \
	    echo "make: could not install uv $(UV_VERSION): pip says why above." >&2; exit 1; \
	done; \
	if [ -z "$$seen" ]; then \
	    echo "make: no Python 3.11, 3.12 or 3.13 on the PATH: install one, or name it: make PYTHON=/path/to/python3.12 …" >&2; \
	else \
	    echo "make: found$$seen, but neither ensurepip nor pip for it: install the package python3-venv (Debian, Ubuntu), or uv." >&2; \
	fi; exit 1
