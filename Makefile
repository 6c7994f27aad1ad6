# `make` lists what there is. Everything runs in .venv, made on first use and brought up to date when
# pyproject.toml or the pinned versions change, by uv where it is installed, else by pip. A target installs what it
# needs: `make lab` not what the tests do. Another Python: make PYTHON=python3.12 lab

PYTHON ?= python3
LAB_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
HAS := $(VENV)/.has-
PINS := constraints/current.txt
# Colab's versions but for torch, whose Colab build wants CUDA: COLAB_TORCH=2.11.0 for that one, too.
COLAB := .venv-colab
COLAB_TORCH ?= $(shell sed -n 's/^torch==//p' $(PINS))
# The oldest versions that pyproject.toml allows, and the newest there are.
ENDS := oldest newest
# One worker of pytest a core, a file in one of them, and in the order in which conftest.py or the plugin puts them.
LONGEST_FIRST := -n auto --dist loadfile --no-loadscope-reorder
# These have the machine to themselves.
ALONE := tests/test_browser.py tests/test_live_page.py tests/test_live_camera.py

.DEFAULT_GOAL := help
.PHONY: help lab test test-notebooks test-browser test-fast test-colab test-oldest test-newest notebooks \
	student slides site live clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

lab: $(HAS)notebooks ## start the course in JupyterLab (LAB_ARGS="--no-browser" and the like are passed on)
	@$(BIN)/python scripts/start_lab.py $(LAB_ARGS)

test: $(HAS)test ## everything: style, all tests, and every notebook run again and compared with its stored outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	scripts/ensure_browser.sh
	scripts/ensure_node.sh
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(LONGEST_FIRST) $(ALONE:%=--ignore %)
	$(MAKE) --no-print-directory test-browser
	$(MAKE) --no-print-directory test-notebooks

test-notebooks: $(HAS)test ## every notebook run again and compared with its stored outputs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -c nbval.ini $(LONGEST_FIRST) notebooks

test-browser: $(HAS)test ## JupyterLab and the viewers in Chromium: alone, as they are timed
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(ALONE)

test-fast: $(HAS)test ## the tests that take a minute or two together
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n auto

test-colab: $(COLAB)/.up-to-date ## test viewers and notebooks with the versions that Colab ships
	OMP_NUM_THREADS=1 $(COLAB)/bin/python -m pytest -n auto -m "not browser" tests/test_viewer*.py
	OMP_NUM_THREADS=1 $(COLAB)/bin/python -m pytest -c nbval.ini $(LONGEST_FIRST) notebooks

test-oldest: .venv-oldest/.up-to-date ## the fast tests with the oldest libraries that are allowed: on Python 3.11
	OMP_NUM_THREADS=1 .venv-oldest/bin/python -m pytest $(LONGEST_FIRST) -m "not slow and not browser"

test-newest: .venv-newest/.up-to-date ## the fast tests with the newest libraries there are: on Python 3.13
	OMP_NUM_THREADS=1 .venv-newest/bin/python -m pytest $(LONGEST_FIRST) -m "not slow and not browser"

notebooks: $(HAS)test ## run, time and freeze all notebooks
	$(BIN)/python scripts/run_notebooks.py

student: $(HAS)notebooks ## write the lessons for students, without solutions and outputs: build/student
	@$(BIN)/python scripts/student_notebooks.py

slides: $(HAS)site ## write a deck of slides for each lesson from 00 to 08, which needs Node 20: build/slides
	scripts/ensure_node.sh
	@$(BIN)/python scripts/make_slides.py

site: $(HAS)site ## build the lessons and the API reference as static pages, search included: open build/site/index.html
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory live; fi
	$(BIN)/sphinx-build --fail-on-warning --keep-going -q -d build/doctrees -c docs . build/site
	@echo "The pages are in build/site/index.html"

live: ## build the page that runs the network in a browser, which needs Node 20: open build/live/explore.html
	scripts/ensure_node.sh
	cd live && node build.mjs ../build/live && node build-live.mjs ../build/live

clean: ## remove .venv, caches and build leftovers
	rm -rf $(VENV) $(COLAB) $(ENDS:%=.venv-%) live/node_modules build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

# One stamp for each extra that is installed; what a target needs is installed at once.
$(HAS)notebooks: EXTRAS := notebooks
$(HAS)site: EXTRAS := notebooks site
$(HAS)test: EXTRAS := notebooks site test
$(HAS)notebooks $(HAS)site $(HAS)test: pyproject.toml $(PINS)
	@$(PYTHON) scripts/check_python.py
	$(PYTHON) scripts/make_environment.py $(VENV) $(EXTRAS)
	@touch $(EXTRAS:%=$(HAS)%)

$(COLAB)/.up-to-date: pyproject.toml $(PINS) constraints/colab.txt
	@$(PYTHON) scripts/check_python.py
	@mkdir -p build
	$(PYTHON) scripts/colab_pins.py $(COLAB_TORCH) > build/colab_pins.txt
	$(PYTHON) scripts/make_environment.py $(COLAB) notebooks test --pins build/colab_pins.txt
	@touch $@

$(ENDS:%=.venv-%/.up-to-date): .venv-%/.up-to-date: pyproject.toml
	@$(PYTHON) scripts/check_python.py
	@mkdir -p build
	$(PYTHON) scripts/end_pins.py $* > build/$*_pins.txt
	$(PYTHON) scripts/make_environment.py .venv-$* notebooks test --pins build/$*_pins.txt
	@touch $@
