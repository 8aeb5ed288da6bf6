#include "quota_words.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/parse.h"

/* By number. */
static const char *const SCOPES[] = {
    [METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_UNSPECIFIED] = "-",
    [METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER] = "meter",
    [METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_USER] = "user",
    [METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_ENDPOINT] = "endpoint",
    [METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_TENANT] = "tenant",
    [METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_INTERACTIVE_SHARE] = "share",
    [METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_COOLDOWN] = "cooldown",
};

static const char *const MODES[] = {
    [METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_UNSPECIFIED] = "-",
    [METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_HARD] = "hard",
    [METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_SOFT] = "soft",
    [METERCACHE__V1__LIMIT_MODE__LIMIT_MODE_SHADOW] = "shadow",
};

/* The word's place from 1 on; 0 when it is none of them. */
static size_t find_word(const char *const *words, size_t count, const char *text)
{
    for (size_t i = 1; i < count; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
    }
    return 0;
}

enum status quota_words_scope(Metercache__V1__LimitScope *out, const char *what,
                              const char *text, struct error *err)
{
    size_t found = find_word(SCOPES, COUNT_OF(SCOPES), text);

    if (found == 0)
        return cli_usage(err,
                         "%s wants meter, user, endpoint, tenant, share or cooldown, not "
                         "'%s'",
                         what, text);
    *out = (Metercache__V1__LimitScope)found;
    return ST_OK;
}

const char *quota_words_scope_name(Metercache__V1__LimitScope scope)
{
    return (size_t)scope < COUNT_OF(SCOPES) ? SCOPES[scope] : "-";
}

enum status quota_words_mode(Metercache__V1__LimitMode *out, const char *what,
                             const char *text, struct error *err)
{
    size_t found = find_word(MODES, COUNT_OF(MODES), text);

    if (found == 0)
        return cli_usage(err, "%s wants hard, soft or shadow, not '%s'", what, text);
    *out = (Metercache__V1__LimitMode)found;
    return ST_OK;
}

enum status quota_words_credits(int64_t *out, const char *what, const char *text,
                                struct error *err)
{
    if (!parse_milli(out, text))
        return cli_usage(err,
                         "%s wants credits such as 12 or 0.015, with at most three "
                         "decimals, not '%s'",
                         what, text);
    return ST_OK;
}

enum status quota_words_op_id(struct op_id *out, const char *what, const char *text,
                              struct error *err)
{
    if (!op_id_parse(out, text))
        return cli_usage(err, "%s wants a UUID, not '%s'", what, text);
    return ST_OK;
}

enum status quota_words_percents(uint32_t out[QUOTA_WORDS_PERCENTS_MAX], size_t *count,
                                 const char *what, const char *text, struct error *err)
{
    const char *rest = text;

    *count = 0;
    for (;;) {
        size_t size = strcspn(rest, ",");
        char word[8];
        uint64_t percent;

        snprintf(word, sizeof(word), "%.*s", (int)size, rest);
        if (size >= sizeof(word) || !parse_u64(&percent, word, 1, 100) ||
            *count == QUOTA_WORDS_PERCENTS_MAX)
            return cli_usage(err,
                             "%s wants up to %d numbers from 1 to 100 such as 50,80, not "
                             "'%s'",
                             what, QUOTA_WORDS_PERCENTS_MAX, text);
        out[(*count)++] = (uint32_t)percent;
        if (rest[size] == '\0')
            return ST_OK;
        rest += size + 1;
    }
}
