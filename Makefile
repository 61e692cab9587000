# Every task of the project. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
TOOLS := node_modules/.bin
NODE_TEST := bin/node --test --test-reporter=spec
TEST_PACKAGES := chromium:chromium openssl:openssl ip:iproute2 curl:curl python3:python3 pip3:python3-pip

.PHONY: help demo check test format generate unit integration browser cluster packages

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: node_modules/.package-lock.json ## Run it all on this computer: Sallyport, a provider, applications
	@bin/sallyport demo

check: node_modules/.package-lock.json ## The inner loop: everything that needs nothing but Node
	$(TOOLS)/tsc --noEmit -p .
	$(TOOLS)/oxlint --type-aware --deny-warnings src test demo scripts
	$(TOOLS)/oxfmt --check src test demo scripts
	$(TOOLS)/knip
	bin/node scripts/crds.ts --check
	bin/node scripts/docs.ts --check
	$(NODE_TEST) $(CHECK_TESTS)

CHECK_TESTS := 'test/house/*.test.ts' 'test/policy/*.test.ts' 'test/translate/*.test.ts' 'test/properties/*.test.ts' \
  'test/sessions/*.test.ts' 'test/auth/*.test.ts' 'test/roles/*.test.ts' 'test/admin/*.test.ts' 'test/proxy/*.test.ts' 'test/inventory/*.test.ts' 'test/cli/*.test.ts' \
  'test/attacks/**/*.test.ts' 'test/docs/{links,examples,reference}.test.ts'

test: check packages ## Everything: check, integration, browser, a real API server; installs what it needs
	$(NODE_TEST) --test-concurrency=1 'test/docs/{commands,snippets}.test.ts' 'test/demo/*.test.ts' 'test/integration/*.test.ts' 'test/browser/*.test.ts' 'test/cluster/*.test.ts'

packages: ## Install what the tests need beside npm's packages
	@scripts/packages.sh $(TEST_PACKAGES)
	@PYTHONPATH=.cache/python python3 -c 'import jwt, cryptography' 2>/dev/null || \
	  python3 -m pip install --quiet --disable-pip-version-check --target .cache/python 'pyjwt[crypto]==2.15.1'
	@test/cluster/binaries/build >/dev/null

format: node_modules/.package-lock.json ## Format the code
	$(TOOLS)/oxfmt src test demo scripts

generate: node_modules/.package-lock.json ## Make the generated files: the CRDs and the reference pages
	bin/node scripts/crds.ts
	bin/node scripts/docs.ts
