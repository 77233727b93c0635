# `make check` runs everything that .ci/run runs, in the environment that is active.
.PHONY: check lint types imports test test-fast docs bench

check: lint types imports test

lint:
	ruff check .
	ruff format --check .

types: build/types/stoker
	mypy -p stoker
	mypy tests benchmarks

# mypy needs folders with the packages' names: engine/ is installed as stoker.engine, tui/ as stoker.tui.
build/types/stoker:
	mkdir -p build/types/stoker
	ln -sfn ../../../engine ../../../tui ../../../stoker/__init__.py ../../../stoker/integrations ../../../stoker/py.typed build/types/stoker/

# lint-imports follows no links, so it reads a copy in which every folder has its package's name.
imports:
	rm -rf build/imports
	mkdir -p build/imports/stoker
	cp -r stoker/. engine tui build/imports/stoker/
	cp pyproject.toml build/imports/
	cd build/imports && lint-imports --no-cache

test:
	pytest

# Without the tests that drive the real program, train for seconds, or run benchmarks; on two processes.
test-fast:
	pytest -x tests/architecture tests/engine tests/tui

# README and docs: what they name exists, and their Python runs.
docs:
	pytest tests/test_docs.py

bench:
	python -m benchmarks all
	python -m benchmarks table
