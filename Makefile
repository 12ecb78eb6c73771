# The one way in. `make` builds the release binary build/release/bin/sluice; `make help` lists the rest.
SHELL := /bin/bash
JOBS ?= $(shell nproc)
CMAKE ?= cmake
CLANG_FORMAT ?= clang-format-14
CLANG_TIDY ?= clang-tidy-14
# With these ccache keeps objects that use the precompiled header, too.
export CCACHE_SLOPPINESS ?= pch_defines,time_macros

# Source files of ours, tracked or new.
FILES = $(shell git ls-files -co --exclude-standard -- '*.h' '*.cc' | grep -E '^(src|tests|bench)/')
configure = $(CMAKE) --preset $(1) -DSLUICE_CACHED_PCH=ON >/dev/null
build = $(call configure,$(1)) && $(CMAKE) --build build/$(1) -j $(JOBS)
compare_tpc = tests/peers/setup.sh && $(call build,release) && \
  .deps/peers/venv/bin/python tests/sql/compare_tpc.py $(1) $(if $(SCALE),--scale $(SCALE))
# gcc's ThreadSanitizer cannot map its shadow under some kernels' address randomisation.
UNRANDOMISED := $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: all help deps test-deps dev test tsan demo lint lint-fast fmt fmt-check sim fuzz bench bench-maintenance soak peers statement-peers differential tpch tpcds docs clean stress

all: deps ## the release binary (default)
	@$(call build,release)

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' Makefile | column -t -s '|'

deps: ## Debian packages and the pinned archives, into .deps/
	@tools/deps.sh

test-deps: ## the same with what tests, benches and linters need
	@tools/deps.sh --tests

dev: deps ## a debug build in build/dev
	@$(call build,dev)

demo: all ## the main job on an embedded broker, about a minute
	@build/release/bin/sluice demo

test: test-deps ## everything: checks, tests that start threads under TSan, all tests under ASan + UBSan
	@tools/check_layers.py && tools/tidy.py && tools/check_errors.py && $(MAKE) --no-print-directory fmt-check
	@$(call build,asan)
	@$(MAKE) --no-print-directory tsan
	@ctest --test-dir build/asan -j $(JOBS) --output-on-failure --no-tests=error

tsan: test-deps ## the tests that start threads under ThreadSanitizer
	@$(call configure,tsan) && $(CMAKE) --build build/tsan -j $(JOBS) --target sluice_tests
	@$(UNRANDOMISED) ctest --test-dir build/tsan -j $(JOBS) --output-on-failure --no-tests=error

lint: test-deps lint-fast fmt-check ## all checks, with clang-tidy (slow)
	@tools/check_headers.py
	@$(call configure,lint) && $(CMAKE) --build build/lint --target sluice_error_pages >/dev/null
	@printf '%s\n' $(filter %.cc,$(FILES)) | xargs -P $(JOBS) -n 2 $(CLANG_TIDY) -p build/lint --quiet

lint-fast: ## layers, banned words, sizes, error pages
	@tools/check_layers.py && tools/tidy.py && tools/check_errors.py && tools/check_docs.py

fmt: ## formats the sources
	@$(CLANG_FORMAT) -i $(FILES)

fmt-check: ## says what fmt would change
	@$(CLANG_FORMAT) --dry-run --Werror $(FILES)

sim: deps ## the simulation, SEED=n replays one seed, SEEDS=n runs that many
	@$(call configure,dev) && $(CMAKE) --build build/dev -j $(JOBS) --target sim_test crash_test pipeline_test
	@$(if $(SEED),SLUICE_SIM_SEED=$(SEED)) $(if $(SEEDS),SLUICE_SIM_SEEDS=$(SEEDS)) ctest --test-dir build/dev -j $(JOBS) -L sim --output-on-failure -V

fuzz: deps ## every fuzz test for RUNS inputs (default 100000)
	@$(call configure,asan) && $(CMAKE) --build build/asan -j $(JOBS) --target sluice_tests
	@SLUICE_FUZZ_RUNS=$(or $(RUNS),100000) ctest --test-dir build/asan -L fuzz --output-on-failure

stress: deps ## a fault at every storage call; eight processes write one table, killed again and again, for MINUTES (default 5)
	@$(call configure,asan) && $(CMAKE) --build build/asan -j $(JOBS) --target delta_concurrent_test delta_fault_test
	@SLUICE_FAULT_STRIDE=1 ctest --test-dir build/asan -R delta_fault_test --timeout 7200 -V
	@SLUICE_STRESS_SECONDS=$$(($(or $(MINUTES),5) * 60)) ctest --test-dir build/asan -R delta_concurrent_test --timeout 7200 -V

bench: test-deps ## the benchmark against a real broker; PEERS=1 runs the other systems too, WORKLOADS="all unique"
	@$(call build,release)
	@bench/run.py $(if $(PEERS),--peers) $(if $(WORKLOADS),--workloads $(WORKLOADS))

bench-maintenance: test-deps ## OPTIMIZE of 10,000 files, MERGE into 20 M rows, Z-ORDER of GIGABYTES (default 10), beside delta-rs and Spark
	@$(call build,release)
	@bench/delta/run.py --big --gigabytes $(or $(GIGABYTES),10)

soak: test-deps ## MINUTES (default 30) at 20,000 events/s
	@$(call build,release)
	@bench/soak.py --minutes $(or $(MINUTES),30)

peers: test-deps ## Spark, delta-rs and DuckDB read the tables of the example
	@$(call build,asan)
	@ctest --test-dir build/asan -L peer --output-on-failure

statement-peers: test-deps ## statements by sluice and Spark in turns: SEEDS (default 3) seeds, STEPS (default 40) a table
	@$(call build,asan)
	@SLUICE_BINARY=build/asan/bin/sluice SLUICE_PEER_SEED=$(or $(SEED),1) SLUICE_PEER_ROUNDS=$(or $(SEEDS),3) SLUICE_PEER_STEPS=$(or $(STEPS),40) \
	  tests/peers/statement_peer_test.py $(TABLES)

differential: test-deps ## RUNS (default 1000) random queries of SEED (default 1) here and on real Spark
	@tests/peers/setup.sh
	@$(call configure,asan) && $(CMAKE) --build build/asan -j $(JOBS) --target answer_queries
	@.deps/peers/venv/bin/python tests/sql/differential.py --seed $(or $(SEED),1) --count $(or $(RUNS),1000)

tpch: test-deps ## the queries of TPC-H at SCALE (default 0.1) here and on real Spark, rows compared
	@$(call compare_tpc,tpch)

tpcds: test-deps ## the queries of TPC-DS at SCALE (default 4: hundreds of items), likewise
	@$(call compare_tpc,tpcds)

docs: ## checks that the documents' links and commands hold
	@tools/check_docs.py

clean: ## removes build/; .deps/ stays
	@rm -rf build
