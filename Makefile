# The short way to everything; each target says what it does. `make help` lists them.
# JOBS=N limits parallelism, ARGS='…' goes to `twostroke serve`, FUZZ_SECONDS=N to each fuzz target.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/twostroke
# Debian's tools first: a cargo in ~/.cargo/bin is used where the PATH has none.
export PATH := $(PATH):$(HOME)/.cargo/bin

CPP_FILES = find $(wildcard src tests bench ffi/include) -name '*.h' -o -name '*.cpp'
CTEST = $(TEST_ENV) ctest --output-on-failure --no-tests=error -j 2
# What the tests are told; anything a test needs and does not find here it skips, saying so.
TEST_ENV = TWOSTROKE_BIN="$(CURDIR)/build/release/twostroke" \
  TWOSTROKE_MODEL="$(CACHE)/models/SmolLM2-135M-Instruct.Q4_1.gguf" \
  TWOSTROKE_TEST_DATA="$(CACHE)/test-data" \
  TWOSTROKE_PYTHON="$(CACHE)/venv-test/bin/python" \
  TWOSTROKE_NODE_MODULES="$(CACHE)/e2e-js/node_modules" \
  PATH="$(CACHE)/venv-test/bin:$(CACHE)/venv-node/bin:$(CACHE)/prometheus/usr/bin:$$PATH"

.PHONY: help build run test test-release test-dev fmt format-check lint tsan fuzz coverage clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## install what is missing and build; leaves build/release/twostroke
	@scripts/setup build
	cmake --preset release
	cmake --build --preset release --target twostroke -j $(JOBS)

run: ## install, build, fetch the default model and serve it (ARGS='--port 9000 …')
	@scripts/setup run
	@$(MAKE) --no-print-directory build
	exec build/release/twostroke serve $(ARGS)

test: ## install, build and run every test: unit tests under ASan + UBSan, then everything on the release build
	@scripts/setup test
	@$(MAKE) --no-print-directory test-dev
	@$(MAKE) --no-print-directory test-release

# The sanitizer build holds the test programs alone: the binary is tested as it ships. The long comparisons with other
# implementations are about answers, not memory; they run once, on the release build.
test-dev:
	cmake --preset dev
	cmake --build --preset dev --target unit_tests -j $(JOBS)
	$(CTEST) --test-dir build/dev -E '_against_|golden_reference'

test-release:
	cmake --preset release
	cmake --build --preset release -j $(JOBS)
	$(CTEST) --test-dir build/release

fmt: ## format every C++ file
	@scripts/setup lint
	$(CPP_FILES) | xargs clang-format-14 -i

format-check:
	$(CPP_FILES) | xargs clang-format-14 --dry-run -Werror

lint: ## clang-format and clang-tidy, changing nothing
	@scripts/setup lint
	@$(MAKE) --no-print-directory format-check
	cmake --preset release
	run-clang-tidy-14 -quiet -p build/release -j $(JOBS) '/src/.*\.cpp$$'

tsan: ## the unit tests under ThreadSanitizer
	@scripts/setup test
	cmake --preset tsan
	cmake --build --preset tsan --target unit_tests -j $(JOBS)
	$(CTEST) --test-dir build/tsan

fuzz: ## each fuzz target for FUZZ_SECONDS, starting from its corpus; finds stay in build/fuzz
	@scripts/setup fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz --target fuzzers -j $(JOBS)
	scripts/fuzz build/fuzz $(FUZZ_SECONDS)

coverage: ## line coverage of the unit tests, in build/coverage/report
	@scripts/setup coverage
	cmake --preset coverage
	cmake --build --preset coverage --target unit_tests -j $(JOBS)
	$(CTEST) --test-dir build/coverage
	mkdir -p build/coverage/report
	"$(CACHE)/venv-test/bin/gcovr" --root . --filter src/ --exclude '.*_test\.cpp' --object-directory build/coverage \
	  --html-details build/coverage/report/index.html --print-summary

clean: ## remove every build folder (not the cache)
	rm -rf build
