#include "periods.h"

#include <assert.h>
#include <stdbool.h>

#define DAY_US 86400000000LL
/* Months are counted from January 1600, where the 400-year cycle of leap years begins. */
#define BASE_YEAR         1600
#define BASE_DAYS_TO_1970 135140
#define MONTHS_PER_CYCLE  4800
#define DAYS_PER_CYCLE    146097

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t month_days(int64_t month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (month % 12 == 1 && is_leap(BASE_YEAR + month / 12))
        return 29;
    return days[month % 12];
}

/* Days from 1600-01-01 to the first of the month. */
static int64_t month_first_day(int64_t month)
{
    static const uint16_t before[12] = {0,   31,  59,  90,  120, 151,
                                        181, 212, 243, 273, 304, 334};
    int64_t years = month / 12;
    int64_t leap_days = (years + 3) / 4 - (years + 99) / 100 + (years + 399) / 400;

    if (month % 12 > 1 && is_leap(BASE_YEAR + years))
        leap_days++;
    return years * 365 + leap_days + before[month % 12];
}

static int64_t month_of_day(int64_t day)
{
    int64_t month = day * MONTHS_PER_CYCLE / DAYS_PER_CYCLE; /* off by one at most */

    while (month_first_day(month) > day)
        month--;
    while (month_first_day(month + 1) <= day)
        month++;
    return month;
}

static int64_t boundary_us(unsigned anchor_day, int64_t month)
{
    int64_t length = month_days(month);
    int64_t day = anchor_day < length ? anchor_day : length;

    return (month_first_day(month) + day - 1 - BASE_DAYS_TO_1970) * DAY_US;
}

struct period periods_containing(unsigned anchor_day, int64_t at_us)
{
    int64_t month;

    assert(anchor_day >= 1 && anchor_day <= PERIODS_ANCHOR_MAX && at_us >= 0);
    month = month_of_day(at_us / DAY_US + BASE_DAYS_TO_1970);
    if (at_us < boundary_us(anchor_day, month))
        month--;
    return (struct period){boundary_us(anchor_day, month),
                           boundary_us(anchor_day, month + 1)};
}

struct period periods_from(unsigned anchor_day, int64_t start_us)
{
    return (struct period){start_us, periods_containing(anchor_day, start_us).end_us};
}
