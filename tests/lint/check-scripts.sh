#!/bin/sh
# Shell scripts pass shellcheck, where it is installed.
set -eu
command -v shellcheck >/dev/null || exit 0
grep -rlIE '^#!/bin/(ba)?sh' tests services .ci libshared 2>/dev/null | sort |
    xargs -r shellcheck -x --format=gcc
