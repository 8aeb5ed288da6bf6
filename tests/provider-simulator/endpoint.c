#include "endpoint.h"

static const struct {
    const char *provider;
    const char *name;
} rows[ENDPOINT_COUNT] = {
#define X(symbol, provider, name) {provider, name},
    ENDPOINTS(X)
#undef X
};

const char *endpoint_provider(enum endpoint endpoint)
{
    return rows[endpoint].provider;
}

const char *endpoint_name(enum endpoint endpoint)
{
    return rows[endpoint].name;
}
