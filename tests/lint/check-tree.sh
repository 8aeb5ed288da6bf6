#!/bin/sh
# The top level is fixed; migrations are numbered without gaps.
set -eu

status=0
for path in * .[!.]*; do
    case $path in
    README.md | Makefile | docker-compose.yml | LICENSE | proto | migrations | libshared | services | tests) ;;
    .ci | .clang-format | .clang-tidy | .editorconfig | .gitignore | .dockerignore | .git | build) ;;
    *)
        git check-ignore -q "$path" 2>/dev/null && continue
        echo "$path:1: does not belong at the top of the tree"
        status=1
        ;;
    esac
done

expected=1
for file in migrations/[0-9]*.sql; do
    [ -e "$file" ] || break
    case ${file#migrations/} in
    "$(printf %04d $expected)"_[a-z]*) ;;
    *)
        echo "$file:1: the next migration's name starts with $(printf %04d_ $expected)"
        status=1
        ;;
    esac
    expected=$((expected + 1))
done
exit $status
