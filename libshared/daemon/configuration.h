/*
 * configuration.h - the settings of one daemon: common rows and the service's own as one
 * list, and both config structs in one block.
 */
#ifndef DAEMON_CONFIGURATION_H
#define DAEMON_CONFIGURATION_H

#include <stddef.h>

#include "core/error.h"
#include "daemon/daemon.h"
#include "daemon/settings.h"

struct configuration {
    struct setting *rows; /* common ones first, names with the spec's prefix */
    size_t row_count;
    size_t common_count;
    void *block;                        /* what the rows' offsets count from */
    const struct daemon_config *common; /* in the block; NULL until loaded */
    const void *own;                    /* struct of the service, in the block */
};

/* The rows alone: enough for --help. Finish with configuration_done. */
void configuration_init(struct configuration *configuration,
                        const struct daemon_spec *spec);
/* ST_INVALID names the variable. Once. */
MUST_USE enum status configuration_load(struct configuration *configuration,
                                        const struct daemon_spec *spec,
                                        char *const *environment, struct error *err);
void configuration_done(struct configuration *configuration);

/* What serving needs beyond what a command does. ST_INVALID names the variable. */
MUST_USE enum status configuration_check_serving(const struct configuration *configuration,
                                                 const struct daemon_spec *spec,
                                                 struct error *err);

#endif /* DAEMON_CONFIGURATION_H */
