# Compiler flags, by purpose.  Every line was tried with gcc 12 and clang 14.

CFLAGS_release   := -O2 -g
CFLAGS_debug     := -Og -g3
CFLAGS_asan      := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                    -fno-sanitize-recover=undefined
CFLAGS_fuzz      := -O1 -g -fsanitize=fuzzer-no-link,address,undefined
LDFLAGS_fuzz     := -fsanitize=fuzzer
CFLAGS_coverage  := -O0 -g --coverage
DEFS_asan        := -DSANITIZED
DEFS_fuzz        := -DSANITIZED

# Warnings that have caught a real error in C programs of this kind.
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wdate-time -Wwrite-strings \
        -Wpointer-arith -Wcast-qual -Wcast-align -Wconversion -Wsign-conversion \
        -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
        -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
        -Wredundant-decls -Wunused-result \
        -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
        -Werror=int-conversion -Werror=return-type -Werror=format-security -Werror=vla
WARN_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init \
            -Wformat-overflow=2 -Wformat-truncation=2 -Wtrampolines -Walloca -Warith-conversion
WARN += -Wno-missing-field-initializers
IS_GCC := $(if $(findstring gcc,$(shell $(CC) -v 2>&1 | tail -1)),1)
WARN += $(if $(IS_GCC),$(WARN_gcc))
WARN += $(if $(CI),-Werror)

# OpenSSF hardening guide, less what gcc 12 does not have (-fstrict-flex-arrays,
# gcc 13; -fhardened, gcc 14).  Fortify needs -O1 and glibc; musl ignores it.
HARDEN_CC := -fstack-protector-strong -fPIE -fno-common -fno-strict-aliasing \
             -fno-delete-null-pointer-checks
HARDEN_CC_release = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
HARDEN_CC += $(HARDEN_CC_$(MODE))
HARDEN_CC += $(if $(IS_GCC),-ftrivial-auto-var-init=zero)  # clang: from 16 on
ifeq ($(OS),linux)
HARDEN_CC += -fstack-clash-protection $(if $(filter x86_64,$(ARCH)),$(if $(filter static,$(MODE)),,-fcf-protection=full))
HARDEN_LD := $(if $(filter static,$(MODE)),,-pie) -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed
endif

# The same bytes from any folder, on any day.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
export LC_ALL := C
export TZ := UTC
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=.
