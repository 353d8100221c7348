# SPDX-FileCopyrightText: 2026 The Quantum authors
# SPDX-License-Identifier: Apache-2.0
#
# Each command first gets what is missing; once all is there, that costs nothing.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
OPTIONS ?=
TESTS ?= tests
ROOT := $(filter 0,$(shell id -u))

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.ovs/usr/sbin:$(CURDIR)/.ovs/usr/bin:$(PATH):/usr/sbin:/sbin
LIBRARIES := usr/lib/$(shell uname -m)-linux-gnu lib/$(shell uname -m)-linux-gnu
empty :=
export LD_LIBRARY_PATH := $(subst $(empty) ,:,$(strip $(LIBRARIES:%=$(CURDIR)/.ovs/%) $(LD_LIBRARY_PATH)))

# A virtual environment of exactly the locked versions, here, and a mark that says so.
LOCK := requirements.lock
VENV := .venv/complete-$(firstword $(shell { pwd; cat $(LOCK); } | sha256sum))
PIP_INSTALL := .venv/bin/python -m pip install --disable-pip-version-check --no-input \
	--progress-bar off --require-hashes --no-deps --no-build-isolation --use-pep517
DOTS := awk '/^Collecting/ { printf "."; fflush() } END { print "" }'

.PHONY: help demo run test bench lint format lock python ovs clean

help:
	@echo "make demo    watch tenants with equal addresses share three hypervisors (root)"
	@echo "make test    lint, then all tests; TESTS=tests/api for some of them"
	@echo "make run     the daemon in the foreground, on this machine's Open vSwitch;"
	@echo "             OPTIONS=\"--set plugin.name=memory\" without any switch"
	@echo "make bench   measure against the yardsticks"
	@echo "make lint    ruff and mypy;  make format  lets ruff write"
	@echo "make lock    bring $(LOCK) up to date with pyproject.toml"
	@echo "make ovs     get Open vSwitch (installed as root, else unpacked into .ovs/)"
	@echo "make clean   remove what these commands made here"

demo: $(VENV) ovs
	@python -m tests.lab.demo

SWITCHLESS := $(findstring plugin.name=memory,$(OPTIONS))
run: $(VENV) $(if $(SWITCHLESS),,ovs)
	@switch="$(if $(SWITCHLESS),,$$(tools/openvswitch))" && \
		exec twistd -n --pidfile= quantum $$switch $(OPTIONS)

test: lint ovs
	@echo "==> Testing$(if $(ROOT),, what needs no root; run make as root for all)"
	@python -m pytest -p no:cacheprovider --durations=10 --durations-min=1 \
		$(if $(ROOT),,-m "not root") $(TESTS)

bench: $(VENV) ovs
	@python -m benchmarks

lint: $(VENV)
	@echo "==> Linting"
	@ruff check --quiet .
	@ruff format --quiet --check .
	@mypy --no-error-summary

format: $(VENV)
	@ruff check --fix .
	@ruff format .

python:
	@tools/packages python3=python3 python3:ensurepip=python3-venv

ovs:
	@tools/packages ovs-vswitchd=openvswitch-switch ovs-ofctl=openvswitch-switch \
		ip=iproute2 tcpdump=tcpdump ping=iputils-ping curl=curl

$(VENV): | python
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Quantum needs Python 3.11 or later; try: make PYTHON=python3.11"; exit 1; }
	@echo "==> Installing the locked Python packages into .venv (about a minute)"
	@$(PYTHON) -m venv --clear .venv
	@sed -n '/^setuptools==/,/# via/p' $(LOCK) > .venv/setuptools.lock
	@$(PIP_INSTALL) --quiet -r .venv/setuptools.lock
	@$(PIP_INSTALL) -r $(LOCK) | $(DOTS)
	@echo $(CURDIR) > "$$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/quantum-tree.pth"
	@touch $@

# pip-tools lives outside .venv, so that .venv holds what is locked and no more.
lock:
	@tools/packages python3=python3 python3:ensurepip=python3-venv
	@test -x .venv-lock/bin/pip-compile || \
		{ $(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet pip-tools; }
	@CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/pip-compile --quiet --upgrade \
		--extra dev --generate-hashes --strip-extras --allow-unsafe \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file $(LOCK) pyproject.toml

clean:
	@rm -rf .venv .venv-lock .ovs build dist *.egg-info _trial_temp* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find quantum ryu_apps twisted tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
	@find quantum twisted -name dropin.cache -delete
