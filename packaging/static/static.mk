# packaging/static/static.mk - MODE=static: the compiler, the libraries and the flags of the static program
#
# "make static" makes the sysroot first; see sysroot.sh.

ARCH    ?= $(shell uname -m)
FOREIGN := $(filter-out $(shell uname -m),$(ARCH))
STATIC  := build/static$(FOREIGN:%=-%)

ifeq ($(MODE),static)
B          := $(STATIC)
SYSROOT    := $(shell packaging/static/sysroot.sh path $(ARCH))
CC         := $(SYSROOT)/bin/musl-cc
PKG_CONFIG := $(SYSROOT)/bin/pkg-config
STRIP      := $(ARCH)-linux-gnu-strip
$(if $(wildcard $(CC))$(filter static-sysroot,$(MAKECMDGOALS)),,$(error no sysroot yet; run: make static-sysroot ARCH=$(ARCH)))
RUN        := $(FOREIGN:%=qemu-%-static)
PACK_LDFLAGS = $(LDFLAGS_static)
endif

# No unwind tables: nothing here unwinds.  Relative relocations packed: half a megabyte.  The stack
# size is that of threads too, for which musl has 128 KiB in mind.
CFLAGS_static  := -Os -g -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables \
                  $(if $(filter aarch64,$(ARCH)),-mno-outline-atomics)
LDFLAGS_static := -static-pie -fuse-ld=lld -Wl,--gc-sections -Wl,--pack-dyn-relocs=relr \
                  -Wl,-z,stack-size=2097152 -Wl,--build-id=none

static: static-sysroot                     ## the release program: musl, one file, no libraries; ARCH=x86_64 or aarch64
	@$(MAKE) --no-print-directory $(AT_ONCE) MODE=static all
	@packaging/static/check.sh $(STATIC)/$(PROG)

static-sysroot:
	@packaging/build-deps.sh static $(ARCH)
	@packaging/static/sysroot.sh build $(ARCH)

static-relock:                             ## move the pins of the static build to what the mirror has now
	@packaging/static/sources.py relock $(PACKAGE)

check-static: static                       ## the tests of the program, with the static one and static test programs
	@$(MAKE) --no-print-directory $(AT_ONCE) MODE=static suite

# Sizes, start and memory beside /bin/true, busybox and the dynamic build.
bench-static: static                       ## the budgets of the static program
	@$(MAKE) --no-print-directory MODE=release all
	@$(MAKE) --no-print-directory MODE=static $(STATIC)/tests/bench_run
	@tests/bench_static.sh $(STATIC)/$(PROG) build/release/$(PROG) $(STATIC)/tests/bench_run

# The keystore beside cat, secret-tool, age, pass and Docker's helper.
bench-keystore: static                     ## how long a key takes, beside other keystores, within bounds
	@packaging/build-deps.sh bench
	@$(MAKE) --no-print-directory MODE=static $(STATIC)/tests/bench_run
	@tests/bench_keystore.sh $(CURDIR)/$(STATIC)/$(PROG) $(CURDIR)/$(STATIC)/tests/bench_run

# A judgement beside what else says something about a machine; root.
bench-check: static                        ## how long check takes, beside docker info, neofetch and a script, within bounds
	@$(MAKE) --no-print-directory MODE=static $(STATIC)/tests/bench_run
	@tests/bench_check.py $(STATIC)/$(PROG) $(STATIC)/tests/bench_run

# A stack of thirteen services on a real engine; root.
bench-status: static                       ## how long status and up take, beside docker compose, within bounds
	@$(MAKE) --no-print-directory MODE=static $(STATIC)/tests/bench_run
	@SLIPWAY=$(CURDIR)/$(STATIC)/$(PROG) tests/scenarios/bench_status.py $(CURDIR)/$(STATIC)/tests/bench_run

$(STATIC)/tests/bench_run: $(STATIC)/tests/bench_run.o
	$(call say,LINK)
	$(Q)$(LINK) $^ -o $@

static-sbom: static-sysroot                ## what the static program is made of, and the licences, into build/static
	@packaging/static/sbom.py $(ARCH) $(VERSION) $(STATIC)

.PHONY: static static-sysroot static-relock static-sbom check-static bench-static bench-keystore bench-check bench-status
