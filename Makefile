# Two environments, each made on first use and never shared:
#   .venv      a copy built from this checkout, as a user installs it: the demo runs here
#   .venv-dev  this checkout itself, editable, with every tool: tests and checks run here
# So no test can ever meet an installed copy that is older than the sources.

PYTHON ?= python3
DEV := .venv-dev
DEMO := .venv
JS := clients/javascript
# A folder with `node` and `npm`; empty where neither can be had. See tools/node.py.
NODE := $(CURDIR)/$(DEV)/node
NPM := $(JS)/node_modules/.installed
GATEWAY := tests/gateway_clients
GATEWAY_NPM := $(GATEWAY)/node_modules/.installed
NODES := 20 22 24
MINUTES ?= 1
# What a user has selected for daily use is not for tests and measurements.
export COSMO_CONTEXT := -
RUN := $(DEV)/bin/python -m
PIP_INSTALL := -m pip install -qq --disable-pip-version-check
# Folders are in it too, as their time changes when a file goes away; `docs/.`, as `docs` is a target.
SHIPPED := setup.py $(shell find zmq_transport cosmonapse docs/. -name __pycache__ -prune -o ! -name '_compiled*.so' ! -name _compiled.c -print)
KERNEL := setup.py zmq_transport/kernel_sources.py $(wildcard */kernel/*.pyx */kernel/*.pxi)

.DEFAULT_GOAL := help
QUICK := property unit javascript
SUITE := cosmonapse/testing/conformance
# What calls a kernel, for the run with the plain twins.
NEAR_KERNEL := $(addprefix tests/,property unit/dendrite unit/kernel unit/synapse unit/zmq_transport) \
	$(SUITE) --cosmo-harness conformance.harnesses:Cosmo
# What calls a carrier, for the run with the one that is not the default.
NEAR_LIBZMQ := $(addprefix $(SUITE)/test_,away.py full_queues.py handed_over.py opening.py tasks.py) \
	--cosmo-harness conformance.harnesses:CosmoLibzmq
# The same with keys, in both languages.
NEAR_KEYS := $(addprefix $(SUITE)/test_,handed_over.py opening.py tasks.py) \
	--cosmo-harness conformance.harnesses:KeyedCosmo --cosmo-harness conformance.javascript.harnesses:KeyedJsFirst
# What the carrier over NATS and its router do for the client and the engine that all others have too.
NEAR_NATS := $(addprefix $(SUITE)/test_,away.py broadcast.py full_queues.py handed_over.py opening.py tasks.py) \
	--cosmo-harness conformance.nats_harnesses:Nats

.PHONY: help demo test test-pure test-all test-nodes test-harnesses test-upgrades test-extras check check-js check-format lint types unit unit-dendrite unit-transport unit-others short-property house format bench soak build docs clean distclean FORCE

help: ## list what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "make %-14s %s\n", $$1, $$2 }'

demo: $(DEMO)/.installed ## install a copy as a user would and run the whole thing once
	@env -u PYTHONPATH PYTHONSAFEPATH=1 $(DEMO)/bin/cosmo demo

# Where no kernel was compiled, the first run is with the plain twins already.
define BESIDE
{ quick=0; nice -n 5 $(RUN) pytest -p no:cacheprovider $(ARGS) $(addprefix tests/,$(QUICK)) || quick=$$?; \
	if ls */kernel/_compiled*.so > /dev/null 2>&1; then echo "the same with the plain twins of the kernels"; \
	COSMO_PURE=1 HYPOTHESIS_PROFILE=short nice -n 5 $(RUN) pytest -p no:cacheprovider $(ARGS) $(NEAR_KERNEL) || quick=$$?; fi; \
	echo "a third with the carrier libzmq"; \
	COSMO_CARRIER=libzmq nice -n 5 $(RUN) pytest -p no:cacheprovider $(ARGS) $(NEAR_LIBZMQ) || quick=$$?; \
	echo "a fourth with keys"; nice -n 5 $(RUN) pytest -p no:cacheprovider $(ARGS) $(NEAR_KEYS) || quick=$$?; \
	echo "a fifth over NATS"; nice -n 5 $(RUN) pytest -p no:cacheprovider $(ARGS) $(NEAR_NATS) || quick=$$?; \
	echo "the suite of the port"; nice -n 5 $(RUN) pytest -p no:cacheprovider $(ARGS) $(SUITE) || quick=$$?; \
	exit $$quick; }
endef

# What has real processes waits most of its time: it runs in two parts beside each other, the longer one beside the
# browser, too. Meanwhile the others run, out of their way. A browser whose frames are measured draws alone.
# ARGS reaches every pytest.
LONGER_PART := tests/integration/test_[a-p]*.py
FRAMES := tests/browser/test_flood.py
test: $(DEV)/.installed $(DEV)/.uwsgi $(NPM) $(GATEWAY_NPM) ## run every test
	@status=0; $(RUN) pytest $(ARGS) $(FRAMES) || status=$$?; logs=$$(mktemp -d); \
	$(BESIDE) > $$logs/beside 2>&1 & beside=$$!; \
	$(RUN) pytest -p no:cacheprovider $(ARGS) $(LONGER_PART) > $$logs/longer 2>&1 & longer=$$!; \
	trap 'kill $$beside $$longer 2> /dev/null; rm -rf $$logs' EXIT; trap 'exit 130' INT TERM; \
	$(RUN) pytest $(ARGS) tests/browser --ignore=$(FRAMES) || status=$$?; \
	$(RUN) pytest $(ARGS) tests $(foreach each,browser $(QUICK),--ignore=tests/$(each)) \
	--ignore-glob='$(LONGER_PART)' || status=$$?; \
	wait $$longer || status=$$?; cat $$logs/longer; wait $$beside || status=$$?; cat $$logs/beside; exit $$status

test-all: test test-nodes test-harnesses test-upgrades test-pure test-extras ## every test, more drawn examples, every node, carrier and kernel
	@HYPOTHESIS_PROFILE=thorough $(RUN) pytest -p no:cacheprovider tests/property

test-pure: $(DEV)/.installed $(NPM) $(GATEWAY_NPM)
	@COSMO_PURE=1 $(RUN) pytest -p no:cacheprovider $(ARGS) $(foreach each,browser house packaging,--ignore=tests/$(each))

test-nodes: $(DEV)/.installed $(NPM) $(foreach each,$(NODES),$(DEV)/nodes/$(each)/.installed)
	@status=0; for each in $(NODES); do echo "the JavaScript tests in node $$each"; \
	COSMO_TEST_CARRIERS="zmtp libzmq" COSMO_TEST_NODE=$(DEV)/nodes/$$each $(RUN) pytest -p no:cacheprovider $(ARGS) tests/javascript || status=$$?; \
	done; exit $$status

# The suite of the port: `make test` runs it with the harnesses in pyproject.toml. Here are each of the two
# carriers at each end, what is left for JavaScript, and the fabric on NATS whole.
PAIR_HARNESSES := KeyedCosmo CosmoLibzmq IpcLibzmq CosmoLibzmqDendrites CosmoLibzmqSynapse
NATS_HARNESSES := Nats NatsDies NatsTwo
JS_HARNESSES := KeyedJsDendrites KeyedJsFirst JsTransports JsSecond JsTransportsOverLibzmq JsDendritesOverLibzmq JsFirstOverLibzmq

test-harnesses: $(DEV)/.installed $(NPM)
	@$(RUN) pytest -p no:cacheprovider $(ARGS) cosmonapse/testing/conformance \
	$(addprefix --cosmo-harness conformance.harnesses:,$(PAIR_HARNESSES)) \
	$(addprefix --cosmo-harness conformance.nats_harnesses:,$(NATS_HARNESSES)) \
	$(addprefix --cosmo-harness conformance.javascript.harnesses:,$(JS_HARNESSES))

# This version and the one before it, in every pair of versions, carriers and languages.
test-upgrades: $(DEV)/.installed $(NPM)
	@COSMO_TEST_UPGRADES=all $(RUN) pytest -p no:cacheprovider $(ARGS) tests/integration/test_upgrades.py

test-extras: $(DEV)/.installed ## the extras with the lowest and the newest versions of their ranges
	@$(RUN) tools.extras

check: $(DEV)/.installed ## format, lint, types, house rules, unit tests, short property tests
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target $(CHECKS)

check-js: $(DEV)/.installed $(NPM) ## the same of the JavaScript client: format, lint, types, tests
	@[ ! -e $(NPM) ] || { cd $(JS) && PATH="$(NODE):$$PATH" npm --silent run check; }
	@$(RUN) pytest -q -p no:cacheprovider tests/javascript/test_rooms.py -k "not live" $(ARGS)

check-format: $(DEV)/.installed ## is the code formatted?
	@$(RUN) ruff format --check --quiet .

lint: $(DEV)/.installed ## ruff's findings
	@$(RUN) ruff check --quiet .

types: $(DEV)/.installed ## mypy's findings
	@$(RUN) mypy --no-error-summary

unit: $(DEV)/.installed ## unit tests; M=zmq_transport/proxy/test_tasks runs one module or folder
	@$(RUN) pytest -q -p no:cacheprovider $(firstword $(wildcard tests/unit/$(M).py) tests/unit/$(M)) $(ARGS)

# The checks of `make check`, two at a time, the longest first.
CHECKS := unit-dendrite short-property unit-others house unit-transport types lint check-format

unit-dendrite unit-transport unit-others short-property house: $(DEV)/.installed
	@HYPOTHESIS_PROFILE=short $(RUN) pytest -q -p no:cacheprovider $(TESTS)

unit-dendrite: TESTS = tests/unit/dendrite
unit-transport: TESTS = tests/unit/zmq_transport
unit-others: TESTS = tests/unit --ignore=tests/unit/dendrite --ignore=tests/unit/zmq_transport
short-property: TESTS = tests/property
house: TESTS = tests/house

format: $(DEV)/.installed ## format the code and mend what ruff can mend
	@$(RUN) ruff check --quiet --fix-only .
	@$(RUN) ruff format --quiet .
	@[ ! -e $(NPM) ] || { cd $(JS) && PATH="$(NODE):$$PATH" npm --silent run format -- --log-level warn; }

bench: $(DEV)/.bench $(NPM) ## measure and rewrite docs/design/benchmarks.md; ARGS="--quick" or "--help"
	@$(RUN) tools.bench --write $(ARGS)

soak: $(DEV)/.installed ## break real processes under load and judge; MINUTES=30, ARGS="--help"
	@$(RUN) tools.soak --minutes $(MINUTES) $(ARGS)

build: $(DEV)/.installed ## build sdist and wheel into dist/
	@rm -rf build dist *.egg-info
	@$(RUN) build --no-isolation . > /dev/null
	@rm -rf build *.egg-info
	@ls dist/*

docs: $(DEV)/.docs ## build the documentation site, check its links, open it from disk: site/index.html
	@$(RUN) tools.docs

clean: ## remove builds and caches
	@rm -rf build dist site *.egg-info .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@rm -f */kernel/_compiled.c */kernel/_compiled*.so $(DEV)/.installed
	@find zmq_transport cosmonapse examples tests tools -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## remove the two environments as well
	@rm -rf $(DEV) $(DEMO) $(JS)/node_modules $(GATEWAY)/node_modules

# An environment remembers where it was made: in a moved or copied checkout it is made anew,
# because it would run the code of the old place.
elsewhere = $(shell [ -x $(1)/bin/python ] && [ "$$(cat $(1)/.made 2>/dev/null)" = "$(CURDIR)" ] || echo FORCE)

define make_env
@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed and $(PYTHON) is $$($(PYTHON) -V): apt-get install python3.11 python3.11-venv, then make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) cannot make environments: apt-get install python3-venv" >&2; exit 1; }
@echo "making $(@D)"
@$(PYTHON) -m venv $$([ ! -e $@ ] || echo --clear) $(@D)
@echo '*' > $(@D)/.gitignore
@echo '$(CURDIR)' > $@
endef

$(DEV)/.made: $(call elsewhere,$(DEV))
	$(make_env)

$(DEMO)/.made: $(call elsewhere,$(DEMO))
	$(make_env)

# The kernels are compiled by `.installed`, once.
$(DEV)/.tools: $(DEV)/.made setup.cfg pyproject.toml
	@echo "installing this checkout and its tools into $(DEV)"
	@rm -f $@
	@COSMO_PURE=1 $(DEV)/bin/python $(PIP_INSTALL) --editable '.[dev]'
	@touch $@

# A module that is older than its source must not run: without a C compiler none is there.
$(DEV)/.installed: $(DEV)/.tools $(KERNEL)
	@rm -f $@ */kernel/_compiled*.so
	@$(DEV)/bin/python setup.py --quiet build_ext --inplace > $(DEV)/kernel.log 2>&1 || { cat $(DEV)/kernel.log; exit 1; }
	@ls */kernel/_compiled*.so > /dev/null 2>&1 || echo "no kernel was compiled, plain Python runs in its place: $(DEV)/kernel.log"
	@touch $@

# What is measured beside us is optional: without an index the bench says what it lacks.
$(DEV)/.bench: $(DEV)/.installed
	@COSMO_PURE=1 $(DEV)/bin/python $(PIP_INSTALL) --editable '.[bench]' || echo "cannot install what the bench measures beside us"
	@touch $@

# uWSGI comes as source only. Without a C compiler its tests are skipped.
$(DEV)/.uwsgi: $(DEV)/.installed
	@$(DEV)/bin/python $(PIP_INSTALL) 'uwsgi>=2.0.28' 2> /dev/null || echo "cannot build uWSGI: its tests are skipped"
	@touch $@

$(NODE)/.installed: $(DEV)/.made tools/node.py
	@$(DEV)/bin/python tools/node.py $(NODE)
	@touch $@

$(DEV)/nodes/%/.installed: $(DEV)/.made tools/node.py
	@echo "installing a wheel of node $*"
	@$(DEV)/bin/python tools/node.py $(@D) --major $*
	@touch $@

# Without a node or an index the JavaScript tests are skipped; the next run tries again.
$(NPM): $(NODE)/.installed $(JS)/package-lock.json
	@[ ! -x $(NODE)/node ] || { echo "installing the tools of $(JS)"; cd $(JS) && \
	if PATH="$(NODE):$$PATH" npm ci --silent --no-audit --no-fund; then touch node_modules/.installed; \
	else echo "npm cannot install the tools of $(JS): its tests are skipped"; fi; }

# Clients and servers of others in node, for the gateways. Without them those tests are skipped.
$(GATEWAY_NPM): $(NODE)/.installed $(GATEWAY)/package-lock.json
	@[ ! -x $(NODE)/node ] || { echo "installing the packages of $(GATEWAY)"; cd $(GATEWAY) && \
	if PATH="$(NODE):$$PATH" npm ci --silent --no-audit --no-fund; then touch node_modules/.installed; \
	else echo "npm cannot install the packages of $(GATEWAY): its tests are skipped"; fi; }

$(DEV)/.docs: $(DEV)/.installed
	@echo "installing the builder of the documentation site into $(DEV)"
	@COSMO_PURE=1 $(DEV)/bin/python $(PIP_INSTALL) --editable '.[docs]'
	@touch $@

$(DEMO)/.installed: $(DEMO)/.made setup.cfg pyproject.toml $(SHIPPED)
	@echo "installing a copy of this checkout into $(DEMO)"
	@rm -rf $@ build *.egg-info
	@$(DEMO)/bin/python $(PIP_INSTALL) '.[llm,flask]'
	@rm -rf build *.egg-info
	@touch $@
