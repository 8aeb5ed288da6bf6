/*
 * render_limits.c - the part of render_quota.h that shows rules.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "output.h"
#include "quota_words.h"
#include "render_quota.h"

#define MS_PER_SECOND 1000
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR   (60 * MS_PER_MINUTE)

/* "1h": as people write it, in the largest unit that fits without a rest. */
static struct output_text duration(uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *unit;
    } units[] = {{MS_PER_HOUR, "h"}, {MS_PER_MINUTE, "m"}, {MS_PER_SECOND, "s"}, {1, "ms"}};
    struct output_text out = {"-"};

    for (size_t i = 0; ms > 0 && i < COUNT_OF(units); i++) {
        if (ms % units[i].ms != 0)
            continue;
        snprintf(out.text, sizeof(out.text), "%" PRIu64 "%s", ms / units[i].ms,
                 units[i].unit);
        break;
    }
    return out;
}

static struct output_text percents(const Metercache__V1__Limit *limit)
{
    struct output_text out = {"-"};
    size_t used = 0;

    for (size_t i = 0; i < limit->n_threshold_percent && used + 1 < sizeof(out.text); i++)
        used += (size_t)snprintf(out.text + used, sizeof(out.text) - used, "%s%" PRIu32,
                                 i > 0 ? "," : "", limit->threshold_percent[i]);
    return out;
}

/* "each": the rule is for every subject that has none of its own. */
static const char *subject(const Metercache__V1__Limit *limit)
{
    bool has_subjects =
        limit->scope != METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_METER &&
        limit->scope != METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_INTERACTIVE_SHARE;

    if (limit->subject[0] != '\0')
        return limit->subject;
    return has_subjects ? "each" : "-";
}

static const char *mode(const Metercache__V1__Limit *limit, struct output_text *text)
{
    *text = output_enum(&metercache__v1__limit_mode__descriptor, (int)limit->mode);
    return text->text;
}

static void add_limit(struct output_table *table, const Metercache__V1__Limit *limit)
{
    bool has_credits = limit->scope != METERCACHE__V1__LIMIT_SCOPE__LIMIT_SCOPE_COOLDOWN;
    struct output_text text;

    output_table_add(table, limit->meter);
    output_table_add(table, quota_words_scope_name(limit->scope));
    output_table_add(table, subject(limit));
    output_table_add(table, mode(limit, &text));
    output_table_add(table, has_credits ? output_milli(limit->limit_milli).text : "-");
    output_table_add_count(table, limit->anchor_day > 0 ? (int64_t)limit->anchor_day : -1);
    output_table_add(table, duration(limit->cooldown_ms).text);
    output_table_add(table, percents(limit).text);
    output_table_add_count(table, (int64_t)limit->version);
    output_table_add_time(table, limit->set_at_us);
    output_table_add(table, limit->set_by[0] != '\0' ? limit->set_by : "settings");
    output_table_add(table, limit->reason);
}

void render_quota_limits(FILE *out, Metercache__V1__Limit *const *limits, size_t count)
{
    struct output_table table;

    output_table_init(&table,
                      (const char *const[]){"METER", "SCOPE", "SUBJECT", "MODE", ">CREDITS",
                                            ">ANCHOR DAY", ">COOLDOWN", "THRESHOLDS",
                                            ">VERSION", "SET AT", "BY", "REASON", NULL});
    for (size_t i = 0; i < count; i++)
        add_limit(&table, limits[i]);
    output_table_print(out, &table);
    output_table_done(&table);
}
