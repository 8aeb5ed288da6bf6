#!/bin/bash
#
# The checks themselves: each finds what it is for in a small tree made to offend, and is quiet on a clean one.

set -uo pipefail
LINT=$PWD/tests/lint
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
export BUILD_DIR=build CC=${CC:-gcc}
status=0

clean_tree() {
    rm -rf "$tree"
    mkdir -p "$tree"/{build/bin,libshared/core,libshared/rpc,services/quota-service,proto,migrations,tests/unit/core}
    ln -s "$LINT" "$tree/tests/lint"
    cp "$LINT/../../.clang-format" "$tree"
    echo '#include <stdint.h>' >"$tree/libshared/core/a.h"
    printf '#include "core/a.h"\n' >"$tree/libshared/rpc/b.h"
    printf '#include "core/a.h"\n\nint c(void)\n{\n    return 0; /* system() */\n}\n' \
        >"$tree/services/quota-service/c.c"
    printf 'syntax = "proto3";\nmessage A {\n  B b = 1;\n}\nmessage B {\n  oneof x {\n    int64 n = 1;\n  }\n}\n' \
        >"$tree/proto/a.proto"
    # daemons that know two settings and one command
    mkdir -p "$tree/tests/support"
    ln -s "$LINT/../support/settings-table" "$tree/tests/support"
    for daemon in cache-service quota-service provider-gateway; do
        cat >"$tree/build/bin/$daemon" <<'DAEMON'
#!/bin/sh
case $1 in
--help) printf '%s\n' 'quota-service [show]' 'Settings, from the environment:' '  QUOTA_A' '      an a' '      text; default 1' ;;
*) printf '%s\n' QUOTA_A QUOTA_B ;;
esac
DAEMON
        chmod +x "$tree/build/bin/$daemon"
    done
}

# check NAME: run it there.
check() {
    (cd "$tree" && "$LINT/check-$1.sh" 2>&1)
}

# offends NAME PATTERN FILE TEXT...: with these lines in the file the check must say something like PATTERN.
offends() {
    local name=$1 pattern=$2 file=$tree/$3 output
    shift 3
    clean_tree
    mkdir -p "${file%/*}"
    printf '%s\n' "$@" >>"$file"
    if output=$(check "$name"); then
        echo "tests/lint/check-$name.sh:1: did not mind: $*"
        status=1
    elif ! grep -q -- "$pattern" <<<"$output"; then
        echo "tests/lint/check-$name.sh:1: on '$*' it said '$output', not '$pattern'"
        status=1
    fi
}

clean_tree
for name in format layers banned protos sizes headers settings words tree; do
    if ! output=$(check $name) || [ -n "$output" ]; then
        echo "tests/lint/check-$name.sh:1: minds a clean tree: $output"
        status=1
    fi
done

offends format 'd.c' libshared/core/d.c 'int  d;'
offends layers 'a.h:2: <nng/nng.h>' libshared/core/a.h '#include <nng/nng.h>'
offends layers 'a.h:2: <rpc/b.h>' libshared/core/a.h '#include "rpc/b.h"'
offends layers 'store' services/quota-service/d.c '#include <libpq-fe.h>'
offends layers 'http_client.c' services/provider-gateway/modash.c '#include <curl/curl.h>'
offends layers 'libshared/ops' services/quota-service/d.c '#include <microhttpd.h>'
offends layers '_rpc' services/quota-service/d.c '#include "metercache/v1/quota.pb-c.h"'
offends layers 'climbs' services/quota-service/d.c '#include "../cache-service/engine.h"'
offends layers 'neither' services/quota-service/d.c '#include "engine/flight.h"'
offends layers 'not for libshared/core and' libshared/rpc/b.h '#include <jansson.h>'
offends banned 'c.c:7: strcpy' services/quota-service/c.c 'int d(void) { strcpy(a, b); }'
offends banned 'core/mem.h' services/quota-service/c.c 'int d(void) { return malloc (3); }'
offends banned 'deadline' tests/unit/core/test_a.c 'int d(void) { usleep(3); }'
offends protos 'cycle' proto/b.proto 'message C { D d = 1; }' 'message D { repeated C c = 1; }'
offends protos 'optional' proto/b.proto 'message C { optional int64 n = 1; }'
offends protos 'map' proto/b.proto 'message C { map<string, int64> n = 1; }'
offends protos 'b.proto:1: imports' proto/b.proto 'import "google/protobuf/any.proto";'
offends protos 'UNSPECIFIED' proto/b.proto 'enum C { C_FIRST = 0; }'
mapfile -t long < <(echo 'int d(void) {'; echo; yes '    ;' | head -70; echo '}')
offends sizes 'd.c:1: 73 lines in d' libshared/core/d.c "${long[@]}"
mapfile -t long < <(yes 'int d;' | head -501)
offends sizes '501 lines in a file' libshared/core/d.c "${long[@]}"
offends sizes 'd.c:1: 101 columns' libshared/core/d.c "/* $(printf '%095d' 0) */"
offends headers 'd.h:1' libshared/core/d.h 'uint32_t d;'
offends words 'c.c:7' services/quota-service/c.c "/* TO""DO */"
offends tree 'vendor' vendor/a.c 'int a;'
offends tree '0001_' migrations/0002_a.sql 'SELECT 1;'

compose=(services: '  quota-service:' '    command: ["quota-service", "show"]' '    environment:' '      QUOTA_A_FILE: x')
offends settings 'table of settings' README.md 'QUOTA_A'
offends settings 'yml:6: .*QUOTA_C' docker-compose.yml "${compose[@]}" '      QUOTA_C: x'
offends settings 'yml:6: .*command vanish' docker-compose.yml "${compose[@]}" '    entrypoint: ["vanish"]'
exit $status
