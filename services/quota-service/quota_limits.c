#include "quota_limits.h"

#include <assert.h>
#include <string.h>

#include "core/siphash.h"

/* Subjects come from services we trust: the key only spreads. */
static const uint64_t HASH_KEY[2] = {0x6c696d69747321, 0x6d657465726361};

static uint32_t hash_key(enum limit_scope scope, uint32_t meter, enum limit_mode mode,
                         const char *subject, size_t size)
{
    uint64_t hash = siphash_bytes(HASH_KEY, subject, size);

    hash += (uint64_t)scope * 31 + (uint64_t)meter * 1009 + (uint64_t)mode * 7;
    return (uint32_t)((hash * 0x9e3779b97f4a7c15u) >> 32);
}

void limits_init(struct limits *limits)
{
    slot_index_init(&limits->index, LIMITS_MAX);
    limits_clear(limits);
}

void limits_done(struct limits *limits)
{
    slot_index_done(&limits->index);
}

void limits_clear(struct limits *limits)
{
    slot_index_clear(&limits->index);
    memset(limits->modes, 0, sizeof(limits->modes));
    memset(limits->is_counted, 0, sizeof(limits->is_counted));
    limits->count = 0;
    limits->version = 0;
}

const struct limit_rule *limits_find(const struct limits *limits, enum limit_scope scope,
                                     uint32_t meter, enum limit_mode mode,
                                     const char *subject, size_t subject_size)
{
    uint32_t hash = hash_key(scope, meter, mode, subject, subject_size);
    uint32_t at;

    for (uint32_t slot = slot_index_first(&limits->index, hash, &at);
         slot != SLOT_INDEX_NONE; slot = slot_index_next(&limits->index, hash, &at)) {
        const struct limit_rule *rule = &limits->rules[slot];

        if (rule->scope == scope && rule->meter == meter && rule->mode == mode &&
            rule->subject_size == subject_size &&
            memcmp(rule->subject, subject, subject_size) == 0)
            return rule;
    }
    return NULL;
}

bool limits_put(struct limits *limits, const struct limit_rule *rule)
{
    const struct limit_rule *former = limits_find(
        limits, rule->scope, rule->meter, rule->mode, rule->subject, rule->subject_size);
    uint32_t slot = former != NULL ? (uint32_t)(former - limits->rules) : limits->count;

    assert(rule->meter < METERS_MAX && rule->scope < LIMIT_SCOPES);
    if (slot == LIMITS_MAX)
        return false;
    limits->rules[slot] = *rule;
    if (former == NULL) {
        limits->count++;
        slot_index_add(&limits->index, slot,
                       hash_key(rule->scope, rule->meter, rule->mode, rule->subject,
                                rule->subject_size));
    }
    limits->modes[rule->meter][rule->scope] |= (uint8_t)(1u << rule->mode);
    limits->is_counted[rule->meter][rule->scope] = true;
    if (rule->version > limits->version)
        limits->version = rule->version;
    return true;
}

const struct limit_rule *limits_of_meter(const struct limits *limits, uint32_t meter)
{
    const struct limit_rule *rule =
        limits_find(limits, LIMIT_METER, meter, LIMIT_HARD, "", 0);

    assert(rule != NULL);
    return rule;
}

/* A rule of the subject, else the one for each; NULL when there is none in force. */
static const struct limit_rule *rule_for(const struct limits *limits,
                                         enum limit_scope scope, uint32_t meter,
                                         enum limit_mode mode, const char *subject,
                                         size_t size)
{
    const struct limit_rule *rule = limits_find(limits, scope, meter, mode, subject, size);

    if ((rule == NULL || rule->is_removed) && size > 0)
        rule = limits_find(limits, scope, meter, mode, "", 0);
    return rule != NULL && !rule->is_removed ? rule : NULL;
}

/* What the meter has beyond what is kept for interactive work. */
static int64_t beyond(const struct limits *limits, uint32_t meter, int64_t kept_milli)
{
    int64_t limit_milli = limits_of_meter(limits, meter)->amount_milli;

    return limit_milli > kept_milli ? limit_milli - kept_milli : 0;
}

void limits_allowed(const struct limits *limits, enum limit_scope scope, uint32_t meter,
                    const char *subject, size_t subject_size, struct limit_amounts *out)
{
    for (unsigned mode = LIMIT_HARD; mode < LIMIT_MODES; mode++) {
        const struct limit_rule *rule = NULL;

        out->milli[mode] = LIMIT_NONE;
        if ((limits->modes[meter][scope] & (1u << mode)) != 0)
            rule = rule_for(limits, scope, meter, (enum limit_mode)mode, subject,
                            subject_size);
        if (rule != NULL)
            out->milli[mode] = scope == LIMIT_SHARE
                                   ? beyond(limits, meter, rule->amount_milli)
                                   : rule->amount_milli;
    }
}

const struct limit_rule *limits_cooldown(const struct limits *limits, uint32_t meter,
                                         enum limit_mode mode, const char *key,
                                         size_t key_size)
{
    if ((limits->modes[meter][LIMIT_COOLDOWN] & (1u << mode)) == 0)
        return NULL;
    for (size_t size = key_size < LIMIT_SUBJECT_MAX ? key_size : LIMIT_SUBJECT_MAX;;
         size--) {
        const struct limit_rule *rule =
            limits_find(limits, LIMIT_COOLDOWN, meter, mode, key, size);

        if (rule != NULL && !rule->is_removed)
            return rule;
        if (size == 0)
            return NULL;
    }
}
