#include "migrate_command.h"

#include "config.h"
#include "core/log.h"
#include "daemon/daemon.h"
#include "store/migrate.h"

#define DATABASE_WAIT_MS 30000

int migrate_command(const void *argument)
{
    const struct cache_config *config = argument;
    const struct migrate_options options = {
        .conninfo = config->owner_database_url,
        .folder = config->migrations_dir,
        .wait_ms = DATABASE_WAIT_MS,
        .expected = SCHEMA_VERSIONS,
        .expected_count = SCHEMA_VERSION_COUNT,
    };
    struct migrate_outcome outcome = {0};
    struct error err = ERROR_NONE;

    if (config->owner_database_url[0] == '\0') {
        log_event(LOG_ERROR, "migration failed",
                  LOG_STR("message", "CACHE_OWNER_DATABASE_URL is not set"));
        return DAEMON_EXIT_CONFIGURATION;
    }
    enum status st = migrate_run(&outcome, &options, &err);
    if (st != ST_OK) {
        log_event(LOG_ERROR, "migration failed", LOG_STR("status", status_name(st)),
                  LOG_STR("message", err.message));
        return st == ST_PRECONDITION || st == ST_INVALID ? DAEMON_EXIT_CONFIGURATION
                                                         : DAEMON_EXIT_INTERNAL;
    }
    log_event(LOG_INFO, "schema up to date", LOG_U64("applied", outcome.applied),
              LOG_U64("files", outcome.total));
    return 0;
}
