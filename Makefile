# loyald. `make help` lists the targets. What is made lands in build/, what runs lives in run/.
#
# A room (services/<room>) becomes a static library, services/<program>/main.c a program. What a room may use stands in
# services/LAYERS and is proved by `make layers`.

CC       ?= cc
PYTHON   ?= /usr/bin/python3
V        ?= 0
WERROR   ?= 1
SANITIZE ?=
# -O2 takes the worker 3 to 4 % more CPU time an event, and 7 % more instructions of its own.
CFLAGS   ?= -O3 -g
LTO      ?= $(if $(or $(SANITIZE),$(FAILPOINTS)),0,1)
prefix   ?= /usr/local
DESTDIR  ?=

ROOMS    := base cel engine programme adapters/kafka adapters/pg adapters/redis adapters/wire adapters/regex adapters/zones \
            runtime published worker scheduler ctl broker
# directory of main.c : name of the program
PROGRAMS := worker:loyald-worker scheduler:loyald-scheduler ctl:loyalctl broker:loyald-broker
PACKAGES := rdkafka hiredis libpq libprotobuf-c nettle jansson libmicrohttpd liblz4 re2 yaml-0.1

comma    := ,
space    := $() $()
# A folder for each compiler and sanitizer, so that they never mix. FAILPOINTS=1 builds what only tests may run.
flavour  := $(notdir $(firstword $(CC)))$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(FAILPOINTS),-failpoints)
B        := build/$(flavour)
Q        := $(if $(filter 1,$(V)),,@)
say       = $(if $(filter 1,$(V)),@:,@printf '  %-7s %s\n' $(1) $(2))

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
            $(if $(filter 1,$(WERROR)),-Werror)
HOUSE_CFLAGS := -std=c17 -D_GNU_SOURCE -fno-common -fstack-protector-strong -pthread $(WARNINGS) \
            -Iservices -I$(B)/gen -MMD -MP $(if $(FAILPOINTS),-DLOY_FAILPOINTS) \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
# What an event passes through is optimized as a whole in the worker and in benches (LTO=0: not), where the compiler is gcc.
# Objects keep their plain code beside it: `make layers` reads that, and all else is linked from it, in no time.
LTO_ROOMS  := base cel engine adapters/kafka adapters/pg adapters/redis adapters/wire worker
# A generic x86-64 clears and copies structs by `rep stos` and `rep movs`, which take long to begin, dozens of times an
# event; tuned for Skylake it is plain stores. All x86-64 run it.
TUNED      := $(if $(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)),-mtune=skylake)
LTO_CFLAGS := $(if $(filter 1,$(LTO)),$(if $(shell $(CC) --version 2>/dev/null | grep 'Free Software'),-flto=auto -ffat-lto-objects $(TUNED)))
LTO_LINKED := $(B)/loyald-worker $(B)/tests/bench/%
HOUSE_CXXFLAGS := -std=c++17 -fno-exceptions -fno-rtti -Wall -Wextra -Iservices -MMD -MP \
            $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer)
HOUSE_LDFLAGS := -pthread $(if $(SANITIZE),-fsanitize=$(SANITIZE))
# Asked once, and only when something is compiled: on a fresh machine `toolchain` has installed the packages by then.
once        = $(eval $(1) := $(2))$($(1))
# TLS to Redis, where hiredis was built with it (Debian 13, not 12).
REDIS_TLS   = $(call once,REDIS_TLS,$(shell pkg-config --exists hiredis_ssl openssl 2>/dev/null && echo hiredis_ssl openssl))
PKG_CFLAGS  = $(call once,PKG_CFLAGS,$(if $(REDIS_TLS),-DLOY_REDIS_TLS) $(shell pkg-config --cflags $(PACKAGES) $(REDIS_TLS)))
PKG_LIBS    = $(call once,PKG_LIBS,$(shell pkg-config --libs $(PACKAGES) $(REDIS_TLS)) -lstdc++ -lm)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# --- rooms ---------------------------------------------------------------------------------------------------------

lib_of    = $(B)/lib/libloy-$(subst /,-,$(1)).a
LIBS     := $(foreach room,$(ROOMS),$(call lib_of,$(room)))
proto    := $(wildcard proto/loyalty/v1/*.proto)
proto_c  := $(proto:proto/%.proto=$(B)/gen/%.pb-c.c) $(B)/gen/google/protobuf/timestamp.pb-c.c
proto_o  := $(proto_c:.c=.o)

define room_rules
$(call lib_of,$(1)): $(patsubst services/%.c,$(B)/obj/%.o,$(filter-out %/main.c,$(wildcard services/$(1)/*.c))) \
                     $(patsubst services/%.cc,$(B)/obj/%.o,$(wildcard services/$(1)/*.cc)) $(B)/lib/$(subst /,-,$(1)).list $(if $(filter adapters/wire,$(1)),$(proto_o))
endef
$(foreach room,$(ROOMS),$(eval $(call room_rules,$(room))))

$(LIBS): | toolchain
	$(call say,AR,$@)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcsD $@ $(filter %.o,$^)

# Which sources a room has: rewritten only when that changes, so that a deleted file leaves its archive.
$(LIBS:$(B)/lib/libloy-%.a=$(B)/lib/%.list): FORCE
	@mkdir -p $(@D)
	@ls services/$(subst adapters-,adapters/,$(basename $(@F)))/*.c* 2>/dev/null | cmp -s - $@ || ls services/$(subst adapters-,adapters/,$(basename $(@F)))/*.c* > $@ 2>/dev/null || true
FORCE:

$(LTO_ROOMS:%=$(B)/obj/%/%.o): lto = $(LTO_CFLAGS)
$(B)/obj/%.o: services/%.c $(proto_c) | toolchain
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOUSE_CFLAGS) $(lto) $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/obj/%.o: services/%.cc | toolchain
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX) $(HOUSE_CXXFLAGS) $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/gen/%.pb-c.c: proto/%.proto | toolchain
	$(call say,PROTOC,$<)
	@mkdir -p $(@D)
	$(Q)protoc-c -Iproto --c_out=$(B)/gen $<

$(B)/gen/google/protobuf/timestamp.pb-c.c: | toolchain
	@mkdir -p $(@D)
	$(Q)protoc-c --c_out=$(B)/gen google/protobuf/timestamp.proto

# Generated code is not ours to warn about.
$(B)/gen/%.pb-c.o: $(B)/gen/%.pb-c.c $(proto_c)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE -w -I$(B)/gen $(PKG_CFLAGS) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -c -o $@ $<

# --- programs ------------------------------------------------------------------------------------------------------

program_of = $(B)/$(lastword $(subst :, ,$(1)))
BINARIES  := $(foreach p,$(PROGRAMS),$(if $(wildcard services/$(firstword $(subst :, ,$(p)))/main.c),$(call program_of,$(p))))

define program_rules
$(call program_of,$(1)): $(B)/obj/$(firstword $(subst :, ,$(1)))/main.o $(LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$(p))))

link = $(CC) $(HOUSE_LDFLAGS) $(if $(LTO_CFLAGS),$(if $(filter $(LTO_LINKED),$@),-flto=auto,-fno-lto)) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(PKG_LIBS)

$(BINARIES):
	$(call say,LD,$@)
	$(Q)$(link)

# --- unit tests: one program a file --------------------------------------------------------------------------------

TEST_ROOMS  := $(foreach room,unit conformance sim bench,$(wildcard tests/$(room)/*_main.c tests/$(room)/test_*.c))
TESTS       := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
test_support := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/support/*.c))

$(B)/tests/%.o: tests/%.c $(proto_c) | testchain
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOUSE_CFLAGS) -Itests $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# The simulated ports (tests/sim): for unit tests, contract tests and the simulator.
FAKES       := $(B)/tests/libfakes.a
$(FAKES): $(patsubst %,$(B)/tests/sim/%.o,world fake_broker fake_bus fake_db fake_store fake_cache fake_programmes)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcsD $@ $^

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(test_support) $(FAKES) $(LIBS)
	$(call say,LD,$@)
	$(Q)$(link) -lcmocka

$(B)/tests/unit/test_fake_store_contract: $(B)/tests/contract/contract_store.o $(B)/tests/contract/contract_counters.o
$(B)/tests/unit/test_fake_bus_contract: $(B)/tests/contract/contract_bus.o

# --- contract tests: the same histories on a port's adapter and on its fake -------------------------------------------

CONTRACTS := $(addprefix $(B)/tests/contract/,store_pg pg_agree contract_bus_kafka bus_shell cache_redis)
$(B)/tests/contract/store_pg: $(patsubst %,$(B)/tests/contract/%.o,contract_store_pg contract_store contract_counters proxy) $(LIBS)
$(B)/tests/contract/pg_agree: $(B)/tests/contract/pg_agree.o $(LIBS)
$(B)/tests/contract/contract_bus_kafka: $(patsubst %,$(B)/tests/contract/%.o,contract_bus_kafka contract_bus) $(LIBS)
$(B)/tests/contract/bus_shell: $(B)/tests/contract/bus_shell.o $(LIBS)
$(B)/tests/contract/cache_redis: $(patsubst %,$(B)/tests/contract/%.o,contract_cache_redis contract_cache) $(test_support) $(FAKES) $(LIBS)
$(CONTRACTS):
	$(call say,LD,$@)
	$(Q)$(link) -lcmocka
contracts: $(CONTRACTS) ## build the programs that integration tests drive ports with

# --- what travels: test_wire.py's other end, a measurement, a fuzz target -----------------------------------------------

WIRE_LIBS := $(foreach room,adapters/wire engine cel base,$(call lib_of,$(room)))
$(B)/gen/tests/wire_all.pb-c.c: tests/integration/wire_all.proto | toolchain
	@mkdir -p $(@D)
	$(Q)protoc-c -Itests/integration --c_out=$(@D) $<
$(B)/tests/integration/wire_cli.o: $(B)/gen/tests/wire_all.pb-c.c
$(B)/tests/integration/wire_cli: $(B)/tests/integration/wire_cli.o $(B)/gen/tests/wire_all.pb-c.o $(WIRE_LIBS)
	$(call say,LD,$@)
	$(Q)$(link)
$(B)/tests/bench/wire_bench: $(B)/tests/bench/wire_bench.o $(WIRE_LIBS)
	$(call say,LD,$@)
	$(Q)$(link)

# --- fuzzing: clang's libFuzzer, one target a decoder ------------------------------------------------------------------

FUZZ_SECONDS ?= 30
FUZZ_RUNS    ?=
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
$(FUZZERS:%=$(B)/tests/fuzz/fuzz_%): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(LIBS)
	$(call say,LD,$@)
	$(Q)$(link) -fsanitize=fuzzer
cel_support := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/support/cel_*.c))
$(B)/tests/fuzz/fuzz_cel_parse $(B)/tests/fuzz/fuzz_cel_agree $(B)/tests/fuzz/fuzz_cel_verify: $(cel_support)
# CEL's targets have a dictionary or a generator, and are twice as fast where comparisons are not traced.
ifneq (,$(findstring fuzzer,$(SANITIZE)))
$(B)/obj/cel/%.o $(B)/obj/base/%.o: HOUSE_CFLAGS += -fno-sanitize-coverage=trace-cmp
$(cel_support) $(B)/tests/fuzz/fuzz_cel_%.o: HOUSE_CFLAGS += -fno-sanitize-coverage=trace-cmp
endif
fuzz: ## run each fuzz target for FUZZ_SECONDS (30), or FUZZ_RUNS cases (FUZZERS=cel_agree: only this one)
	$(Q)$(MAKE) CC=clang CXX=clang++ SANITIZE=fuzzer-no-link,address,undefined $(FUZZERS:%=fuzz-run-%)
$(FUZZERS:%=fuzz-run-%): fuzz-run-%: $(B)/tests/fuzz/fuzz_%
	$(Q)PYTHON=$(PYTHON) tests/fuzz/run.sh $(B) $* $(FUZZ_SECONDS) $(FUZZ_RUNS)
fuzz-run-wire: $(B)/tests/integration/wire_cli
# The same sanitizers on what fuzzing does not reach: the room's unit tests (ROUNDS=… random expressions in test_cel_agree).
fuzz-unit: ## unit tests of cel and of the arena with the sanitizers of fuzzing
	$(Q)$(MAKE) CC=clang CXX=clang++ SANITIZE=fuzzer-no-link,address,undefined unit-cel

all: $(LIBS) $(BINARIES) ## build the programs
unit-cel: $(filter $(B)/tests/unit/test_cel_% $(B)/tests/unit/test_arena,$(TESTS))
	$(Q)tests/run-unit.sh $^
unit: $(TESTS) ## build and run the unit tests
	$(Q)PYTHON=$(PYTHON) tests/run-unit.sh $(TESTS)

# --- the simulator -------------------------------------------------------------------------------------------------

SEEDS ?= 200
EACH  ?= 0
SIM   := $(B)/tests/sim/sim
sim_o := $(patsubst %,$(B)/tests/sim/%.o,sim_main run fleet customers model model_outcomes model_ledger model_budgets)
$(SIM): $(sim_o) $(FAKES) $(LIBS)
	$(call say,LD,$@)
	$(Q)$(link)
sim: $(SIM) ## the worker in simulated worlds full of faults (SEEDS=200 EACH=0: how often each at least)
	$(Q)$(SIM) --seeds $(SEEDS) --each-at-least $(EACH)
# One file of ours broken on purpose (MUTATED), in a simulator of its own.
$(B)/mutations/%/mutated.o: $(MUTATED)
	$(Q)$(CC) $(HOUSE_CFLAGS) -Itests -I$(dir $(patsubst $(B)/mutations/$*/%,%,$(MUTATED))) $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/mutations/%/sim: $(B)/mutations/%/mutated.o $(sim_o) $(FAKES) $(LIBS)
	$(Q)$(link)
mutations: $(SIM) ## break the worker on purpose, each break has to be found (SEEDS=200)
	$(Q)tests/sim/mutations.sh $(B) $(SEEDS)

# --- conformance: CEL's own tests -----------------------------------------------------------------------------------

LOYALD_SHARED ?= ../shared
CANARY        ?= 0
$(B)/tests/conformance/cel: $(patsubst %.c,$(B)/%.o,$(wildcard tests/conformance/cel_*.c)) $(LIBS)
	$(call say,LD,$@)
	$(Q)$(link)
conformance: $(B)/tests/conformance/cel ## CEL's own tests, counted by file; CANARY=10 changes ten expectations
	$(Q)$< $(LOYALD_SHARED)/cel/conformance $(CANARY)
docs-cel: $(B)/tests/conformance/cel ## write the generated parts of docs/cel.md
	$(Q)$< $(LOYALD_SHARED)/cel/conformance markdown | $(PYTHON) tests/checks/cel_docs.py docs/cel.md
docs-cel-check: $(B)/tests/conformance/cel
	$(Q)[ -d $(LOYALD_SHARED)/cel/conformance ] || { echo "docs-cel-check: skipped, CEL's own tests are not there"; exit 0; }; \
	  $< $(LOYALD_SHARED)/cel/conformance markdown | $(PYTHON) tests/checks/cel_docs.py docs/cel.md --check

# --- checks --------------------------------------------------------------------------------------------------------

C_FILES := $(shell find services tests -name '*.[ch]' 2>/dev/null)
HEADERS := $(shell find services -name '*.h' 2>/dev/null)

check: lint check-but-lint ## format, lint, headers, layers, unit tests: before each commit
check-but-lint: fmt-check headers layers docs-check docs-cel-check unit # what takes seconds
fmt: ## format the C files in place
	$(Q)clang-format -i $(C_FILES)
fmt-check:
	$(Q)clang-format --dry-run --Werror $(C_FILES)
lint: compile_commands.json $(proto_c) ## clang-tidy, on what changed since it was last clean
	$(Q)tests/checks/lint.sh $(B)
headers: $(HEADERS:services/%=$(B)/headers/%.ok) ## every header compiles alone, and the tests that it names exist
	$(Q)for test in $$(grep -rhoE 'tests/[a-z_0-9/]+\.(c|py)' services | sort -u); do \
	  [ -e $$test ] || { echo "headers: $$test is named in services/, and is not there" >&2; exit 1; }; done
$(B)/headers/%.ok: services/% $(proto_c) | toolchain
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(HOUSE_CFLAGS)) $(PKG_CFLAGS) -x c -fsyntax-only -Wno-unused-function -include $< /dev/null && touch $@
layers: $(LIBS) ## base, cel and engine call nothing outside their short list; rooms include only what they may
	$(Q)tests/checks/layers.sh $(B)
# Pages that are made from tables in the code: page of loyalctl docs : file in docs/
PAGES := commands:loyalctl configuration:configuration errors:errors metrics:metrics audit:audit
docs: $(B)/loyalctl ## write the generated pages of docs/
	$(Q)for page in $(PAGES); do $(B)/loyalctl docs $${page%%:*} > docs/$${page##*:}.md || exit 1; done
docs-check: $(B)/loyalctl
	$(Q)for page in $(PAGES); do $(B)/loyalctl docs $${page%%:*} | cmp -s - docs/$${page##*:}.md || \
	  { echo "docs/$${page##*:}.md is not what the code says: make docs" >&2; exit 1; }; done
	$(Q)[ ! -e docs/performance.json ] || $(PYTHON) tests/bench/report.py page docs/performance.json | cmp -s - docs/performance.md || \
	  { echo "docs/performance.md is not what docs/performance.json says" >&2; exit 1; }
	$(Q)[ ! -e docs/reliability.json ] || $(PYTHON) tests/faults/report.py page docs/reliability.json docs/reliability.md --check || \
	  { echo "docs/reliability.md is not what docs/reliability.json says" >&2; exit 1; }
compile_commands.json: Makefile | toolchain
	$(Q)$(PYTHON) tests/checks/compile_commands.py "$(CC) $(HOUSE_CFLAGS) -Itests $(PKG_CFLAGS)" > $@

# --- everything else that is run -----------------------------------------------------------------------------------

SEED    ?= 1
EVENTS  ?= 50000
RUN     ?= run
TESTING ?= tests/integration
# Tests mostly wait for time-outs: files of them run beside each other.
BESIDE  ?= 3
packages = $(Q)deploy/dev/packages.sh
.PHONY: run test integration faults docs-reliability os-check image-check

# A make of its own, so that all packages come first and in one go.
run: ## the first look: everything in one folder, a simulated year, figures (SEED, EVENTS, RUN=folder, ONCE=1, KAFKA=apache)
	$(packages) build run $(if $(filter apache,$(KAFKA)),kafka)
	$(Q)+$(MAKE) --no-print-directory all
	$(Q)$(PYTHON) deploy/dev/run.py --programs $(B) --folder $(RUN) --seed $(SEED) --events $(EVENTS) $(if $(ONCE),--once)
test: ## install, build, run unit and integration tests (KAFKA=apache)
	$(packages) build run test $(if $(filter apache,$(KAFKA)),kafka)
	$(Q)MAKE="$(MAKE)" tests/run-all.sh
integration: all contracts ## black-box tests on real services (TESTING=files, KAFKA=apache, BESIDE=3 files at a time)
	$(Q)PROGRAMS=$(CURDIR)/$(B) $(PYTHON) -m pytest -q -rs -p no:cacheprovider -n $(BESIDE) --dist loadfile $(TESTING)
# A build of its own: the shipped programs have no failpoints (tests/integration/test_faults.py looks).
faults: ## real faults on real services, counted and judged (SHORT=1; KILLS=200; FAULTS="--only redis"; KAFKA=embedded)
	$(Q)+$(MAKE) --no-print-directory FAILPOINTS=1 all
	$(Q)$(PYTHON) tests/faults/run.py --programs $(B)-failpoints $(if $(SHORT),--short) $(if $(KILLS),--kills $(KILLS)) \
	  $(if $(KAFKA),--kafka $(KAFKA)) $(FAULTS)
docs-reliability: ## write the figures of docs/reliability.md of the last `make faults` (SIM_FIGURES="sim.txt commit date")
	$(Q)$(PYTHON) tests/faults/report.py collect run/faults/result.json $(SIM_FIGURES) > docs/reliability.json.new
	$(Q)mv docs/reliability.json.new docs/reliability.json
	$(Q)$(PYTHON) tests/faults/report.py page docs/reliability.json docs/reliability.md
os-check: ## `make run` and `make test` on fresh Debian 12 and 13 folders (root, network)
	$(Q)deploy/dev/os-check.sh
image-check: all ## build the container image and run its worker without Docker (root, network)
	$(Q)$(PYTHON) deploy/dev/image-check.py --programs $(B)

# --- benches ---------------------------------------------------------------------------------------------------------

$(B)/tests/bench/cel: $(B)/tests/bench/cel_bench.o $(LIBS)
	$(call say,LD,$@)
	$(Q)$(link)
$(B)/tests/bench/minimal: $(B)/tests/bench/minimal.o $(LIBS)
	$(call say,LD,$@)
	$(Q)$(link)
$(B)/tests/bench/pace: $(B)/tests/bench/pace.o
	$(call say,LD,$@)
	$(Q)$(link)
$(B)/tests/bench/engine: $(B)/tests/bench/engine_bench.o $(LIBS)
	$(call say,LD,$@)
	$(Q)$(link)
bench: all $(B)/tests/bench/minimal $(B)/tests/bench/pace ## the whole measured, into run/bench/ (KAFKA=apache; BENCH="--history 5000000 --peer")
	$(Q)KAFKA=$(KAFKA) $(PYTHON) tests/bench/bench.py --programs $(B) $(BENCH)
docs-performance: ## write docs/performance.md of the last `make bench`
	$(Q)$(PYTHON) tests/bench/report.py page run/bench/result.json > docs/performance.md.new
	$(Q)mv docs/performance.md.new docs/performance.md && cp run/bench/result.json docs/performance.json
bench-store: $(B)/tests/bench/minimal $(BINARIES) ## a commit's CPU time in PostgreSQL, beside the least that could be a ledger
	$(Q)$(PYTHON) tests/bench/minimal.py --programs $(B)
bench-cel: $(B)/tests/bench/cel ## nanoseconds of cel, against what is to be reached
	$(Q)$<

bench-engine: $(B)/tests/bench/engine ## the engine alone: events a second, 1,000 campaigns against 10
	$(Q)$<

# --- everyday ------------------------------------------------------------------------------------------------------

toolchain: ; @command -v protoc-c >/dev/null && pkg-config --exists $(PACKAGES) || deploy/dev/packages.sh build
testchain: toolchain ; @pkg-config --exists cmocka || deploy/dev/packages.sh
install: all ## install the programs and migrations (prefix, DESTDIR)
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/share/loyald/migrations
	install -m 755 $(BINARIES) $(DESTDIR)$(prefix)/bin
	install -m 644 migrations/*.sql $(DESTDIR)$(prefix)/share/loyald/migrations
clean: ## delete build/
	rm -rf build compile_commands.json
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.PHONY: docs docs-check all contracts unit unit-cel fuzz-unit sim mutations conformance docs-cel docs-cel-check bench-cel check check-but-lint fmt fmt-check lint headers layers toolchain testchain install clean help fuzz bench-store docs-performance bench
-include $(shell find $(B) -name '*.d' 2>/dev/null)
