# make [MODE=release|debug|asan|coverage|fuzz] [target]; "make help" lists them.

PROG    := slipway
VERSION := 0.1.0
MODE    ?= release
B       ?= build/$(MODE)

PREFIX  ?= /usr/local
BINDIR  := $(DESTDIR)$(PREFIX)/bin
MANDIR  := $(DESTDIR)$(PREFIX)/share/man

PKG_CONFIG ?= pkg-config
PKGS       := gio-2.0 gio-unix-2.0 libarchive libcurl libcrypto inih jansson zlib
OS         := $(if $(filter Darwin,$(shell uname -s)),macos,linux)
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
TEST_SRCS := $(sort $(wildcard tests/test_*.c))
TESTS     := $(TEST_SRCS:%.c=$(B)/%)
FUZZERS   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/fuzz_*.c)))
DRIVERS   := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/drive_*.c)))
room       = $(word 2,$(subst _, ,$(notdir $(1))))
room_objs  = $(if $(filter installer,$(1)),$(filter-out %/main.o,$(OBJS)),\
             $(filter $(B)/base/% $(B)/$(1)/%,$(OBJS)))

# --- flags: ours here; CFLAGS and LDFLAGS stay the user's --------------------

include flags.mk

CFLAGS  ?= $(CFLAGS_$(MODE))
LDFLAGS ?= $(LDFLAGS_$(MODE))
DEFS    := -I. -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DG_LOG_DOMAIN='"$(PROG)"' \
           -DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_66 -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_2_66 \
           $(DEFS_$(MODE))
COMPILE  = $(CC) -std=gnu11 $(DEFS) $(WARN) $(HARDEN_CC) $(REPRODUCIBLE) \
           $(PKG_CFLAGS) $(EMBED) $(CPPFLAGS) $(CFLAGS)
LINK     = $(CC) $(HARDEN_LD) $(CFLAGS) $(LDFLAGS)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

# --- rules ("make V=1" shows the commands) ------------------------------------

Q   := $(if $(V),,@)
say  = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)

all: $(B)/$(PROG)                          ## build the program (default)

$(B)/$(PROG): $(OBJS)
	$(call say,LINK)
	$(Q)$(LINK) $^ $(PKG_LIBS) -o $@

.SECONDEXPANSION:
$(TESTS) $(FUZZERS) $(DRIVERS): $(B)/%: $(B)/%.o $$(call room_objs,$$(call room,$$@))
	$(call say,LINK)
	$(Q)$(LINK) $^ $(PKG_LIBS) -o $@

$(B)/%.o: %.c $(B)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

$(B)/flags: FORCE                          # rebuild when the flags change
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILE))' | cmp -s - $@ || \
	 printf '%s\n' '$(subst ','\'',$(COMPILE))' >$@

# The stacks travel inside the program, as one archive that is the same bytes each time.
$(B)/pack: packaging/pack.c $(B)/flags
	$(call say,CC)
	$(Q)$(CC) -std=gnu11 $(DEFS) $(WARN) -O1 -g $(PKG_CFLAGS) $< $(PKG_LIBS) -o $@

$(B)/stacks.tar.zst: $(B)/pack $(STACKS)
	$(call say,PACK)
	$(Q)$(B)/pack $@ payload/stacks $(STACKS:payload/stacks/%=%)

$(B)/payload/embedded.o: $(B)/stacks.tar.zst payload/catalogue.ini
$(B)/payload/embedded.o: EMBED := -DSTACKS_ARCHIVE='"$(B)/stacks.tar.zst"'

-include $(OBJS:.o=.d) $(TESTS:=.d)

# --- what a newcomer runs: both install what they miss --------------------------

run:                                       ## install what is missing, build, take this machine through the main job
	@packaging/build-deps.sh build
	@$(MAKE) --no-print-directory all
	@packaging/first-run.sh $(B)/$(PROG)

test:                                      ## install what is missing, build, run every test and linter
	@packaging/build-deps.sh test
	@$(MAKE) --no-print-directory check

check: all $(TESTS) lint                   ## the tests and linters, without installing anything
	@tests/run.sh $(B) $(TESTS)

asan:                                      ## check, under ASan and UBSan
	@$(MAKE) --no-print-directory MODE=asan check

fuzz:                                      ## libFuzzer on each tests/fuzz_*.c, SECONDS (60) each
	@$(MAKE) --no-print-directory MODE=fuzz CC=clang fuzzers
	@tests/fuzz.sh $(or $(SECONDS),60)

fuzzers: $(FUZZERS)                         ## the fuzzers alone: MODE=fuzz CC=clang

drivers: $(DRIVERS)                        ## the programs that the scenarios drive

coverage:                                  ## check, then the lines covered in each file
	@$(MAKE) --no-print-directory MODE=coverage check
	@gcov -n $(SRCS:%.c=build/coverage/%.gcda) 2>/dev/null | \
	 sed -n "/^File '[a-z]*\//{s/File//;N;s/\n/ /;p;}"

lint:                                      ## directions between folders, banned functions, sizes, formatting, scripts
	@tests/lint.sh $(FOLDERS)
	@! grep -nE '\<($(BANNED)) *\(' $(SRCS) $(HEADERS)
	@clang-format --dry-run --Werror $(SRCS) $(HEADERS) $(wildcard tests/*.[ch] packaging/*.c)

tidy: $(SRCS:%=$(B)/tidy/%.ok)             ## clang-tidy on every file of the program
$(B)/tidy/%.ok: % .clang-tidy $(HEADERS) | $(B)/stacks.tar.zst
	$(call say,TIDY)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- \
	 -std=gnu11 $(DEFS) $(PKG_CFLAGS) -DSTACKS_ARCHIVE='"$(B)/stacks.tar.zst"' 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

install: all                               ## into DESTDIR and PREFIX
	install -d $(BINDIR) $(MANDIR)/man1 $(MANDIR)/man5
	install -m 755 $(B)/$(PROG) $(BINDIR)/$(PROG)
	$(B)/$(PROG) help --manual >$(MANDIR)/man1/$(PROG).1
	chmod 644 $(MANDIR)/man1/$(PROG).1
	install -m 644 packaging/slipway-stack.5 $(MANDIR)/man5/

clean:                                     ## remove build/
	rm -rf build

help:                                      ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

.PHONY: all run test check asan fuzz fuzzers drivers coverage lint tidy install clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
