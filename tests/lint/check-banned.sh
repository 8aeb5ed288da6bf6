#!/bin/sh
# Calls that have no place here. Out of memory aborts in core/mem, so nothing else allocates by hand.
set -eu

find libshared services tests -name '*.[ch]' -type f | sort |
    xargs awk -f tests/lint/strip.awk /dev/null |
    awk '
    function ban(names, why,   found) {
        if (match(" " code, "[^A-Za-z0-9_>.](" names ")[ \t]*\\(")) {
            found = substr(" " code, RSTART + 1, RLENGTH - 2)
            printf "%s:%s: %s: %s\n", file, line, found, why
            failed = 1
        }
    }
    {
        split($0, part, ":")
        file = part[1]
        line = part[2]
        code = substr($0, length(file) + length(line) + 3)
        ban("strcpy|strcat|strncpy|strncat|stpcpy|sprintf|vsprintf|gets", "unbounded or unterminated")
        ban("strtok|strtok_r|atoi|atol|atoll|atof|scanf|fscanf", "no way to report bad input")
        ban("system|popen|tmpnam|mktemp|alloca|rand|srand|random", "unsafe or unpredictable")
        if (file ~ /^(libshared|services)\//) ban("sscanf", "no way to report overflow: use core/parse.h")
        if (file ~ /^(libshared|services)\// && file !~ /^libshared\/core\/mem\.[ch]$/)
            ban("malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|vasprintf", "use core/mem.h")
        if (file ~ /^tests\/(unit|integration|fault)\//)
            ban("sleep|usleep|nanosleep|clock_nanosleep", "wait for the condition with a deadline")
    }
    END { exit failed }'
