/*
 * quota_result.h - one operation's result as the error that its own method would have given.
 */
#ifndef CLIENT_QUOTA_RESULT_H
#define CLIENT_QUOTA_RESULT_H

#include "core/error.h"
#include "metercache/v1/quota.pb-c.h"

/* The result's status; `err` is filled unless that is ST_OK. A code that is not known here
 * becomes ST_UNKNOWN. */
enum status client_quota_result_error(struct error *err,
                                      const Metercache__V1__OperationResult *result);

#endif /* CLIENT_QUOTA_RESULT_H */
