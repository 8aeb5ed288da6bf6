#!/bin/sh
# cppcheck's own view, where it is installed; incremental through its build folder.
set -eu
command -v cppcheck >/dev/null || exit 0
mkdir -p "$BUILD_DIR/cppcheck"
cppcheck --quiet --enable=warning,portability --std=c11 --inline-suppr --error-exitcode=1 -j "$(nproc)" \
    --cppcheck-build-dir="$BUILD_DIR/cppcheck" --template='{file}:{line}: {message} [{id}]' \
    --suppress=missingIncludeSystem --suppress=unknownMacro -D_POSIX_C_SOURCE=200809L \
    -Ilibshared libshared services tests/support tests/provider-simulator 2>&1
