# SPDX-License-Identifier: GPL-2.0-only
# One Makefile; everything generated lands in build/. `make help` lists the targets.

VERSION   := 0.1.0
PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
CC        ?= gcc
CLANG     ?= clang
BPFTOOL   ?= $(shell command -v bpftool || echo /usr/sbin/bpftool)
ARCH      := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
# `make CROSS=aarch64-linux-gnu- SYSROOT=DIR BUILD=build/arm64`: another architecture, a static flowreeve.
ifdef CROSS
ARCH      := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(firstword $(subst -, ,$(CROSS)))))
CC        := $(CROSS)gcc $(if $(SYSROOT),--sysroot=$(SYSROOT))
LDFLAGS   += -static
endif
BUILD     ?= build
V         ?= 0
Q         := $(if $(filter 1,$(V)),,@)
say        = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

WARN      := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS  += -D_GNU_SOURCE -isystem $(SYSROOT)/usr/include/libxml2 -DFLOWREEVE_VERSION='"$(VERSION)"' -DFLOWREEVE_SHARE='"$(PREFIX)/share/flowreeve"' \
	     -I$(BUILD) -MMD -MP
CFLAGS    ?= -O2 -g
CFLAGS    += -std=gnu11 $(WARN)
comma     := ,
SAN_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LIBS      := -l:libbpf.a -lelf -lz -lyaml -ljansson
IMPORT_LIBS := -lcmark-gfm-extensions -lcmark-gfm -lxml2 -lcsv
ifdef CROSS
# A static libxml2 asks ICU for encodings that are not its own; import gives it UTF-8 and nothing else,
# so 30 MB of ICU stay out: these are never called.
ICU_NAMES := ucnv_open ucnv_close ucnv_convertEx ucnv_setFromUCallBack ucnv_setToUCallBack \
	     UCNV_FROM_U_CALLBACK_STOP UCNV_TO_U_CALLBACK_STOP
IMPORT_LIBS += -llzma -lz -lm $(patsubst %,-Wl$(comma)--defsym=%_72=0,$(ICU_NAMES))
endif

# Below the slab, and render: no libbpf, no privilege, linked by the unit tests under sanitizers.
LIB_FLOORS    := base net yaml tables policy site compile
KERNEL_FLOORS := host objects attach datapath observe doctor
TOP_FLOORS    := import render invocation cmd
sources        = $(foreach floor,$(1),$(sort $(wildcard user/$(floor)/*.c)))
objects        = $(patsubst %.c,$(BUILD)/$(2)%.o,$(call sources,$(1)))

BPF_SOURCES := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJECTS := $(patsubst %.bpf.c,$(BUILD)/%.bpf.o,$(BPF_SOURCES))
BPF_FLAGS   := -target bpf -mcpu=v2 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -MMD -MP \
	       -D__TARGET_ARCH_$(ARCH) -Ivmlinux/$(ARCH) -idirafter /usr/include/$(shell uname -m)-linux-gnu
SKELETON    := $(BUILD)/flowreeve.skel.h

.PHONY: all help
all: $(BUILD)/flowreeve  ## build/flowreeve
help:                    ## this list
	@grep -hE '^[a-z][a-z0-9-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 16

# ---------------------------------------------------------------- the kernel half
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) $(BPF_FLAGS) -c $< -o $@

$(BUILD)/flowreeve.bpf.o: $(BPF_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKELETON): $(BUILD)/flowreeve.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name flowreeve > $@.tmp && mv $@.tmp $@

# ---------------------------------------------------------------- user space
$(call objects,$(KERNEL_FLOORS)): | $(SKELETON)
$(BUILD)/user/%.o: user/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

# Walks over sixteen words for each of a hundred thousand rules: unrolled, they take a tenth off all that
# checking costs.
$(call objects,compile): CFLAGS += -O3

# The prefix is compiled in: `make install PREFIX=…` after a plain `make` must not keep the old one.
$(BUILD)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' > $@
.PHONY: FORCE
FORCE:
PREFIX_OBJECTS := $(shell grep -lw FLOWREEVE_SHARE user/*/*.c | sed 's/\.c$$/.o/')
$(addprefix $(BUILD)/,$(PREFIX_OBJECTS)): $(BUILD)/prefix

$(BUILD)/san/user/%.o: user/%.c
	@mkdir -p $(@D)
	$(call say,CC-SAN,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SAN_FLAGS) -c $< -o $@

$(BUILD)/flowreeve: $(call objects,$(LIB_FLOORS) $(KERNEL_FLOORS) $(TOP_FLOORS))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(IMPORT_LIBS) $(LIBS) -o $@

# ---------------------------------------------------------------- tests
# tests/unit: Criterion, unprivileged, under ASan and UBSan.  tests/kernel: Criterion, root.
UNIT_SOURCES   := $(sort $(wildcard tests/unit/*.c)) tests/boundary_tuples.c
KERNEL_SOURCES := $(sort $(wildcard tests/kernel/*.c)) tests/boundary_tuples.c
TEST_CFLAGS    := -Wno-missing-prototypes
# Of the floors that know libbpf, what the unit tests can link: it does not.
HOST_TESTED    := failsafe netlink socket_tables

$(BUILD)/san/tests/%.o: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC-SAN,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) $(SAN_FLAGS) -c $< -o $@

$(BUILD)/tests/%.o: tests/%.c | $(SKELETON)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(TEST_CFLAGS) -c $< -o $@

# With both sanitizers bpf/ compiled natively takes a minute; the fuzzers have it so.
$(BUILD)/san/tests/fuzz/native.o: SAN_FLAGS := $(subst address$(comma),,$(SAN_FLAGS))

# tests/fuzz: libFuzzer. Any bytes to the YAML front end and to import; packets to bpf/ compiled natively; packets to
# that and to the kernel at once (root). What they share is replayed by the unit tests.
FUZZ_FLAGS      := -Wno-sign-compare -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZERS         := policy import packet differential
FUZZ_POLICY     := front policy
FUZZ_IMPORT     := document import
FUZZ_PACKET     := native frames sequence test_policy parsed invariants world packet
FUZZ_DIFFERENTIAL := native frames sequence test_policy differential
FUZZ_REPLAYED   := $(patsubst %,tests/fuzz/%.c,native frames sequence test_policy parsed invariants world front document)
fuzz_objects     = $(patsubst %,$(BUILD)/fuzz/tests/fuzz/%.o,$(1))

$(call objects,$(KERNEL_FLOORS),fuzz/): | $(SKELETON)
$(BUILD)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC-FUZZ,$<)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu11 $(WARN) $(TEST_CFLAGS) $(FUZZ_FLAGS) -c $< -o $@

$(BUILD)/fuzz/policy: $(call fuzz_objects,$(FUZZ_POLICY)) $(BUILD)/fuzz/tests/boundary_tuples.o
$(BUILD)/fuzz/import: $(call fuzz_objects,$(FUZZ_IMPORT)) $(call objects,import,fuzz/)
$(BUILD)/fuzz/packet: $(call fuzz_objects,$(FUZZ_PACKET))
$(BUILD)/fuzz/differential: $(call fuzz_objects,$(FUZZ_DIFFERENTIAL)) $(BUILD)/fuzz/tests/testbench.o $(call objects,$(KERNEL_FLOORS),fuzz/)
$(FUZZERS:%=$(BUILD)/fuzz/%): $(call objects,$(LIB_FLOORS),fuzz/)
	$(call say,LD,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -Wl,--as-needed $^ $(IMPORT_LIBS) $(LIBS) -o $@

$(BUILD)/tests-unit: $(patsubst %.c,$(BUILD)/san/%.o,$(UNIT_SOURCES) $(FUZZ_REPLAYED)) \
		     $(call objects,$(LIB_FLOORS) import render,san/) $(HOST_TESTED:%=$(BUILD)/san/user/host/%.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN_FLAGS) $^ -lz -lyaml -ljansson $(IMPORT_LIBS) -lcriterion -o $@

$(BUILD)/tests-kernel: $(patsubst %.c,$(BUILD)/%.o,$(KERNEL_SOURCES) tests/testbench.c) \
		       $(call objects,$(LIB_FLOORS) $(KERNEL_FLOORS))
	$(call say,LD,$@)
	$(Q)$(CC) $^ $(LIBS) -lcriterion -o $@

# What packets cost, counted in the object: its instructions run with the maps and helpers of tests/fuzz.
$(BUILD)/counts: $(patsubst %.c,$(BUILD)/san/%.o,$(wildcard tests/counts/*.c) tests/fuzz/native.c tests/fuzz/test_policy.c) \
		 $(call objects,$(LIB_FLOORS),san/)
	$(call say,LD,$@)
	$(Q)$(CC) $(SAN_FLAGS) $^ -lz -lyaml -ljansson -o $@

$(BUILD)/bench: $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/bench/*.c)) tests/testbench.c) $(call objects,$(LIB_FLOORS) $(KERNEL_FLOORS))
	$(call say,LD,$@)
	$(Q)$(CC) $^ $(LIBS) -lm -o $@

# In virtual machines, where there is no Python.
$(BUILD)/talk: tests/vm/talk.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -static $< -o $@

# What bench-gate holds TEST_RUN against: before the flow table of our own.
BENCH_BEFORE ?= 2086cba

.PHONY: check check-counts counts check-unit check-kernel check-e2e check-peers check-mutants check-style check-circles check-commands check-vm check-fresh bench fuzz fuzzers
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)
fuzz: fuzzers  ## the four fuzzers, FUZZ_SECONDS each (60)
	$(Q)BUILD=$(BUILD) scripts/fuzz
check-unit: $(BUILD)/tests-unit  ## unit tests under ASan and UBSan, no root
	$(Q)$(BUILD)/tests-unit --jobs 2
check-kernel: $(BUILD)/tests-kernel  ## packet tests through BPF_PROG_TEST_RUN, root
	$(Q)$(BUILD)/tests-kernel --jobs 1
check-counts: $(BUILD)/counts $(BUILD)/flowreeve  ## helper calls, look-ups and instructions of each path, and of the verifier
	$(Q)BUILD=$(BUILD) tests/counts/run
counts: $(BUILD)/counts $(BUILD)/flowreeve  ## writes them anew after a change that is meant; root for the verifier's
	$(Q)UPDATE=1 BUILD=$(BUILD) tests/counts/run
check-e2e: $(BUILD)/flowreeve $(BUILD)/bench  ## real clients and servers in network namespaces, root
	$(Q)tests/e2e/run
.PHONY: soak
soak: $(BUILD)/flowreeve  ## each system call of each command, and of an upgrade, fails with each error, and is the last; faults in full; root; some hours
	$(Q)SOAK=1 E2E_LIMIT=14400 tests/e2e/run 48-one-error 55-upgrade 62-faults
check-peers: $(BUILD)/flowreeve  ## every row of the vendors' tables with real peers, root; PEERS="qumulo" for some
	$(Q)tests/peers/run $(PEERS)
check-mutants: $(BUILD)/tests-unit $(BUILD)/tests-kernel $(BUILD)/flowreeve  ## rules broken one at a time, each seen by a test, root; MUTANTS="syn-*" for some
	$(Q)tests/mutants/run $(MUTANTS)
check-vm:  ## Debian's kernels under QEMU, x86-64 and arm64; VM="-a x86 -k 5.10" for some
	$(Q)scripts/check-vm $(VM)
check-fresh:  ## quick start and first tests on a machine with nothing installed, root; FRESH=--all for every test
	$(Q)scripts/check-fresh $(FRESH)
check-style:  ## floors, headers, limits of style
	$(Q)scripts/check-style
check-circles: all  ## no circle between the files of user/, by headers and by symbols
	$(Q)scripts/check-circles $(BUILD)
check-commands:  ## every command that tests and scripts call is of a package of scripts/dependencies
	$(Q)scripts/check-commands
# Built once, the suites of tests/run can run side by side.
.PHONY: tests
tests: all fuzzers $(BUILD)/tests-unit $(BUILD)/tests-kernel $(BUILD)/counts $(BUILD)/bench $(BUILD)/talk  ## what the tests run
check: all  ## every test; scripts/check, as root, installs what they need first
	$(Q)tests/run
bench: $(BUILD)/bench all  ## what packets and policies cost, side by side with nftables, root; BENCH="-t rr -r 10000" for a part
	$(Q)BUILD=$(BUILD) scripts/bench $(BENCH)
.PHONY: bench-gate bench-scale
bench-gate: $(BUILD)/bench all  ## the same, held to the targets; root, a quiet machine, half an hour
	$(Q)BUILD=$(BUILD) scripts/bench --gate --against $(BENCH_BEFORE) -p 16,1000 -c 1 -d $(BUILD)/bench-gate $(BENCH)
bench-scale: $(BUILD)/bench all  ## what big policies cost in time and memory; root for the kernel's part
	$(Q)BUILD=$(BUILD) scripts/bench-scale

# ---------------------------------------------------------------- install
MAN             := $(PREFIX)/share/man
COMPLETIONS     := $(PREFIX)/share/bash-completion/completions
DOCUMENTS       := $(DESTDIR)$(PREFIX)/share/doc/flowreeve
INSTALLED_PAGES := $(DESTDIR)$(MAN)/man5/flowreeve-policy.5 $(DESTDIR)$(MAN)/man8/flowreeve.8
.PHONY: install install-documents uninstall clean
# In the tree of the sources: their links lead to each other.
install-documents:
	install -d $(DOCUMENTS)/docs
	install -m 644 README.md ARCHITECTURE.md CHANGELOG.md SECURITY.md LICENSE $(DOCUMENTS)
	install -m 644 $(wildcard docs/*.md) docs/performance.html $(DOCUMENTS)/docs
install: all install-documents  ## DESTDIR and PREFIX are honoured
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/flowreeve/tables \
		$(DESTDIR)$(PREFIX)/share/flowreeve/examples
	install -m 755 $(BUILD)/flowreeve $(DESTDIR)$(PREFIX)/sbin/flowreeve
	install -m 644 policies/tables/*.yaml $(DESTDIR)$(PREFIX)/share/flowreeve/tables
	install -m 644 policies/examples/* $(DESTDIR)$(PREFIX)/share/flowreeve/examples
	install -d $(DESTDIR)$(COMPLETIONS) $(DESTDIR)$(MAN)/man5 $(DESTDIR)$(MAN)/man8
	install -m 644 deploy/completion/flowreeve.bash $(DESTDIR)$(COMPLETIONS)/flowreeve
	install -m 644 docs/flowreeve-policy.5 $(DESTDIR)$(MAN)/man5
	install -m 644 docs/flowreeve.8 $(DESTDIR)$(MAN)/man8
	sed -i 's,/usr/local/,$(PREFIX)/,' $(INSTALLED_PAGES)
uninstall:  ## removes what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/flowreeve $(DESTDIR)$(COMPLETIONS)/flowreeve $(INSTALLED_PAGES)
	rm -rf $(DESTDIR)$(PREFIX)/share/flowreeve $(DESTDIR)$(PREFIX)/share/doc/flowreeve
clean:  ## removes build/
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
