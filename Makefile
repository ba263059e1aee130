# make run, make test: all the set-up there is. The second time they are quick.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CONFIG ?= config/catch.yaml
DURATION ?= 60
RUNS ?= runs
SOURCES := $(shell find realtime_rl scripts launch config policies -type f -not -name '*.pyc' 2>/dev/null)

# Where a ROS 2 installation is sourced it is used, instead of the wheels.
ifdef ROS_DISTRO
VENV_FLAGS := --system-site-packages
EXTRAS := cpu,plants,gym,mujoco,learn,bags,datasets,test
else
EXTRAS := all
endif
# the wheels' bootstrap marks the environment of one venv; another must not inherit it
unexport _ROS_WHEELS_BOOTSTRAP_COMPLETE
# where bytecode is not kept, every process of every test compiles all that it imports
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# discovery stays on this machine
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST

.PHONY: help run robot test tests lowest lint bench doctor docs clean
help:
	@echo "make run     a 60 s run of the bundled game: live view, bag, report"
	@echo "make robot   a 60 s run with a simulated arm, which is a process of its own"
	@echo "make test    lint, types and tests"
	@echo "make lowest  the lowest versions that setup.py allows, torch too: some gigabytes"
	@echo "make bench   the stagger engine live: 30 s of an emulated 215 ms model"
	@echo "make doctor  what is installed and what is missing"
	@echo "make docs    what the pages take from code and data anew; the site, in site/"

$(VENV)/dependencies: setup.py constraints.txt
	$(PYTHON) -m venv $(VENV_FLAGS) $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt ".[$(EXTRAS)]"
	@touch $@

$(VENV)/package: $(VENV)/dependencies $(SOURCES) package.xml
	$(BIN)/pip install --quiet --no-deps --force-reinstall .
	@rm -rf build *.egg-info
	@touch $@

run: $(VENV)/package
	@run=$(RUNS)/$$(date +%Y%m%d-%H%M%S); mkdir -p $(RUNS); \
	$(BIN)/realtime-rl run --config $(CONFIG) --duration $(DURATION) --record $$run --html $$run.html && \
	echo "report: $$run.html"

robot: $(VENV)/package
	@run=$(RUNS)/$$(date +%Y%m%d-%H%M%S); mkdir -p $(RUNS); \
	$(BIN)/python -m examples.robot_sim arm --moving shoulder_pan shoulder_lift elbow_flex \
	--tolerance 0.04 --renew-home --log $$run.jsonl & robot=$$!; trap "kill $$robot" EXIT; \
	$(BIN)/realtime-rl run --config config/so101.yaml --duration $(DURATION) --record $$run --html $$run.html && \
	echo "report: $$run.html, and the robot's own log: $$run.jsonl"

lint: $(VENV)/package
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint tests

tests: $(VENV)/package
	$(BIN)/python -m pytest -m "not live" -n 2 --dist loadfile
	$(BIN)/python -m pytest -m live

lowest:
	.ci/lowest cpu plants gym mujoco bags datasets learn

doctor: $(VENV)/package
	$(BIN)/realtime-rl doctor

$(VENV)/site: $(VENV)/package
	$(BIN)/pip install --quiet --constraint constraints.txt ".[docs]"
	@rm -rf build *.egg-info
	@touch $@

docs: $(VENV)/site
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/package
	$(BIN)/realtime-rl bench stagger

clean:
	rm -rf $(VENV) .venv-lowest build site *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
