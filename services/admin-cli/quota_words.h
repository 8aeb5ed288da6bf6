/*
 * quota_words.h - what people write for budgets: scopes, credits, op ids, percentages.
 *
 * Pure. Each reader fails with a usage error (cli_usage) that names `what`, the option or
 * argument.
 */
#ifndef ADMIN_CLI_QUOTA_WORDS_H
#define ADMIN_CLI_QUOTA_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/op_id.h"
#include "metercache/v1/quota.pb-c.h"

#define QUOTA_WORDS_PERCENTS_MAX 8

/* meter, user, endpoint, tenant, share or cooldown. */
MUST_USE enum status quota_words_scope(Metercache__V1__LimitScope *out, const char *what,
                                       const char *text, struct error *err);
const char *quota_words_scope_name(Metercache__V1__LimitScope scope); /* "-": none */

/* hard, soft or shadow. */
MUST_USE enum status quota_words_mode(Metercache__V1__LimitMode *out, const char *what,
                                      const char *text, struct error *err);

/* "12", "0.015", "-3.5": at most three decimals, as thousandths. */
MUST_USE enum status quota_words_credits(int64_t *out, const char *what, const char *text,
                                         struct error *err);

/* The text of a UUID. */
MUST_USE enum status quota_words_op_id(struct op_id *out, const char *what,
                                       const char *text, struct error *err);

/* "50,80,95": 1 to 8 numbers from 1 to 100. */
MUST_USE enum status quota_words_percents(uint32_t out[QUOTA_WORDS_PERCENTS_MAX],
                                          size_t *count, const char *what, const char *text,
                                          struct error *err);

#endif /* ADMIN_CLI_QUOTA_WORDS_H */
