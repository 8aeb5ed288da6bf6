# metercache: one Makefile, one tree a MODE under build/<mode>. `make help` lists the targets.
#
# Sources are found by wildcards: a new .c file in a known directory is built with no change here.
#   libshared/{core,rpc,client}        -> libmetercache.a          (also what `make install` ships)
#   libshared/{daemon,ops}             -> libmetercache-daemon.a
#   services/<service> minus main.c    -> lib<service>.a, main.c -> bin/<service>
#   tests/unit/<area>/test_<module>.c  -> bin/tests/unit/<area>/test_<module>, linked with what <area> names
#   tests/{integration,fault,bench}    -> bin/tests/..., linked with tests/support
#   tests/integration/<service>        -> the same, linked with the service's own modules too

VERSION := 0.1.0

MODE ?= release
MODES := release debug asan tsan cov
ifeq ($(filter $(MODE),$(MODES)),)
$(error MODE is one of: $(MODES))
endif
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?= -Werror
# V=1 prints the whole compile lines.
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

B := build/$(MODE)
BIN := $(B)/bin
GEN := $(B)/gen
OBJ := $(B)/obj
LIB := $(B)/lib

MAKEFLAGS += --no-builtin-rules --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# ---- packages, and what the compiler and pkg-config know ------------------------------------------------
# Both are included makefiles, so that make brings them up to date first and then reads itself again: on a
# fresh machine `make demo` installs the compiler before it asks it anything.

NEEDS_DEPS := deps demo up test test-unit test-integration test-fault lint tidy bench
NEEDS_NOTHING := help clean down
GOALS := $(or $(MAKECMDGOALS),all)
DEPS_MK := $(if $(filter $(NEEDS_DEPS),$(GOALS)),build/deps.mk)
PROBED_MK := build/probed-$(notdir $(CC)).mk

ifneq ($(filter-out $(NEEDS_NOTHING),$(GOALS)),)
ifneq ($(DEPS_MK),)
include $(DEPS_MK)
endif
include $(PROBED_MK)
endif

build/deps.mk: services/packages.txt tests/support/install-packages
	@mkdir -p $(@D)
	@tests/support/install-packages services/packages.txt build test
	@echo '# packages of services/packages.txt are installed' >$@

HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
  -mbranch-protection=standard -fno-delete-null-pointer-checks -fno-strict-overflow \
  -fno-strict-aliasing -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3 \
  -fzero-init-padding-bits=all
HARDENING_LD := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen \
  -Wl,-z,separate-code -Wl,--no-copy-dt-needed-entries -Wl,--build-id=sha1
PKGS := libprotobuf-c libcurl libpq libmicrohttpd jansson libsodium libzstd zlib cmocka

$(PROBED_MK): Makefile tests/support/probe-toolchain $(DEPS_MK)
	@mkdir -p $(@D)
	@CC='$(CC)' tests/support/probe-toolchain '$(HARDENING)' '$(HARDENING_LD)' '$(PKGS)' >$@

# ---- flags -----------------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes \
  -Wmissing-prototypes -Wvla -Wundef -Wpointer-arith -Wimplicit-fallthrough $(WERROR)
STD := -std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE
COMMON := -g -pthread -fPIE -ffile-prefix-map=$(CURDIR)=.
SAN_UB := undefined -fno-sanitize-recover=all

OPT_release := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(HAVE_FORTIFY) $(HAVE_HARDENING)
OPT_debug := -Og
OPT_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,$(SAN_UB) -Wno-maybe-uninitialized
OPT_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread -Wno-maybe-uninitialized
OPT_cov := -O0 --coverage
LD_release := $(HAVE_HARDENING_LD)
LD_debug := -pie
LD_asan := -pie -fsanitize=address,$(SAN_UB)
LD_tsan := -pie -fsanitize=thread
LD_cov := -pie --coverage

ALL_CFLAGS := $(STD) $(COMMON) $(OPT_$(MODE)) $(CFLAGS)
ALL_LDFLAGS := -pthread $(LD_$(MODE)) -Wl,--as-needed $(LDFLAGS)

# Libraries; --as-needed drops those a binary does not reach.
LIBS_SHARED := -lnng $(libprotobuf-c_LIBS) $(libmicrohttpd_LIBS) $(jansson_LIBS) $(libsodium_LIBS) \
  $(libzstd_LIBS) $(zlib_LIBS) -lm
LIBS_cache-service := $(libpq_LIBS)
LIBS_provider-gateway := $(libcurl_LIBS)
LIBS_provider-simulator := $(libmicrohttpd_LIBS) $(jansson_LIBS) $(zlib_LIBS) $(libzstd_LIBS) -lm
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(foreach p,$(PKGS),$($(p)_CFLAGS)))

# ---- sources ---------------------------------------------------------------------------------------------

find = $(sort $(shell find $(1) -name '$(2)' -type f 2>/dev/null))
objs = $(patsubst %.c,$(OBJ)/%.o,$(1))

SERVICES := cache-service quota-service provider-gateway admin-cli
BINARY_cache-service := cache-service
BINARY_quota-service := quota-service
BINARY_provider-gateway := provider-gateway
BINARY_admin-cli := metercache
BINARIES := $(foreach s,$(SERVICES),$(if $(wildcard services/$(s)/main.c),$(BIN)/$(BINARY_$(s))))
SIMULATOR := $(if $(wildcard tests/provider-simulator/main.c),$(BIN)/provider-simulator)

PROTOS := $(call find,proto,*.proto)
GEN_C := $(patsubst proto/%.proto,$(GEN)/%.pb-c.c,$(PROTOS))
GEN_O := $(patsubst $(GEN)/%.c,$(OBJ)/gen/%.o,$(GEN_C)) $(if $(PROTOS),$(OBJ)/gen/descriptor_set.o)
DESCRIPTORS := $(GEN)/metercache.desc

CORE_C := $(call find,libshared/core,*.c)
PUBLIC_C := $(CORE_C) $(call find,libshared/rpc libshared/client,*.c)
DAEMON_C := $(call find,libshared/daemon libshared/ops,*.c)
SUPPORT_C := $(call find,tests/support,*.c)

LIB_PUBLIC := $(LIB)/libmetercache.a
LIB_DAEMON := $(LIB)/libmetercache-daemon.a
LIB_SUPPORT := $(LIB)/libtest-support.a
LIBS_OURS := $(LIB_DAEMON) $(LIB_PUBLIC)

SHARED_AREAS := core rpc client daemon ops
UNIT_AREAS := $(SHARED_AREAS) $(SERVICES) provider-simulator
# TEST=word takes the tests whose path has that word, such as TEST=unit/core or TEST=test_map.
TEST ?=
chosen = $(if $(TEST),$(foreach t,$(1),$(if $(findstring $(TEST),$(t)),$(t))),$(1))
test_bins = $(call chosen,$(patsubst tests/%.c,$(BIN)/tests/%,$(call find,tests/$(1),test_*.c)))
UNIT_TESTS := $(call test_bins,unit)
INTEGRATION_TESTS := $(call test_bins,integration)
FAULT_TESTS := $(call test_bins,fault)
BENCHES := $(patsubst tests/%.c,$(BIN)/tests/%,$(call find,tests/bench,bench_*.c))

# ---- build -----------------------------------------------------------------------------------------------

.PHONY: all binaries tests gen FORCE
all: binaries ## Build every binary (MODE=release, debug, asan, tsan or cov)
binaries: $(BINARIES) $(SIMULATOR)
tests: $(UNIT_TESTS) $(INTEGRATION_TESTS) $(FAULT_TESTS)
gen: $(GEN_C) $(DESCRIPTORS) ## Generate the protobuf code only

# say(what): a short line instead of the command, which V=1 shows.
say = $(if $(Q),@echo '$(1)' && )

# Files that change only when their content does: what is compiled with them is built again.
keep_if_same = @mkdir -p $(@D); printf '%s\n' '$(1)' >$@.new; \
	if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi
$(B)/flags: FORCE
	$(call keep_if_same,$(CC) $(ALL_CFLAGS) $(WARN) $(ALL_LDFLAGS))
GIT_REVISION := $(shell git describe --always --dirty --abbrev=12 2>/dev/null)
$(B)/revision: FORCE
	$(call keep_if_same,$(VERSION) $(GIT_REVISION))

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: proto/%.proto
	@mkdir -p $(GEN)
	$(call say,protoc $<)protoc -Iproto --c_out=$(GEN) $<

$(DESCRIPTORS): $(PROTOS)
	@mkdir -p $(@D)
	$(call say,protoc descriptors)protoc -Iproto --include_imports --descriptor_set_out=$@ $(PROTOS)

$(GEN)/descriptor_set.c: $(DESCRIPTORS)
	@{ echo '#include <stddef.h>'; \
	  echo 'const unsigned char metercache_descriptor_set[] = {'; \
	  od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	  echo '};'; \
	  echo 'const size_t metercache_descriptor_set_len = sizeof metercache_descriptor_set;'; } >$@

# Every generated file exists before the first hand-written one is compiled; after that the .d files know.
GENERATED := $(GEN_C) $(GEN_C:.c=.h)

$(OBJ)/gen/%.o: $(GEN)/%.c $(B)/flags | $(GENERATED)
	@mkdir -p $(@D)
	$(call say,cc $<)$(CC) $(ALL_CFLAGS) -w -I$(GEN) $(PKG_CFLAGS) -MD -MP -c -o $@ $<

# compile_rule(directory, include flags, order-only prerequisites): the longest directory that fits wins.
define compile_rule
$(OBJ)/$(1)/%.o: $(1)/%.c $(B)/flags $(3)
	@mkdir -p $$(@D)
	$$(call say,cc $$<)$$(CC) $$(ALL_CFLAGS) $$(WARN) $(2) $$(EXTRA_CPPFLAGS) -MD -MP -c -o $$@ $$<
endef

WITH_GEN := -isystem $(GEN) $(PKG_CFLAGS)
AFTER_GEN := | $(GENERATED)
include_flags = $(if $(filter core,$(1)),-Ilibshared,$(if $(filter $(SHARED_AREAS),$(1)),-Ilibshared \
  $(WITH_GEN),$(if $(filter provider-simulator,$(1)),-Itests/provider-simulator $(PKG_CFLAGS),-Ilibshared \
  -Iservices/$(1) $(WITH_GEN))))

$(foreach a,$(SHARED_AREAS),$(eval \
  $(call compile_rule,libshared/$(a),$(call include_flags,$(a)),$(if $(filter core,$(a)),,$(AFTER_GEN)))))
$(foreach s,$(SERVICES),$(eval \
  $(call compile_rule,services/$(s),$(call include_flags,$(s)),$(AFTER_GEN))))
$(eval $(call compile_rule,tests/provider-simulator,$(call include_flags,provider-simulator),))
$(eval $(call compile_rule,tests,-Ilibshared -Itests $(WITH_GEN),$(AFTER_GEN)))
$(foreach a,$(UNIT_AREAS),$(eval $(call compile_rule,tests/unit/$(a),$(call include_flags,$(a)) \
  -Itests,$(if $(filter core provider-simulator,$(a)),,$(AFTER_GEN)))))
$(foreach s,$(SERVICES),$(eval \
  $(call compile_rule,tests/integration/$(s),$(call include_flags,$(s)) -Itests,$(AFTER_GEN))))

# The one file that knows the version.
BUILD_INFO_O := $(OBJ)/libshared/daemon/build_info.o
$(BUILD_INFO_O): $(B)/revision
$(BUILD_INFO_O): private EXTRA_CPPFLAGS := -DMETERCACHE_VERSION='"$(VERSION)"' \
  -DMETERCACHE_REVISION='"$(GIT_REVISION)"' -DMETERCACHE_BUILD_MODE='"$(MODE)"'

ARCHIVE = @mkdir -p $(@D); rm -f $@; ar rcs $@ $(filter %.o,$^)
# An archive is made anew when its list of members changes, not only when a member does.
define archive_rule
$(1).members: FORCE
	$$(call keep_if_same,$(2))
$(1): $(2) $(1).members
	$$(ARCHIVE)
endef
$(eval $(call archive_rule,$(LIB_PUBLIC),$(call objs,$(PUBLIC_C)) $(GEN_O)))
$(eval $(call archive_rule,$(LIB_DAEMON),$(call objs,$(DAEMON_C))))
$(eval $(call archive_rule,$(LIB_SUPPORT),$(call objs,$(SUPPORT_C))))

# link(objects and archives, libraries)
link = $(call say,link $@)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(1)

# component_rule(name, directory, binary, our archives, libraries)
define component_rule
$(eval $(call archive_rule,$(LIB)/lib$(1).a,$(call objs,$(filter-out $(2)/main.c,$(call find,$(2),*.c)))))
$(BIN)/$(3): $(OBJ)/$(2)/main.o $(LIB)/lib$(1).a $(4) $(B)/flags
	$$(call link,$(5))
endef
$(foreach s,$(SERVICES),$(eval $(call component_rule,$(s),services/$(s),$(BINARY_$(s)),$(LIBS_OURS),\
  $(LIBS_$(s)) $(LIBS_SHARED))))
$(eval $(call component_rule,provider-simulator,tests/provider-simulator,provider-simulator,,\
  $(LIBS_provider-simulator)))

# area_rule(area, kind): a test of an area links its archive, libshared and the helpers of tests/support.
define area_rule
$(BIN)/tests/$(2)/$(1)/%: $(OBJ)/tests/$(2)/$(1)/%.o $(if $(filter $(SHARED_AREAS),$(1)),,$(LIB)/lib$(1).a) \
  $(if $(filter provider-simulator,$(1)),,$(LIB_SUPPORT) $(LIBS_OURS)) $(B)/flags
	$$(call link,$(LIBS_$(1)) $(LIBS_SHARED) $(libpq_LIBS) $(cmocka_LIBS))
endef
$(foreach a,$(UNIT_AREAS),$(eval $(call area_rule,$(a),unit)))
$(foreach s,$(SERVICES),$(eval $(call area_rule,$(s),integration)))

# The quota core in a world that goes wrong (tests/quota-simulator), with pools of a small world: once as it is,
# and once for each rule that is left out of it (quota_core_state.h).
QUOTA_PLANTS := 0 1 2 3
QUOTA_SIMULATORS := $(QUOTA_PLANTS:%=$(BIN)/quota-simulator-%)
QUOTA_SIMULATOR_C := $(call find,tests/quota-simulator,*.c) $(wildcard services/quota-service/quota_core*.c) \
  $(patsubst %,services/quota-service/%.c,cooldowns counters id_index ledger_clock op_results periods purpose \
  quota_limits reservations slot_index texts)
# quota_simulator_rule(plant)
define quota_simulator_rule
$(OBJ)/quota-simulator-$(1)/%.o: %.c $(B)/flags $(AFTER_GEN)
	@mkdir -p $$(@D)
	$$(call say,cc $$< with plant $(1))$$(CC) $$(ALL_CFLAGS) $$(WARN) -include tests/quota-simulator/sizes.h \
	  -DQUOTA_PLANTED=$(1) -Itests/quota-simulator $(call include_flags,quota-service) -MD -MP -c -o $$@ $$<
$(BIN)/quota-simulator-$(1): $(QUOTA_SIMULATOR_C:%.c=$(OBJ)/quota-simulator-$(1)/%.o) $(LIB_PUBLIC) $(B)/flags
	$$(call link,$(LIBS_SHARED))
endef
$(foreach p,$(QUOTA_PLANTS),$(eval $(call quota_simulator_rule,$(p))))
$(BIN)/tests/unit/quota-service/test_quota_simulator: | $(QUOTA_SIMULATORS)

$(BIN)/tests/%: $(OBJ)/tests/%.o $(LIB_SUPPORT) $(LIBS_OURS) $(B)/flags
	$(call link,$(LIBS_SHARED) $(libpq_LIBS) $(cmocka_LIBS))

-include $(call find,$(OBJ),*.d)

# ---- run and test ----------------------------------------------------------------------------------------

.PHONY: help deps demo up down test test-unit test-integration test-fault lint tidy settings fmt bench install clean
STACK := tests/support/stack
RUN_TESTS := BUILD_DIR=$(B) tests/support/run-tests

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  MODE=release|debug|asan|tsan|cov   what to build and to run, each in build/<mode>'
	@echo '  SETTINGS="NAME=VALUE ..."          settings for the services of "make up"'
	@echo '  TEST=WORD                          only the tests whose path has the word'
	@echo '  V=1                                print whole commands'

deps: ## Install the Debian packages that are missing (services/packages.txt)
	@tests/support/install-packages services/packages.txt build test

demo: binaries ## Run the main job through the CLI on a private stack, step by step
	@BUILD_DIR=$(B) tests/support/demo build/demo

up: binaries ## Start a private stack and leave it running (build/stack)
	@BUILD_DIR=$(B) $(STACK) up build/stack $(SETTINGS)
	@BUILD_DIR=$(B) $(STACK) show build/stack

down: ## Stop the stack that `make up` started
	@BUILD_DIR=$(B) $(STACK) down build/stack

test: binaries tests ## Run all tests, on a private stack where they need one
	@$(RUN_TESTS) $(UNIT_TESTS) $(INTEGRATION_TESTS) $(FAULT_TESTS)

test-unit: $(UNIT_TESTS) ## Run the unit tests
	@$(RUN_TESTS) $(UNIT_TESTS)

test-integration: binaries $(INTEGRATION_TESTS) ## Run the integration tests
	@$(RUN_TESTS) $(INTEGRATION_TESTS)

test-fault: binaries $(FAULT_TESTS) ## Run the tests that kill, cut and starve
	@$(RUN_TESTS) $(FAULT_TESTS)

lint: binaries $(DESCRIPTORS) ## Check format, layers, banned calls, protos, sizes, settings, scripts
	@BUILD_DIR=$(B) CC='$(CC)' tests/lint/run

OUR_C := $(call find,libshared services tests,*.[ch])
TIDY_C := $(filter-out tests/%,$(filter %.c,$(OUR_C))) $(filter tests/provider-simulator/%.c,$(OUR_C))
tidy: $(patsubst %.c,$(B)/tidy/%.ok,$(TIDY_C)) ## Run clang-tidy on what changed since the last time
$(B)/tidy/%.ok: %.c .clang-tidy | $(GENERATED)
	@mkdir -p $(@D)
	$(call say,tidy $<)clang-tidy --quiet $< -- $(STD) -Ilibshared -I$(shell echo $< | cut -d/ -f1-2) $(WITH_GEN) \
	  2>/dev/null
	@touch $@

settings: binaries ## Write README's table of settings anew, from what the binaries say
	@BUILD_DIR=$(B) tests/support/settings-table README.md

fmt: ## Format the C code
	@$$(command -v clang-format-14 || echo clang-format) -i $(OUR_C)

bench: binaries $(BENCHES) ## Measure; prints each figure beside a raw nng echo of the same minute
	@BUILD_DIR=$(B) tests/support/run-bench $(BENCHES)

PUBLIC_H := $(call find,libshared/core libshared/rpc libshared/client,*.h)
SHARE := $(DESTDIR)$(PREFIX)/share/metercache
INCLUDE := $(DESTDIR)$(PREFIX)/include/metercache
install: binaries $(LIB_PUBLIC) ## Install binaries, migrations, protos and the C client (DESTDIR=, PREFIX=)
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/migrations $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 755 $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard migrations/*.sql) $(SHARE)/migrations
	for f in $(PROTOS); do install -D -m 644 $$f $(SHARE)/$$f || exit 1; done
	for f in $(PUBLIC_H:libshared/%=%); do install -D -m 644 libshared/$$f $(INCLUDE)/$$f || exit 1; done
	for f in $(patsubst $(GEN)/%.c,%.h,$(GEN_C)); do install -D -m 644 $(GEN)/$$f $(INCLUDE)/$$f || exit 1; done
	install -m 644 $(LIB_PUBLIC) $(DESTDIR)$(PREFIX)/lib
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include' '' \
	  'Name: metercache' 'Description: C client of the metercache services' 'Version: $(VERSION)' \
	  'Requires: libprotobuf-c jansson libzstd' 'Cflags: -I$${includedir}/metercache' \
	  'Libs: -L$${libdir} -lmetercache -lnng -pthread' >$(DESTDIR)$(PREFIX)/lib/pkgconfig/metercache.pc

clean: down ## Remove everything that was built
	rm -rf build
