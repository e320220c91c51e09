#!/bin/bash
# packaging/static/recipe.sh - builds one library of the sysroot and installs it there
#
# Usage: recipe.sh NAME, by sysroot.mk, in the environment that sysroot.sh makes.
#
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

name=$1
sysroot=${PART:?is set by sysroot.sh}
gnu=$ARCH-linux-gnu
work=$sysroot/work/$name
meson=$sysroot/work/meson
jobs=-j${JOBS:?is set by sysroot.sh}

# Small, no unwind tables (these are C libraries), each function its own section for the linker.
# The wrapper maps the paths of this build out of every object.
flags=(-Os -g0 -fPIE -fstack-protector-strong -ffunction-sections -fdata-sections
  -fno-asynchronous-unwind-tables -fno-unwind-tables)
[ "$ARCH" != aarch64 ] || flags+=(-mno-outline-atomics)
export CFLAGS="${flags[*]}"
link_flags=(-static-pie '-Wl,--gc-sections' '-Wl,-z,relro' '-Wl,-z,now' '-Wl,-z,noexecstack')
export LDFLAGS="${link_flags[*]}"
export CC=musl-cc CC_FOR_BUILD=gcc AR=$gnu-ar RANLIB=$gnu-ranlib NM=$gnu-nm STRIP=$gnu-strip
export PKG_CONFIG=$sysroot/bin/pkg-config ARFLAGS=rcD SLIPWAY_MAP=$work
export PYTHONPATH=$meson/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1

# What the recipes share.

configure() {
  ./configure --host="$ARCH-linux-musl" --prefix=/usr --disable-shared --enable-static \
    --disable-dependency-tracking "$@"
}

make_into_sysroot() {
  make DESTDIR="$sysroot" "$@"
  find "$sysroot/usr/lib" -name '*.la' -delete
}

with_cmake() {
  cat >toolchain.cmake <<EOF
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR $ARCH)
set(CMAKE_C_COMPILER $sysroot/bin/musl-cc)
set(CMAKE_AR /usr/bin/$AR CACHE FILEPATH "")
set(CMAKE_RANLIB /usr/bin/$RANLIB CACHE FILEPATH "")
set(CMAKE_FIND_ROOT_PATH $sysroot)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
EOF
  cmake -G Ninja -S . -B out -DCMAKE_TOOLCHAIN_FILE=toolchain.cmake -DCMAKE_INSTALL_PREFIX=/usr \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS=OFF "$@"
  ninja -C out "$jobs"
  DESTDIR=$sysroot ninja -C out install
}

quoted() { printf "'%s', " "$@"; }

with_meson() {
  local foreign=false wrapper=
  if [ "$ARCH" != "$(uname -m)" ]; then
    foreign=true
    wrapper="exe_wrapper = 'qemu-$ARCH-static'"
  fi
  cat >cross.ini <<EOF
[binaries]
c = '$sysroot/bin/musl-cc'
ar = '$AR'
strip = '$STRIP'
nm = '$NM'
pkg-config = '$PKG_CONFIG'
$wrapper
[built-in options]
c_args = [$(quoted "${flags[@]}")]
c_link_args = [$(quoted "${link_flags[@]}")]
[properties]
sys_root = '$sysroot'
needs_exe_wrapper = $foreign
[host_machine]
system = 'linux'
cpu_family = '$ARCH'
cpu = '$ARCH'
endian = 'little'
EOF
  env -u CFLAGS -u LDFLAGS -u CC PATH="$sysroot/usr/bin:$PATH" \
    "$meson/usr/bin/meson" setup out --cross-file cross.ini --prefix=/usr --libdir=lib \
    --buildtype=plain --wrap-mode=nodownload -Ddefault_library=static -Dprefer_static=true "$@"
  env PATH="$sysroot/usr/bin:$PATH" ninja -C out "$jobs"
  DESTDIR=$sysroot "$meson/usr/bin/meson" install -C out --no-rebuild
}

# The compiler and its C library.

# Debian's gcc serves, told by a specs file to forget glibc.  The sysroot may move, so the file
# takes its place from the environment.  lld packs relative relocations on every architecture.
toolchain() {
  local root='%:getenv(MUSL_SYSROOT '
  sh tools/musl-gcc.specs.sh "${root}/usr/include)" "${root}/usr/lib)" /lib/ld-musl.so.1 |
    sed -E 's#(/usr/lib)\)(/[a-zA-Z0-9]+\.o)#\1\2)#g' >"$sysroot/musl.specs"
  mkdir -p "$sysroot/bin"
  cat >"$sysroot/bin/musl-cc" <<EOF
#!/bin/sh
# $gnu-gcc for musl.  The names of this folder and of SLIPWAY_MAP get into no object.
MUSL_SYSROOT=\${0%/bin/*}
export MUSL_SYSROOT
exec $gnu-gcc -specs "\$MUSL_SYSROOT/musl.specs" -B"\$MUSL_SYSROOT/bin/" "\$@" \\
  -ffile-prefix-map="\$MUSL_SYSROOT=/sysroot" \${SLIPWAY_MAP:+"-ffile-prefix-map=\$SLIPWAY_MAP=."}
EOF
  cat >"$sysroot/bin/pkg-config" <<'EOF'
#!/bin/sh
# pkg-config that sees this sysroot and nothing else.
root=${0%/bin/*}
unset PKG_CONFIG_PATH
export PKG_CONFIG_LIBDIR="$root/usr/lib/pkgconfig:$root/usr/share/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
exec /usr/bin/pkg-config --static "$@"
EOF
  chmod 755 "$sysroot/bin/musl-cc" "$sysroot/bin/pkg-config"
  ln -sf /usr/bin/ld.lld "$sysroot/bin/ld.lld"
}

kernel_headers() {
  local headers=/usr/include asm=/usr/include/$gnu/asm
  if [ ! -d "$asm" ]; then
    headers=/usr/$gnu/include
    asm=$headers/asm
  fi
  cp -rL "$headers/linux" "$headers/asm-generic" "$sysroot/usr/include/"
  cp -rL "$asm" "$sysroot/usr/include/asm"
}

build_musl() {
  CC="$gnu-gcc -ffile-prefix-map=$work=." LDFLAGS='' ./configure --target="$gnu" --prefix=/usr --syslibdir=/lib \
    --disable-shared --disable-wrapper --enable-optimize=size
  make
  make_into_sysroot install
  toolchain
  kernel_headers
}

build_meson() { :; }

# Libraries.

build_zlib() {
  CHOST=$gnu ./configure --static --prefix=/usr
  make libz.a
  make_into_sysroot install
}

build_libffi() {
  autoreconf -fi
  configure --disable-docs --disable-multi-os-directory --disable-exec-static-tramp
  make
  make_into_sysroot install
}

build_pcre2() {
  configure --disable-pcre2grep-libz --disable-pcre2grep-libbz2 --enable-pcre2-8 --disable-jit \
    --enable-unicode
  make libpcre2-8.la
  make_into_sysroot install-libLTLIBRARIES install-pkgconfigDATA install-includeHEADERS \
    install-nodist_includeHEADERS
}

# No CRC by carry-less multiplication: it asks the processor at the start of every program.
build_xz-utils() {
  configure --disable-clmul-crc --disable-xz --disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-lzma-links \
    --disable-scripts --disable-doc --disable-nls
  make
  make_into_sysroot install
}

build_libzstd() {
  local trim=(PREFIX=/usr ZSTD_LEGACY_SUPPORT=0 ZSTD_LIB_DICTBUILDER=0 ZSTD_LIB_DEPRECATED=0)
  make -C lib libzstd.a libzstd.pc "${trim[@]}"
  make -C lib install-static install-pc install-includes DESTDIR="$sysroot" "${trim[@]}"
}

# What keystore/ and TLS 1.2 and 1.3 need stays: scrypt, HKDF, HMAC, ChaCha20-Poly1305, BLAKE2, Ed25519.
# no-async: musl has no makecontext().
# P-256 without its table of 150 KiB: a handshake takes a millisecond more.
build_openssl() {
  # shellcheck disable=SC2016 # the names are those of the file
  sed -i -E 's/^( *\$EC(ASM|DEF)_(x86_64|aarch64)=)(ecp_nistz256|ECP_NISTZ256).*/\1/' crypto/ec/build.info
  ./Configure "linux-$ARCH" --prefix=/usr --libdir=lib --openssldir=/etc/ssl \
    no-shared no-tests no-apps no-docs no-module no-dso no-engine no-async no-afalgeng no-legacy no-comp \
    no-ssl3 no-tls1 no-tls1_1 no-tls1-method no-tls1_1-method no-dtls no-quic no-idea no-camellia no-aria \
    no-seed no-bf no-cast no-des no-rc2 no-rc4 no-rc5 no-md4 no-mdc2 no-whirlpool no-rmd160 no-sm2 no-sm3 \
    no-sm4 no-siphash no-siv no-argon2 no-srp no-psk no-gost no-cmp no-cms no-ct no-ts no-srtp no-ec2m \
    no-dsa no-ml-dsa no-slh-dsa no-ui-console no-http no-rfc3779 no-ocb no-nextprotoneg no-autoload-config \
    no-multiblock no-padlockeng no-integrity-only-ciphers no-tls-deprecated-ec no-thread-pool \
    no-default-thread-pool "${flags[@]}"
  make build_libs
  make install_dev DESTDIR="$sysroot"
}

# HTTP/1.1 and HTTPS alone, over TCP and the engine's unix socket: downloads keep to it anyway, since a stream of
# HTTP/2 cannot be held back alone.  The program names the CA bundle when it runs.
build_curl() {
  CPPFLAGS=-DCURL_STATICLIB configure --with-openssl --without-nghttp2 --with-zlib --with-zstd \
    --without-brotli --without-libpsl --without-libidn2 --without-librtmp --without-libssh2 \
    --without-ngtcp2 --without-nghttp3 --without-ca-bundle --without-ca-path --with-ca-fallback \
    --enable-unix-sockets --enable-ipv6 --enable-threaded-resolver --disable-ldap --disable-ldaps \
    --disable-rtsp --disable-dict --disable-telnet --disable-tftp --disable-pop3 --disable-imap \
    --disable-smb --disable-smtp --disable-gopher --disable-mqtt --disable-ftp --disable-file \
    --disable-ntlm --disable-kerberos-auth --disable-negotiate-auth --disable-aws --disable-tls-srp \
    --disable-docs --disable-manual --disable-libcurl-option --disable-websockets --disable-doh \
    --disable-alt-svc --disable-hsts --disable-netrc
  make -C lib
  make_into_sysroot -C lib install
  make_into_sysroot -C include install
  make_into_sysroot install-pkgconfigDATA
  sed -i "s# -L$sysroot/usr/lib##g" "$sysroot/usr/lib/pkgconfig/libcurl.pc"
}

build_libarchive() {
  configure --disable-bsdtar --disable-bsdcpio --disable-bsdcat --disable-bsdunzip --without-bz2lib \
    --without-lz4 --without-lzo2 --without-xml2 --without-expat --without-libb2 --without-nettle \
    --without-mbedtls --without-openssl --without-cng --disable-acl --disable-xattr --with-zlib \
    --with-zstd --with-lzma
  make libarchive.la
  make_into_sysroot install
}

build_libinih() {
  with_meson -Ddistro_install=true -Dwith_INIReader=false
}

build_jansson() {
  with_cmake -DJANSSON_EXAMPLES=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_BUILD_DOCS=OFF
}

# No module directory: a static program cannot load any.
build_glib2.0() {
  with_meson -Dselinux=disabled -Dxattr=false -Dlibmount=disabled -Dman-pages=disabled -Ddtrace=disabled \
    -Dsystemtap=disabled -Dsysprof=disabled -Ddocumentation=false -Dtests=false -Dinstalled_tests=false \
    -Dnls=disabled -Dglib_debug=disabled -Dlibelf=disabled -Dintrospection=disabled \
    -Dbsymbolic_functions=false -Dgio_module_dir=/nonexistent/gio/modules
  sed -i 's/ -latomic//' "$sysroot/usr/lib/pkgconfig/glib-2.0.pc"
  rm -r "$sysroot/nonexistent" # the empty module directory
}

build_libgpg-error() {
  configure --disable-nls --disable-doc --disable-tests --disable-languages \
    --enable-install-gpg-error-config=no --without-libiconv-prefix
  make -C src
  make_into_sysroot -C src install
}

# Its configure asks gpgrt-config, with an option that pkg-config does not know.  It encrypts a few
# keys on their way to the keyring: one variant of each cipher is enough.
build_libgcrypt20() {
  cat >gpgrt-config <<'EOF'
#!/bin/sh
[ "${1#--libdir=}" = "$1" ] || shift
exec "$PKG_CONFIG" "$@"
EOF
  chmod 755 gpgrt-config
  GPGRT_CONFIG=$PWD/gpgrt-config configure --with-libgpg-error-prefix="$sysroot/usr" --disable-doc \
    --enable-ciphers=aes --enable-digests='sha1 sha256 sha512 sha3' --enable-pubkey-ciphers='rsa ecc' \
    --enable-kdfs= --disable-jent-support --disable-amd64-as-feature-detection --disable-aesni-support \
    --disable-pclmul-support --disable-shaext-support --disable-sse41-support --disable-avx-support \
    --disable-avx2-support --disable-avx512-support
  for part in compat mpi cipher random src; do
    make -C $part
  done
  make_into_sysroot -C src install
}

build_libsecret() {
  with_meson -Dmanpage=false -Dcrypto=libgcrypt -Dvapi=false -Dgtk_doc=false -Dintrospection=false \
    -Dbash_completion=disabled
}

# The licence texts, before a build can touch them.

keep_licences() {
  local to=$sysroot/share/licenses/$name from texts
  texts=$(sed -n "/^Package: $name\$/,/^\$/s/^Licenses: *//p" "$HERE/sources.lock")
  [ -n "$texts" ] || return 0
  mkdir -p "$to"
  for from in $texts; do
    cp -rL "$from" "$to/"
  done
  [ ! -f debian/copyright ] || cp debian/copyright "$to/copyright.debian"
}

rm -rf "$work"
python3 "$HERE/sources.py" unpack "$name" "$work"
cd "$work"
keep_licences
"build_$name"
cd "$sysroot"
[ "$name" = meson ] || rm -rf "$work"
