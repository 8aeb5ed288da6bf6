/*
 * quota_answer_rpc.h - what the core decided, as replies and errors.
 */
#ifndef QUOTA_ANSWER_RPC_H
#define QUOTA_ANSWER_RPC_H

#include "core/error.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_core.h"

void quota_answer_meter_state(Metercache__V1__MeterState *out,
                              const struct quota_counter *counter);

/* ST_OK for QUOTA_DONE, else the error that says the verdict. */
enum status quota_answer_status(const struct quota_answer *answer, int64_t now_us,
                                struct error *err);

#endif /* QUOTA_ANSWER_RPC_H */
