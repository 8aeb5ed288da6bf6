#!/bin/bash
#
# Settings against docs: README's table is what the daemons' --help says; each variable and
# each command in the compose files is one its binary knows. What does not exist yet is not checked.

set -uo pipefail
BIN=$BUILD_DIR/bin
status=0

bad() {
    echo "$1"
    status=1
}

declare -A SETTINGS
for binary in cache-service quota-service provider-gateway; do
    [ -x "$BIN/$binary" ] || continue
    SETTINGS[$binary]=$("$BIN/$binary" --list-settings </dev/null) || bad "$BIN/$binary:1: --list-settings fails"
done
if [ "${#SETTINGS[@]}" -eq 3 ] && [ -f README.md ]; then
    tests/support/settings-table --check README.md ||
        bad 'README.md:1: the table of settings is not what the binaries say: make settings'
fi

[ ! -x "$BIN/metercache" ] || SETTINGS[metercache]=$("$BIN/metercache" --help </dev/null | grep -o 'METERCACHE_[A-Z_]*')

# compose_facts FILE: "line service kind value" for each variable and each word of a command.
compose_facts() {
    awk '
    function words(text,   n, i, list) {
        gsub(/[][",'"'"']/, " ", text)
        n = split(text, list, " ")
        for (i = 1; i <= n; i++) print FNR, service, "command", list[i]
    }
    /^[a-z]/ { section = $1; service = "" }
    section != "services:" { next }
    /^  [a-z][a-z0-9-]*:/ { service = $1; sub(/:.*/, "", service); block = "" }
    /^    [a-z_]+:/ {
        block = $1
        text = $0
        sub(/^[^:]*:/, "", text)
        if (block == "command:" || block == "entrypoint:") words(text)
        next
    }
    block == "environment:" && /^      (- )?[A-Z][A-Z0-9_]*[:=]/ {
        name = $0
        sub(/^ *(- )?/, "", name)
        sub(/[:=].*/, "", name)
        print FNR, service, "variable", name
    }
    (block == "command:" || block == "entrypoint:") && /^      - / { words(substr($0, 9)) }
    ' "$1"
}

# The one-shot migration is the cache-service's binary; Postgres is not ours.
binary_of() {
    case $1 in
    migrate) echo cache-service ;;
    cli) echo metercache ;;
    cache-service | quota-service | provider-gateway | provider-simulator) echo "$1" ;;
    esac
}

check_compose() {
    local file=$1 line service kind value binary before=
    while read -r line service kind value; do
        binary=$(binary_of "$service")
        if [ -z "$binary" ] || [ ! -x "$BIN/$binary" ]; then continue; fi
        case $kind in
        variable)
            grep -qxF -e "$value" -e "${value%_FILE}" <<<"${SETTINGS[$binary]-}" ||
                bad "$file:$line: $binary knows no setting $value"
            ;;
        command)
            # A binary's own name, an option with its value, or a command.
            if [ "${value##*/}" != "$binary" ] && [[ $before != --* ]] &&
                ! "$BIN/$binary" --help </dev/null 2>&1 | grep -qw -e "${value%%=*}"; then
                bad "$file:$line: $binary knows no command $value"
            fi
            before=$value
            ;;
        esac
    done < <(compose_facts "$file")
}

for file in docker-compose.yml services/compose-*.yml; do
    [ ! -f "$file" ] || check_compose "$file"
done
exit $status
