/*
 * migrate_command.h - `cache-service migrate`: the schema brought up to date as its owner.
 */
#ifndef CACHE_MIGRATE_COMMAND_H
#define CACHE_MIGRATE_COMMAND_H

/* `config` is a struct cache_config. Exit status: 0 done, 78 wrong settings or a schema
 * that this binary does not know, 70 anything else. */
int migrate_command(const void *config);

#endif /* CACHE_MIGRATE_COMMAND_H */
