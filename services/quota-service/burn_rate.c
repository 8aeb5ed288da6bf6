#include "burn_rate.h"

#include <assert.h>

#define HOUR_S         3600
#define FIVE_MINUTES_S 300

#define LIMIT_MAX_MILLI 1000000000000000LL

/* What `times` the sustainable rate posts in `window_s`, rounded down. Whole and remainder
 * apart, for their product with the limit would not fit. */
static int64_t sustained_milli(const struct burn_rate_budget *budget, int64_t times,
                               int64_t window_s)
{
    int64_t period_s = (budget->period.end_us - budget->period.start_us) / 1000000;
    int64_t whole = budget->limit_milli / period_s;
    int64_t rest = budget->limit_milli % period_s;

    return whole * times * window_s + rest * times * window_s / period_s;
}

/* The least an hour posts for an alarm to begin. */
static int64_t least_milli(const struct burn_rate_budget *budget)
{
    int64_t share = budget->limit_milli / 100 * BURN_RATE_LEAST_PERCENT;
    int64_t units = budget->unit_price_milli * BURN_RATE_LEAST_UNITS;

    return share > units ? share : units;
}

static bool begins(const struct burn_rate_budget *budget, struct burn_rate_posted posted)
{
    int64_t five_minutes = sustained_milli(budget, BURN_RATE_BEGINS_TIMES, FIVE_MINUTES_S);

    return posted.hour_milli > sustained_milli(budget, BURN_RATE_BEGINS_TIMES, HOUR_S) &&
           posted.five_minutes_milli > five_minutes &&
           posted.hour_milli >= least_milli(budget);
}

static bool ends(const struct burn_rate_budget *budget, struct burn_rate_posted posted)
{
    return posted.hour_milli <= sustained_milli(budget, BURN_RATE_ENDS_TIMES, HOUR_S);
}

enum burn_rate_edge burn_rate_judge(bool *is_burning, const struct burn_rate_budget *budget,
                                    struct burn_rate_posted posted)
{
    assert(0 <= budget->limit_milli && budget->limit_milli <= LIMIT_MAX_MILLI);
    assert(0 <= budget->unit_price_milli && budget->unit_price_milli <= LIMIT_MAX_MILLI);
    assert(budget->period.end_us - budget->period.start_us >= HOUR_S * 1000000LL);
    if (*is_burning ? !ends(budget, posted) : !begins(budget, posted))
        return BURN_RATE_SAME;
    *is_burning = !*is_burning;
    return *is_burning ? BURN_RATE_BEGAN : BURN_RATE_ENDED;
}
