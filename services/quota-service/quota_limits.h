/*
 * quota_limits.h - the rules in force, and what they allow whom.
 *
 * A rule is one amount for a scope, meter, subject and mode; there is at most one of each.
 * A rule of a subject goes before the one for each subject ("" as subject), mode by mode.
 * Every meter has a HARD rule: the one of the settings until an admin sets another.
 *
 * Rules that were removed stay as rows without an amount: a scope of a meter that was ever
 * limited is counted on, so that its counters stay true (counters.h).
 *
 * Fixed pool with an index; no allocation after limits_init. Not locked.
 */
#ifndef QUOTA_LIMITS_H
#define QUOTA_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base.h"
#include "meters.h"
#include "slot_index.h"

/* The numbers are metercache.v1.LimitScope's and LimitMode's. */
enum limit_scope {
    LIMIT_METER = 1,
    LIMIT_USER = 2,
    LIMIT_ENDPOINT = 3,
    LIMIT_TENANT = 4,
    LIMIT_SHARE = 5, /* kept for interactive work; its counter counts the scheduled */
    LIMIT_COOLDOWN = 6,
};
#define LIMIT_SCOPES 7 /* scopes index arrays of this size */

enum limit_mode { LIMIT_HARD = 1, LIMIT_SOFT = 2, LIMIT_SHADOW = 3 };
#define LIMIT_MODES 4

#ifndef LIMITS_MAX      /* the simulator's is smaller */
#define LIMITS_MAX 1024 /* rules, those of the settings included */
#endif
#define LIMIT_SUBJECT_MAX     96
#define LIMIT_NAME_MAX        64
#define LIMIT_REASON_MAX      200
#define LIMIT_THRESHOLDS_MAX  8
#define LIMIT_AMOUNT_MAX      1000000000000000LL /* milli-credits */
#define LIMIT_COOLDOWN_MIN_US 1000000LL
#define LIMIT_COOLDOWN_MAX_US (31LL * 86400 * 1000000)
#define LIMIT_NONE            (-1)

struct limit_rule {
    enum limit_scope scope;
    enum limit_mode mode;
    uint32_t meter;
    int64_t amount_milli; /* SHARE: kept; COOLDOWN: 0 */
    int64_t cooldown_us;  /* COOLDOWN */
    uint8_t anchor_day;   /* METER, HARD: 1 to 31 */
    uint8_t threshold_count;
    uint8_t thresholds[LIMIT_THRESHOLDS_MAX]; /* METER, HARD: per cent, ascending */
    bool is_removed;
    uint64_t version; /* of the set, by this change; 0: from the settings */
    int64_t set_at_us;
    uint16_t subject_size;
    char subject[LIMIT_SUBJECT_MAX + 1];
    char set_by[LIMIT_NAME_MAX + 1];
    char reason[LIMIT_REASON_MAX + 1];
};

/* What a subject may use, by mode; LIMIT_NONE: no such rule. */
struct limit_amounts {
    int64_t milli[LIMIT_MODES];
};

struct limits {
    struct limit_rule rules[LIMITS_MAX];
    uint32_t count;
    struct slot_index index;
    uint8_t modes[METERS_MAX][LIMIT_SCOPES]; /* bits of modes with any rule */
    bool is_counted[METERS_MAX][LIMIT_SCOPES];
    uint64_t version;
};

void limits_init(struct limits *limits);
void limits_done(struct limits *limits);
void limits_clear(struct limits *limits);

/* Put one rule into the set, in the place of the one it replaces. False: no room. A meter's
 * HARD rule never goes: its removal is a rule with the setting's values. */
bool limits_put(struct limits *limits, const struct limit_rule *rule) MUST_USE;

/* The rule with this key, removed ones too; NULL: none. */
const struct limit_rule *limits_find(const struct limits *limits, enum limit_scope scope,
                                     uint32_t meter, enum limit_mode mode,
                                     const char *subject, size_t subject_size);
/* Of METER, always there. */
const struct limit_rule *limits_of_meter(const struct limits *limits, uint32_t meter);

/* What is allowed to a subject ("" for METER). For SHARE: to scheduled work. */
void limits_allowed(const struct limits *limits, enum limit_scope scope, uint32_t meter,
                    const char *subject, size_t subject_size, struct limit_amounts *out);

/* The longest cooldown rule whose subject the key begins with, of a mode; NULL: none. */
const struct limit_rule *limits_cooldown(const struct limits *limits, uint32_t meter,
                                         enum limit_mode mode, const char *key,
                                         size_t key_size);

#endif /* QUOTA_LIMITS_H */
