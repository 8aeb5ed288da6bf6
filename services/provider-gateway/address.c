#include "address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "core/base.h"

struct range4 {
    uint32_t network;
    unsigned prefix;
};

struct range6 {
    uint8_t network[16];
    unsigned prefix;
};

#define IP(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

// clang-format off
static const struct range4 REFUSED4[] = {
    {IP(0, 0, 0, 0), 8},      {IP(10, 0, 0, 0), 8},      {IP(100, 64, 0, 0), 10},
    {IP(127, 0, 0, 0), 8},    {IP(169, 254, 0, 0), 16},  {IP(172, 16, 0, 0), 12},
    {IP(192, 0, 0, 0), 24},   {IP(192, 0, 2, 0), 24},    {IP(192, 168, 0, 0), 16},
    {IP(198, 18, 0, 0), 15},  {IP(198, 51, 100, 0), 24}, {IP(203, 0, 113, 0), 24},
    {IP(224, 0, 0, 0), 4},    {IP(240, 0, 0, 0), 4},
};
static const struct range6 REFUSED6[] = {
    {{0}, 96},                     /* ::, ::1 and the old IPv4-compatible form */
    {{0x01}, 64},                  /* discard only */
    {{0x20, 0x01, 0x00, 0x00}, 23},/* protocol assignments, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},/* documentation */
    {{0x20, 0x02}, 16},            /* 6to4: an IPv4 address inside */
    {{0xfc}, 7},                   /* unique local */
    {{0xfe, 0x80}, 10},            /* link-local */
    {{0xfe, 0xc0}, 10},            /* site-local */
    {{0xff}, 8},                   /* multicast */
};
/* Ranges whose last four bytes are an IPv4 address. */
static const struct range6 EMBEDS4[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96},
    {{0x00, 0x64, 0xff, 0x9b}, 96},
};
// clang-format on

static bool is_loopback4(uint32_t address)
{
    return address >> 24 == 127;
}

static bool may_dial4(uint32_t address, bool to_loopback)
{
    if (to_loopback)
        return is_loopback4(address);
    for (size_t i = 0; i < COUNT_OF(REFUSED4); i++) {
        if ((address ^ REFUSED4[i].network) >> (32 - REFUSED4[i].prefix) == 0)
            return false;
    }
    return true;
}

static bool in_range6(const uint8_t address[16], const struct range6 *range)
{
    size_t whole = range->prefix / 8;
    unsigned rest = range->prefix % 8;

    if (memcmp(address, range->network, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ range->network[whole]) >> (8 - rest) == 0;
}

static bool may_dial6(const uint8_t address[16], bool to_loopback)
{
    static const uint8_t LOOPBACK[16] = {[15] = 1};

    for (size_t i = 0; i < COUNT_OF(EMBEDS4); i++) {
        if (in_range6(address, &EMBEDS4[i]))
            return may_dial4(IP(address[12], address[13], address[14], address[15]),
                             to_loopback);
    }
    if (to_loopback)
        return memcmp(address, LOOPBACK, sizeof(LOOPBACK)) == 0;
    for (size_t i = 0; i < COUNT_OF(REFUSED6); i++) {
        if (in_range6(address, &REFUSED6[i]))
            return false;
    }
    return true;
}

bool address_may_dial(const struct sockaddr *address, size_t size, bool to_loopback)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET && size >= sizeof(v4)) {
        memcpy(&v4, address, sizeof(v4));
        return may_dial4(ntohl(v4.sin_addr.s_addr), to_loopback);
    }
    if (address->sa_family == AF_INET6 && size >= sizeof(v6)) {
        memcpy(&v6, address, sizeof(v6));
        return may_dial6(v6.sin6_addr.s6_addr, to_loopback);
    }
    return false;
}
