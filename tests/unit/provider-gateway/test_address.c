/* Which addresses the gateway may dial. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "address.h"
#include "core/base.h"

static bool may_dial(const char *text, bool to_loopback)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return address_may_dial((struct sockaddr *)&v4, sizeof(v4), to_loopback);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return address_may_dial((struct sockaddr *)&v6, sizeof(v6), to_loopback);
}

static const char *const PUBLIC[] = {"8.8.8.8",         "100.63.255.255", "100.128.0.0",
                                     "172.15.0.1",      "172.32.0.1",     "192.167.1.1",
                                     "198.17.0.1",      "198.20.0.1",     "223.255.255.255",
                                     "2606:4700::1111", "2a00:1450::1",   "::ffff:8.8.8.8",
                                     "64:ff9b::808:808"};
static const char *const PRIVATE[] = {"0.0.0.0",
                                      "10.1.2.3",
                                      "100.64.0.1",
                                      "169.254.169.254",
                                      "172.16.0.1",
                                      "172.31.255.255",
                                      "192.0.0.1",
                                      "192.168.0.1",
                                      "198.18.0.1",
                                      "224.0.0.1",
                                      "240.0.0.1",
                                      "255.255.255.255",
                                      "::",
                                      "::ffff:10.0.0.1",
                                      "::ffff:169.254.169.254",
                                      "::10.0.0.1",
                                      "64:ff9b::a00:1",
                                      "fc00::1",
                                      "fd12::1",
                                      "fe80::1",
                                      "fec0::1",
                                      "ff02::1",
                                      "2002:a00:1::",
                                      "2001::1",
                                      "2001:db8::1",
                                      "100::1"};
static const char *const LOOPBACK[] = {"127.0.0.1", "127.255.0.1", "::1",
                                       "::ffff:127.0.0.1"};

static void test_may_dial_public_addresses_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(PUBLIC); i++) {
        if (!may_dial(PUBLIC[i], false))
            fail_msg("%s was refused", PUBLIC[i]);
    }
    for (size_t i = 0; i < COUNT_OF(PRIVATE); i++) {
        if (may_dial(PRIVATE[i], false))
            fail_msg("%s was allowed", PRIVATE[i]);
    }
    for (size_t i = 0; i < COUNT_OF(LOOPBACK); i++) {
        if (may_dial(LOOPBACK[i], false))
            fail_msg("%s was allowed", LOOPBACK[i]);
    }
}

static void test_may_dial_loopback_request_goes_nowhere_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(LOOPBACK); i++)
        assert_true(may_dial(LOOPBACK[i], true));
    for (size_t i = 0; i < COUNT_OF(PUBLIC); i++)
        assert_false(may_dial(PUBLIC[i], true));
    for (size_t i = 0; i < COUNT_OF(PRIVATE); i++)
        assert_false(may_dial(PRIVATE[i], true));
}

static void test_may_dial_other_families_and_short_addresses_refused(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    (void)state;
    v4.sin_addr.s_addr = htonl(0x08080808);
    assert_false(address_may_dial((struct sockaddr *)&un, sizeof(un), false));
    assert_false(address_may_dial((struct sockaddr *)&v4, sizeof(v4) - 1, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_may_dial_public_addresses_alone),
        cmocka_unit_test(test_may_dial_loopback_request_goes_nowhere_else),
        cmocka_unit_test(test_may_dial_other_families_and_short_addresses_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
