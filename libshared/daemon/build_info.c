#include "daemon/build_info.h"

/* The Makefile gives them; a tool that reads this file alone does not. */
#ifndef METERCACHE_VERSION
#define METERCACHE_VERSION    "unknown"
#define METERCACHE_REVISION   ""
#define METERCACHE_BUILD_MODE "unknown"
#endif

const char *build_info_version(void)
{
    return METERCACHE_VERSION;
}

const char *build_info_revision(void)
{
    return METERCACHE_REVISION;
}

const char *build_info_mode(void)
{
    return METERCACHE_BUILD_MODE;
}
