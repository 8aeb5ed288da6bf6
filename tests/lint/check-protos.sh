#!/bin/sh
# Messages form no cycle (the decoder's depth is bounded by the types), no proto3 optional, no map, no
# import from outside metercache/v1, and an enum's zero says UNSPECIFIED (or OK).
set -eu

# shellcheck disable=SC2016 # awk's fields
find proto -name '*.proto' -type f | sort | xargs awk '
    function bad(why) {
        printf "%s:%d: %s\n", FILENAME, FNR, why
        failed = 1
    }
    function short(name) {
        sub(/.*\./, "", name)
        return name
    }
    FNR == 1 { depth = 0; delete block }
    {
        if ($1 == "import" && $0 !~ /^import "metercache\/v1\//) bad("imports from outside metercache/v1")
        text = $0
        sub(/\/\/.*/, "", text)
        gsub(/"[^"]*"/, "\"\"", text)
        gsub(/[{};]/, " & ", text)
        words = split(text, word, /[ \t]+/)
        for (i = 1; i <= words; i++) {
            w = word[i]
            if (w == "") continue
            if (w == "message" || w == "enum" || w == "oneof" || w == "service") pending = w " " word[i + 1]
            if (w == "{") {
                depth++
                split(pending, head, " ")
                block[depth] = head[1]
                name[depth] = head[2]
                if (head[1] == "message") where[head[2]] = FILENAME ":" FNR
                pending = ""
                n = 0
                continue
            }
            if (w == "}") { depth--; n = 0; continue }
            if (w != ";") { statement[++n] = w; continue }
            if (depth > 0) field()
            n = 0
        }
    }
    function field(   level, at) {
        if (statement[1] == "optional") bad("proto3 optional: say what zero means instead")
        if (statement[1] ~ /^map/) bad("map: use a repeated message with a key")
        if (block[depth] == "enum") {
            if (statement[2] == "=" && statement[3] == "0" && statement[1] !~ /_(UNSPECIFIED|OK)$/)
                bad("the zero of an enum ends with _UNSPECIFIED: " statement[1])
            return
        }
        level = depth
        while (level > 0 && block[level] == "oneof") level--
        if (block[level] != "message") return
        at = statement[1] == "repeated" || statement[1] == "optional" ? 2 : 1
        if (statement[at + 2] != "=") return
        edges[name[level]] = edges[name[level]] " " short(statement[at])
    }
    END {
        # Take away messages whose fields lead nowhere any more; what stays is on a cycle or leads to one.
        for (message in where) left[message] = 1
        do {
            changed = 0
            for (message in left) {
                count = split(edges[message], target, " ")
                open = 0
                for (i = 1; i <= count; i++) if (target[i] in left) open = 1
                if (!open) { delete left[message]; changed = 1 }
            }
        } while (changed)
        for (message in left) {
            printf "%s: message %s is on a cycle, or contains one that is\n", where[message], message
            failed = 1
        }
        exit failed
    }'
