#include "support/expect.h"

#include <string.h>

#include "core/thread.h"

#define POLL_MS 10

void expect_status(enum status status, const struct error *err, enum status wanted,
                   const char *file, int line)
{
    if (status == wanted)
        return;
    print_error("%s instead of %s", status_name(status), status_name(wanted));
    if (status != ST_OK)
        print_error(": %s (reason '%s', field '%s')", err->message, err->reason,
                    err->field);
    print_error("\n");
    _fail(file, line);
}

void expect_field(const struct error *err, const char *wanted, const char *file, int line)
{
    if (strncmp(err->field, wanted, strlen(wanted)) == 0)
        return;
    print_error("the error names the field '%s' instead of '%s': %s\n", err->field, wanted,
                err->message);
    _fail(file, line);
}

void expect_time_left(uint64_t deadline_us, const char *what, const char *file, int line)
{
    if (clock_mono_us() >= deadline_us) {
        print_error("in vain waited for: %s\n", what);
        _fail(file, line);
    }
    thread_pause_ms(POLL_MS);
}
