# make demo   install what is missing, prove the simulator, run the main job, say where the report is
# make test   the same set-up, then lint, types and tests
# make docs   the site of docs/ in out/site; warnings and broken links are errors
# make nightly   10,000 cases of bad input for each reader
# make supply   licences and known weaknesses of the dependencies; the wheel installed and used
.DEFAULT_GOAL := demo
PYTHON_IN_VENV := .venv/bin/python

.PHONY: setup demo test nightly lint netlists docs supply lock clean

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

# MkDocs in an environment of its own: the sources are read, not imported. Its hook asks .venv for
# the options of the commands.
docs: setup .venv-docs/made
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --quiet
	@echo "the site: $(CURDIR)/out/site/index.html"

.venv-docs/made: tools/docs.lock
	@.venv/bin/python -m venv --clear .venv-docs
	@.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The lock files cover every supported Python, with the same versions wherever these run there, so
# that types are checked against one numpy. They need uv (pip install uv).
LOCK := uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-annotate --no-header --upgrade
lock:
	$(LOCK) --extra dev pyproject.toml -o requirements.lock
	$(LOCK) --group pyproject.toml:docs -o tools/docs.lock
	$(LOCK) tools/supply.in -o tools/supply.lock

clean:
	rm -rf .venv .venv-docs out build dist *.egg-info
