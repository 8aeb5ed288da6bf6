#!/bin/sh
#
# compose-setup - make what the parts of the compose stack need to trust each other, once. What is there is kept.
#
#   compose-setup                 passwords, tokens and the simulator's keys: each part's share in /secrets/PART
#   compose-setup token ID ROLE   one more token for callers: printed, known to the services after a SIGHUP
#
# A volume is seen by its own part alone. Nothing here is printed but what `token` was asked for.
set -eu
umask 077

SECRETS=${SECRETS_DIR:-/secrets}
SERVICES='cache-service quota-service provider-gateway'
DATABASE=postgres:5432/metercache

# put FILE: standard input becomes its content, whole or not at all.
put() {
    cat >"$1.new"
    mv "$1.new" "$1"
}

random() {
    od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# Postgres runs as another user, who reads these files in a volume that nobody else mounts.
password() {
    if [ ! -s "$SECRETS/postgres/$1-password" ]; then
        random | put "$SECRETS/postgres/$1-password"
    fi
    chmod 644 "$SECRETS/postgres/$1-password"
    cat "$SECRETS/postgres/$1-password"
}

# database_url ROLE FILE
database_url() {
    secret=$(password "$1")
    printf 'postgresql://metercache_%s:%s@%s\n' "$1" "$secret" "$DATABASE" | put "$2"
}

# new_token ID ROLE: the token on standard output; its hash first goes to every service.
new_token() {
    made=$(metercache token new --id "$1" --role "$2" --subject "$1")
    line=$(printf '%s\n' "$made" | sed -n 2p)
    for service in $SERVICES; do
        file=$SECRETS/$service/tokens
        [ -e "$file" ] || : >"$file"
        { sed "/^$1 /d" "$file" && printf '%s\n' "$line"; } | put "$file"
    done
    printf '%s\n' "$made" | sed -n 1p
}

# token_file ID ROLE FILE
token_file() {
    [ ! -s "$3" ] || return 0
    token=$(new_token "$1" "$2")
    printf '%s\n' "$token" | put "$3"
}

make_all() {
    password superuser >/dev/null
    database_url owner "$SECRETS/migrate/owner-url"
    database_url runtime "$SECRETS/cache-service/runtime-url"

    for service in $SERVICES; do
        token_file "$service" service "$SECRETS/$service/service-token"
    done
    token_file alice client "$SECRETS/client/alice.token"
    for role in staff admin cron; do
        token_file "$role" "$role" "$SECRETS/client/$role.token"
    done

    for provider in modash clay; do
        key=$SECRETS/provider-gateway/simulator-$provider-key
        [ -s "$key" ] || random | put "$key"
        put "$SECRETS/provider-simulator/$provider-key" <"$key"
    done
}

case $#-${1-} in
0-)
    make_all
    ;;
3-token)
    case $2 in '' | *[!A-Za-z0-9_-]*)
        echo "compose-setup: '$2': letters, digits, _ and - only" >&2
        exit 64
        ;;
    esac
    new_token "$2" "$3"
    ;;
*)
    sed -n 's/^#   compose-setup/usage: compose-setup/p' "$0" >&2
    exit 64
    ;;
esac
