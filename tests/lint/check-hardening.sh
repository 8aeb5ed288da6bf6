#!/bin/sh
# Release binaries are position independent, bound at start, read-only after it, with no executable stack.
set -eu

case $BUILD_DIR in *release) ;; *) exit 0 ;; esac
status=0
for binary in "$BUILD_DIR"/bin/*; do
    if [ ! -f "$binary" ] || ! head -c 4 "$binary" | grep -q ELF; then continue; fi
    headers=$(readelf -hldW "$binary")
    for wanted in 'Type: *DYN' 'GNU_RELRO' 'FLAGS_1.*NOW.*PIE' 'GNU_STACK .* RW '; do
        echo "$headers" | grep -q "$wanted" && continue
        echo "$binary:1: not hardened: readelf shows no '$wanted'"
        status=1
    done
    if echo "$headers" | grep -qE 'R(UN)?PATH'; then
        echo "$binary:1: carries a library path"
        status=1
    fi
done
exit $status
