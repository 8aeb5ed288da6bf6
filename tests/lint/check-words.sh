#!/bin/sh
# Work left over is an issue in the tracker, not a remark in the tree.
set -eu

# Split so that this line does not find itself.
words='TO''DO|FIX''ME|\bX''XX\b|\bHA''CK\b|\b[Ff]or n''ow\b'
set --
for path in proto services libshared migrations tests docker-compose.yml Makefile README.md .ci; do
    [ ! -e "$path" ] || set -- "$@" "$path"
done
! grep -rnIE --exclude-dir=data "$words" "$@"
