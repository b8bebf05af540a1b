# make demo: set up and see the whole chain.  make test: set up and run every check.  make help: the rest.
PY ?= python3.11
WORKERS ?= 2
UV := .tools/bin/uv
BIN := .venv/bin
ROOMS := data features models training serving

export UV_SYSTEM_CERTS ?= 1
export UV_PYTHON_DOWNLOADS ?= never
# GNU OpenMP spins while it waits: on a busy machine a fit takes several times as long.
export OMP_WAIT_POLICY ?= passive
# Nothing is reported to anyone while we train.
export MLFLOW_DISABLE_TELEMETRY ?= true
export DO_NOT_TRACK ?= 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup system demo test bench-share bench-three bench-null bench-confounded bench-features bench-ceiling bench-event bench-reasons bench-coverage bench-obd bench-grid bench-nightly bench-service test-pages test-faults bench-capacity bench-claims rules-proof rules-mutants bench-harmful bench-calibration bench-training bench-peers bench-trials format lint types contracts tests documents fix lock clean

help: ## Shows this list.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

# numba keeps what it compiled until the file itself changes; it does not notice an edit of what a compiled loop imports.
KERNELS := $(shell grep -rl --include=*.py "^@njit" $(ROOMS))
IMPORTED := data/action_grid.py data/calendar.py data/situation.py data/times.py data/vocabulary.py features/catalogue.py \
	features/columns.py features/hours.py features/places.py features/reference.py features/tables.py

setup: system .venv/.ok .venv/.kernels ## Sets up .venv from the locked, hashed requirements.

system:
	@sh .ci/system $(PY)

$(UV): requirements-uv.lock | system
	$(PY) -m pip install -q --root-user-action ignore --upgrade --target .tools --require-hashes -r requirements-uv.lock
	@touch $@

# --compile-bytecode: without it, and with PYTHONDONTWRITEBYTECODE set, every process compiles every library again.
.venv/.ok: requirements.lock pyproject.toml $(UV)
	$(UV) venv -q --allow-existing --python $(PY) .venv
	$(UV) pip sync -q --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock
	$(UV) pip install -q --offline --no-deps --no-build-isolation --python $(BIN)/python -e .
	@touch $@

.venv/.kernels: $(KERNELS) $(IMPORTED) | .venv/.ok
	@find $(ROOMS) -name "*.nb[ic]" -delete
	@touch $@

demo: setup ## Plays the whole chain on a simulated portfolio: tables, models, decisions, report, service.
	$(BIN)/rettid demo

test: setup format lint types contracts tests ## Runs every check.

format: setup ## Checks the layout of the code.
	$(BIN)/ruff format --check .

lint: setup ## Checks the code against the lint list in pyproject.toml.
	$(BIN)/ruff check .

types: setup ## Checks types, strictly, in the five rooms and rettid.py.
	$(BIN)/mypy

contracts: setup ## Checks which room imports which.
	$(BIN)/lint-imports --no-cache --no-logo

tests: setup ## Runs tests, examples in docstrings, documents and notebooks.
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS) --dist loadfile --nbmake

documents: setup ## Runs the tests of the documents alone.
	$(BIN)/pytest tests/documents

bench-share: setup ## Measures how far the model goes from the incumbent's rules to the best allowed action (20 minutes a seed or less).
	$(BIN)/python tests/benchmarks/share_of_best.py

bench-three: setup ## Measures plain, ours and ours knowing the hidden traits in one run (20 minutes a seed).
	$(BIN)/python tests/benchmarks/three_lines.py

bench-null: setup ## Counts how often the report claims a gain in a world without any.
	$(BIN)/python tests/benchmarks/null_world.py

bench-confounded: setup ## Measures effects in a log where phone looks harmful but helps by 3 points, and with a hidden driver (10 minutes).
	OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/confounded_world.py

bench-features: setup ## Measures the features against the same ones in pandas and in DuckDB, and checks that they are the same (10 minutes).
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/benchmarks/features_speed.py

bench-ceiling: setup ## Measures how far the features could lead if labels had no noise (10 minutes).
	$(BIN)/python tests/benchmarks/feature_ceiling.py

bench-event: setup ## Measures how soon a decision sees an event, on the portfolio of bench-share.
	$(BIN)/python tests/benchmarks/event_to_decision.py

bench-coverage: setup ## Counts how often intervals of policy values cover a known truth, over 2,000 drawn logs (6 minutes).
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/ope_coverage.py

bench-obd: setup ## Values the policies of the Open Bandit sample by every estimator; OBP=PYTHON puts obp's beside them.
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/open_bandit.py $(if $(OBP),--obp $(OBP))

bench-reasons: setup ## Measures whether the reasons given for decisions are true, and how long they take (2 minutes).
	$(BIN)/python tests/benchmarks/true_reasons.py

bench-grid: setup ## Measures the grid scorer against LightGBM on the expanded grid; PEERS=PYTHON, which needs lleaves, puts lleaves beside it.
	OMP_NUM_THREADS=1 PYTHONPATH=. $(or $(PEERS),$(BIN)/python) tests/benchmarks/grid_speed.py

bench-nightly: setup ## Measures the nightly job against one with pandas and LightGBM for the grid (10 minutes).
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/nightly_speed.py

bench-service: setup ## Measures decisions over HTTP against an empty endpoint, LightGBM's own prediction and MLflow's server (half an hour).
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive PYTHONPATH=. $(BIN)/python tests/benchmarks/service_speed.py

test-pages: setup ## Opens the report's pages in a real browser, in every language, and prints them; needs Debian's chromium (10 minutes).
	RETTID_PAGES=1 OMP_NUM_THREADS=1 $(BIN)/pytest tests/pages

test-faults: setup ## Breaks the running service in every way we know, and counts what was lost (over an hour).
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.faults.fault_run
	RETTID_FAULTS=all OMP_NUM_THREADS=1 $(BIN)/pytest tests/serving/test_hand_over.py

bench-capacity: setup ## Measures decisions under limits against the exact best, the bound and first come first served (20 minutes).
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/capacity.py

rules-proof: setup ## Proves that no model gets past the contact rules: a million made-up decisions, 100,000 through the whole chain (20 minutes).
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.proof.rules_proof
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.proof.chain_proof

rules-mutants: setup ## Makes 250 mistakes in the contact rules, one at a time, and counts those that the tests notice (40 minutes).
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.proof.mutants

bench-claims: setup ## Counts claims of an uplift in a world without any (an hour).
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/claims_in_null.py
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/claims_of_policy_in_null.py

bench-harmful: setup ## Measures whether contact is withheld from those whom it hurts (20 minutes a seed).
	PYTHONPATH=. $(BIN)/python tests/benchmarks/harmful_world.py

bench-calibration: setup ## Measures calibration by channel and country, and log loss, on later debtors (20 minutes).
	PYTHONPATH=. $(BIN)/python tests/benchmarks/calibration_slices.py

bench-training: setup ## Measures time, memory and size of learning from a million decisions (10 minutes).
	PYTHONPATH=. $(BIN)/python tests/benchmarks/training_size.py

bench-peers: setup ## Measures our learning beside public tools on the same rows; PEERS=PYTHON names their environment (over an hour).
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/peers.py --peers $(PEERS)

bench-trials: setup ## Counts how often intervals of experiments cover, how often daily looks raise a false alarm, and power against plan (10 minutes).
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/benchmarks/trial_statistics.py

fix: setup ## Formats the code and repairs what the linter can.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Both locks hold hashes and no index address, so they work with any mirror.
LOCK := pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11
lock: $(UV) ## Compiles the requirements again; UPGRADE=1 takes newer versions.
	$(UV) $(LOCK) $(if $(UPGRADE),--upgrade) --group dev --output-file requirements.lock pyproject.toml
	echo 'uv==0.13.9' | $(UV) $(LOCK) --no-annotate --output-file requirements-uv.lock -

clean: ## Removes what set-up and the checks made; keeps the workspace.
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find $(ROOMS) tests -name __pycache__ -type d -prune -exec rm -rf {} +
