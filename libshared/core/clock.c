#include "core/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"

static struct timespec read_clock(clockid_t id)
{
    struct timespec now;

    if (clock_gettime(id, &now) != 0)
        log_abort("clock_gettime failed", errno);
    return now;
}

int64_t clock_wall_us(void)
{
    struct timespec now = read_clock(CLOCK_REALTIME);

    return (int64_t)now.tv_sec * CLOCK_US_PER_SECOND + now.tv_nsec / 1000;
}

uint64_t clock_mono_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);

    return (uint64_t)now.tv_sec * (uint64_t)CLOCK_US_PER_SECOND +
           (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_deadline_ms(uint64_t timeout_ms)
{
    uint64_t now_us = clock_mono_us();

    if (timeout_ms > (UINT64_MAX - now_us) / (uint64_t)CLOCK_US_PER_MS)
        return UINT64_MAX;
    return now_us + timeout_ms * (uint64_t)CLOCK_US_PER_MS;
}

uint64_t clock_left_ms(uint64_t deadline_us)
{
    uint64_t now_us = clock_mono_us();

    if (deadline_us <= now_us)
        return 0;
    return (deadline_us - now_us - 1) / (uint64_t)CLOCK_US_PER_MS + 1;
}

struct timespec clock_timespec(uint64_t mono_us)
{
    return (struct timespec){
        .tv_sec = (time_t)(mono_us / (uint64_t)CLOCK_US_PER_SECOND),
        .tv_nsec = (long)(mono_us % (uint64_t)CLOCK_US_PER_SECOND) * 1000,
    };
}

void clock_format_utc(char out[CLOCK_TEXT_SIZE], int64_t unix_us)
{
    int64_t seconds = unix_us / CLOCK_US_PER_SECOND;
    int64_t micros = unix_us % CLOCK_US_PER_SECOND;
    /* Longer than the range of int64_t needs, so that the compiler sees no overrun. */
    char text[96] = "";
    struct tm utc;
    time_t time;

    if (micros < 0) {
        micros += CLOCK_US_PER_SECOND;
        seconds--;
    }
    time = (time_t)seconds;
    gmtime_r(&time, &utc);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900,
             utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)micros);
    memcpy(out, text, CLOCK_TEXT_SIZE - 1);
    out[CLOCK_TEXT_SIZE - 1] = '\0';
}
