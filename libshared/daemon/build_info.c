#include "daemon/build_info.h"

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
