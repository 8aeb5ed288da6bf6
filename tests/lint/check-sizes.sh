#!/bin/sh
# Functions of at most 70 lines, files of at most 500; tests/lint/allow-long.txt names the exceptions. Lines of
# at most 100 columns but where clang-format is off.
set -eu

files=$(find libshared services tests -name '*.[ch]' -type f | sort)
[ -n "$files" ] || exit 0
allowed() {
    grep -qxF "$1" tests/lint/allow-long.txt
}
status=0
for file in $files; do
    lines=$(wc -l <"$file")
    if [ "$lines" -gt 500 ] && ! allowed "$file"; then
        echo "$file:501: $lines lines in a file, 500 allowed"
        status=1
    fi
done

# shellcheck disable=SC2086 # a list of paths
wide=$(LC_ALL=C awk 'FNR == 1 { off = 0 }
    /clang-format off/ { off = 1 }
    /clang-format on/ { off = 0 }
    {
        gsub(/[\200-\277]/, "") # one column a character, however many bytes
        if (!off && length($0) > 100)
            print FILENAME ":" FNR ": " length($0) " columns in a line, 100 allowed"
    }' $files)
if [ -n "$wide" ]; then
    echo "$wide"
    status=1
fi

# shellcheck disable=SC2086 # a list of paths
long=$(ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=ne -f - $files |
    awk -F '\t' '/^[^!]/ {
        for (i = 4; i <= NF; i++) {
            if ($i ~ /^line:/) start = substr($i, 6)
            if ($i ~ /^end:/) end = substr($i, 5)
        }
        if (end - start + 1 > 70) print $2 ":" start ":" $1 ":" end - start + 1
    }')
for found in $long; do
    file=${found%%:*}
    rest=${found#*:}
    line=${rest%%:*}
    rest=${rest#*:}
    allowed "$file ${rest%%:*}" && continue
    echo "$file:$line: ${rest#*:} lines in ${rest%%:*}, 70 allowed"
    status=1
done
exit $status
