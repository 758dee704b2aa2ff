# make demo   install what is missing, prove the simulator, run the main job, say where the report is
# make test   the same set-up, then lint, types and tests
# make nightly   10,000 cases of bad input for each reader
.DEFAULT_GOAL := demo
PYTHON_IN_VENV := .venv/bin/python

.PHONY: setup demo test nightly lint netlists supply lock clean

setup:
	@bash tools/setup.sh

demo: setup
	@$(PYTHON_IN_VENV) -m stochram engine
	@$(PYTHON_IN_VENV) -m stochram run examples/demo.toml

lint: setup
	@$(PYTHON_IN_VENV) -m ruff check .
	@$(PYTHON_IN_VENV) -m ruff format --check .
	@$(PYTHON_IN_VENV) -m mypy

test: lint
	@$(PYTHON_IN_VENV) -m stochram engine
	@$(PYTHON_IN_VENV) -m pytest -n 2 --dist loadfile

# What no reader may be brought down by, 10,000 new cases each; hours.
nightly: setup
	@STOCHRAM_CASES=10000 $(PYTHON_IN_VENV) -m pytest tests/bad_input -n 2 --timeout 0 \
		--hypothesis-show-statistics

netlists: setup
	@$(PYTHON_IN_VENV) -m circuits.decks netlists

# Licences and known weaknesses of the dependencies; wheel and source archive built, installed, used.
supply: setup
	@bash tools/supply.sh

# The lock files cover every supported Python; they need uv (pip install uv).
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-header --upgrade --extra dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-header --upgrade tools/supply.in -o tools/supply.lock

clean:
	rm -rf .venv out build dist *.egg-info
