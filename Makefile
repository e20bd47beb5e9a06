# What a newcomer types. Every target does its own set-up (missing Debian
# packages, configure, build), can be repeated at no cost, and says in one
# sentence why it cannot go on. CMake does the building; see CMakePresets.json.
#
# PRESET=dev|release|asan chooses the build of `check`, `check-quick` and `demo`.
PRESET ?= release
JOBS ?= $(shell nproc)
MAKEFLAGS += --no-print-directory

.PHONY: help demo check check-quick asan format docs install clean

help: ## this list
	@echo "make TARGET, where TARGET is:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

# TARGET=rdna3 runs it on the simulated card; DEVICE=hsa takes the card itself.
TARGET ?= cpu
DEVICE ?= $(if $(filter-out cpu,$(TARGET)),sim,cpu)
demo: ## build, and recognise ten handwritten digits (TARGET=rdna3: on the simulated card)
	@scripts/build.sh $(PRESET) tiny-run $(if $(filter sim,$(DEVICE)),tiny-hsa-sim)
	@python3 demo/demo.py --tiny-run build/$(PRESET)/bin/tiny-run --target $(TARGET) --device $(DEVICE)

check: ## build, and run all tests
	@scripts/build.sh $(PRESET)
	@scripts/test.sh $(PRESET) -j $(JOBS)

check-quick: ## build, and run the tests that take less than a minute together
	@scripts/build.sh $(PRESET)
	@scripts/test.sh $(PRESET) -j $(JOBS) -L quick

asan: ## the same as check, with AddressSanitizer and UBSan
	@scripts/build.sh asan
	@scripts/test.sh asan -j $(JOBS)

format: ## format the C++ sources
	@scripts/bootstrap.sh
	@scripts/format.sh

docs: ## write docs/generated from the ODS files
	@scripts/build.sh $(PRESET) tiny-docs

PREFIX ?= /usr/local
install: ## build and install to PREFIX (default /usr/local)
	@scripts/build.sh release
	@cmake --install build/release --prefix $(PREFIX)

clean: ## remove all that was built
	@rm -rf build
