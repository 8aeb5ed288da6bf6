#!/bin/sh
# Who may include what: the layers of libshared, services apart from each other, one home for each library.
set -eu

find libshared services tests -name '*.[ch]' -type f | sort |
    xargs grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null |
    awk -F: '
    function bad(why) {
        printf "%s:%s: <%s> %s\n", file, line, header, why
        failed = 1
    }
    function under(folder) { return index(file, folder) == 1 }
    # only(pattern, places, said): headers that match live in files that match.
    function only(pattern, places, said) {
        if (header ~ pattern && file !~ places) bad("belongs in " said " only")
    }
    function exists(path,   ignored, status) {
        if (path in known) return known[path]
        status = (getline ignored < path) >= 0
        close(path)
        return known[path] = status
    }
    BEGIN {
        # what each layer of libshared may include of the others
        may["core"] = "core"
        may["rpc"] = "core rpc"
        may["client"] = "core rpc client"
        may["ops"] = "core rpc ops"
        may["daemon"] = "core rpc ops daemon"
    }
    {
        file = $1
        line = $2
        header = $0
        sub(/^[^<"]*[<"]/, "", header)
        sub(/[>"].*/, "", header)
        quoted = $0 ~ /include[ \t]*"/
        parts = split(file, part, "/")

        only("^nng/", "^(libshared/rpc|tests/(bench|fault|fuzz|unit/rpc|support))/", "libshared/rpc")
        only("^(postgresql/)?libpq", "^(services/cache-service/store|tests/support)/", "services/cache-service/store")
        only("^curl/", "^services/provider-gateway/http_client\\.c$", "provider-gateway/http_client.c")
        only("^microhttpd\\.h$", "^(libshared/ops|tests/provider-simulator)/", "libshared/ops")
        only("\\.pb-c\\.h$|^protobuf-c/", "_rpc\\.[ch]$|^libshared/(rpc|client)/|^services/admin-cli/|^tests/",
             "*_rpc.[ch], libshared/rpc, libshared/client and services/admin-cli")
        if (header ~ /^(jansson|sodium)\.h$/ && (under("libshared/core/") || under("libshared/rpc/")))
            bad("is not for libshared/core and libshared/rpc")
        if (header ~ /(^|\/)\.\.\//) bad("climbs out of its folder")

        if (!quoted || header ~ /^metercache\//) next
        if (under("libshared/")) {
            layer = part[2]
            split(header, target, "/")
            if (index(" " may[layer] " ", " " target[1] " ") == 0)
                bad("is not for libshared/" layer ", which may include: " may[layer])
        } else if (under("services/")) {
            here = file
            sub(/[^\/]*$/, "", here)
            if (!exists("libshared/" header) && !exists("services/" part[2] "/" header) && !exists(here header))
                bad("is neither in libshared nor in services/" part[2])
        }
    }
    END { exit failed }'
