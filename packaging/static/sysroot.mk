# packaging/static/sysroot.mk - the order in which the libraries of the sysroot are built
#
# Run by sysroot.sh; each is built by its recipe in recipe.sh.

LIBRARIES := zlib libffi pcre2 xz-utils libzstd openssl curl libarchive libinih jansson glib2.0 \
             libgpg-error libgcrypt20 libsecret
DONE      := $(PART)/done

all: $(LIBRARIES:%=$(DONE)/%)

# The longest chains first: glib2.0 is the foot of one, openssl of the other.
$(LIBRARIES:%=$(DONE)/%): $(DONE)/musl
$(DONE)/glib2.0: $(addprefix $(DONE)/,meson zlib libffi pcre2)
$(DONE)/curl: $(addprefix $(DONE)/,openssl zlib libzstd)
$(DONE)/libarchive: $(addprefix $(DONE)/,zlib xz-utils libzstd)
$(DONE)/libinih: $(DONE)/meson
$(DONE)/libgcrypt20: $(DONE)/libgpg-error
$(DONE)/libsecret: $(addprefix $(DONE)/,glib2.0 libgcrypt20)

$(DONE)/%:
	@printf '  LIB   %s\n' $*
	+@$(HERE)/recipe.sh $* >$(PART)/log/$* 2>&1 || { tail -n 25 $(PART)/log/$*; \
	 echo "slipway: $* does not build; the whole log: $(PART)/log/$*" >&2; exit 1; }
	@touch $@

.PHONY: all
