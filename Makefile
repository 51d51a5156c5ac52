# make report   set up everything and build the report into _site/
# make test     set up everything and run all tests, browser tests included
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TESTED := _build/tested/_site
export OPENBLAS_NUM_THREADS := 1

.PHONY: report test preview campaigns clean setup chromium

report: setup
	$(BIN)/lwo build

test: setup chromium
	$(BIN)/lint-imports --no-cache
	$(BIN)/ruff check lib tests benchmarks
	rm -rf $(TESTED)
	-$(BIN)/lwo build --renderer embedded --out $(TESTED)
	LWO_TESTED_SITE=$(TESTED) $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

preview: setup
	$(BIN)/lwo preview

campaigns: setup
	for script in benchmarks/*.py; do echo "$$script"; $(BIN)/python -m "benchmarks.$$(basename "$$script" .py)" || exit 1; done

setup: $(VENV)/installed

# the lock with its hashes first, then the project without its dependencies: pip refuses both in one call
$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV): about 170 packages, some minutes the first time"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# browser tests need Chromium: taken from Debian's packages where this user may install them
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium from Debian's packages"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "No Chromium: browser tests will be skipped; install the package chromium and run make test again"; fi

clean:
	rm -rf _build _site $(VENV)
