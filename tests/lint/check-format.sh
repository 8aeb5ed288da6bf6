#!/bin/sh
# C code is as .clang-format says; `make fmt` mends it. Other versions than 14 lay out some lines another way,
# so where only those are installed nothing is checked.
set -eu
format=$(command -v clang-format-14 || command -v clang-format || true)
case $([ -z "$format" ] || "$format" --version) in
*' version 14.'*) ;;
*)
    echo 'lint: no clang-format 14 here, the format is not checked' >&2
    exit 0
    ;;
esac
find libshared services tests -name '*.[ch]' -type f -print0 | sort -z |
    xargs -0 -r "$format" --dry-run -Werror
