#!/bin/bash
# Every header compiles alone, with the include paths its folder has.
set -uo pipefail

# compile_alone HEADER
compile_alone() {
    local -a flags=(-std=c17 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror)
    case $1 in
    libshared/core/*) flags+=(-Ilibshared) ;;
    libshared/*) flags+=(-Ilibshared -isystem "$BUILD_DIR/gen") ;;
    services/*) flags+=(-Ilibshared -I"$(cut -d/ -f1-2 <<<"$1")" -isystem "$BUILD_DIR/gen") ;;
    tests/provider-simulator/*) flags+=(-Itests/provider-simulator) ;;
    tests/quota-simulator/*) flags+=(-Ilibshared -Iservices/quota-service -include tests/quota-simulator/sizes.h -isystem "$BUILD_DIR/gen") ;;
    tests/unit/* | tests/integration/*/*) flags+=(-Ilibshared "-Iservices/$(cut -d/ -f3 <<<"$1")" -Itests -isystem "$BUILD_DIR/gen") ;;
    tests/*) flags+=(-Ilibshared -Itests -isystem "$BUILD_DIR/gen") ;;
    esac
    "$CC" "${flags[@]}" -isystem /usr/include/postgresql -I. -fsyntax-only -x c - \
        <<<"#include \"$1\""$'\nextern int not_empty;' || {
        echo "$1:1: does not compile alone"
        return 1
    }
}
export -f compile_alone

# shellcheck disable=SC2016 # the inner shell expands it
find libshared services tests -name '*.h' -type f -print0 | sort -z |
    xargs -0 -r -n 1 -P "$(nproc)" bash -c 'compile_alone "$0"' 2>&1
