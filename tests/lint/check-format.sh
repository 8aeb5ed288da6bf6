#!/bin/sh
# C code is as .clang-format says; `make fmt` mends it.
set -eu
find libshared services tests -name '*.[ch]' -type f | sort >"$BUILD_DIR/lint-files"
[ -s "$BUILD_DIR/lint-files" ] || exit 0
xargs clang-format --dry-run -Werror <"$BUILD_DIR/lint-files"
