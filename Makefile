# Two commands matter: `make demo` and `make test`. Each sets up in .venv whatever is not there yet.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.DEFAULT_GOAL := help
.PHONY: help demo test test-editors flagship memory bench check docs audit lock version release format setup model python clean
.NOTPARALLEL:

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "PYTHON=python3.12 chooses another Python to start from; SHARDLIGHT_ACCELERATOR=cuda|metal|vulkan|rocm"
	@echo "builds llama.cpp for a GPU (default: cpu; metal on Apple silicon)."

demo: model ## a tour: the real language server and a real model, on a small project
	@$(BIN)/python -m tools.demo

test: model ## every test but those of real editors, with the small real model
	@$(BIN)/pytest

test-editors: model ## VS Code, Neovim, Emacs, Helix and Vim, fetched into the cache folder and driven
	@$(BIN)/python -m tools.editors

flagship: setup ## a full-size DeepSeek-V4-Flash of holes (61 GB apparent), loaded through the engine in 24 GB of RAM
	@$(BIN)/python -m tools.flagship

memory: model ## planned bytes against real loads; the table of docs/hardware.md
	@$(BIN)/python -m benchmarks.memory --full

bench: model ## the benchmarks of all areas, a few of everything (about 15 minutes); FULL=1 as published (hours), plots and pages
	@$(BIN)/python -m benchmarks $(if $(FULL),--full)

check: setup ## ruff, mypy, the walls between the packages, generated files
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/generate.py --check

docs: setup ## the documentation's site in build/site; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

audit: setup ## known vulnerabilities in what the lock files name, as far as a service is within reach
	@$(BIN)/python -m tools.audit

lock: setup ## requirements/*.txt from pyproject.toml, every file by its hash; UPGRADE=1 takes the newest versions
	@$(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)

version: setup ## VERSION=0.2.0: the version everywhere, and the changelog from changes/; nothing is committed
	@$(BIN)/python -m tools.release version $(VERSION)

release: model ## dist/ from the commit, built twice and compared, tried on Python 3.10 to 3.13; DRAFT=1 takes the folder as it is
	@$(BIN)/python -m tools.release build $(if $(DRAFT),--draft)

format: setup ## format the code and mend what ruff can, write the generated files
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/python tools/generate.py

setup: python ## .venv with llama.cpp compiled for this machine, Shardlight, and what developing it takes
	@$(PYTHON) -m tools.bootstrap

model: python
	@$(PYTHON) -m tools.bootstrap --with-model

python:
	@$(PYTHON) -c '' >/dev/null 2>&1 || { \
	    echo "Python 3.10 or newer is needed, and '$(PYTHON)' does not start. To install it:"; \
	    echo "    Debian, Ubuntu:  sudo apt install python3 python3-venv"; \
	    echo "    Fedora, RHEL:    sudo dnf install python3"; \
	    echo "    macOS:           brew install python@3.12"; \
	    echo "    Windows:         winget install Python.Python.3.12, then: make PYTHON=python ..."; \
	    echo "If it goes by another name here:  make PYTHON=python3.12 ..."; \
	    exit 1; } >&2

clean: ## remove .venv and everything else that was built here; models are kept
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
