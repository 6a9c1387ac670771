# Every target makes its own virtual environment: a machine with Python 3.11 and pip is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test torch check docs bench clean

help:
	@echo "make demo   two minutes of search from an empty program, then the table of what was found"
	@echo "make test   the test suite"
	@echo "make torch  adds torch and Triton, which the tests of exported optimizers and GPU paths use where they are there"
	@echo "make check  lint, types, import layers, wheel contents"
	@echo "make docs   the documentation as a site in ./site, readable without a network"
	@echo "make bench  the side-by-side benchmarks"

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e '.[llm]'
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/evolve run exp2 --time 2m --seed 1 --run-dir runs/demo-$$(date -u +%Y%m%dT%H%M%SZ)
	$(BIN)/evolve frontier last

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup tests

torch: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch "triton; sys_platform == 'linux'"

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . > dist.log 2>&1 || (cat dist.log; rm -f dist.log; exit 1)
	rm -f dist.log
	$(BIN)/check-wheel-contents dist/*.whl

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group docs
	$(BIN)/python -m evolve.cli.reference > docs/commands.md
	$(BIN)/python -m evolve.cli.library > docs/library.md
	$(BIN)/python -m evolve.cli.zoo > docs/zoo.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

bench: $(STAMP)
	for each in interpreter throughput archive sandbox chaos float32 overhead; do $(BIN)/python -m benchmarks.$$each || exit 1; done
	$(BIN)/python -m benchmarks.approximation exp2 exp log2 sin erf
	$(BIN)/python -m benchmarks.ablation log2_1p sin erf
	$(BIN)/python -m benchmarks.discovery circle_packing_26

clean:
	rm -rf $(VENV) dist site .pytest_cache .mypy_cache .ruff_cache
