/*
 * quota_answer_rpc.h - the core's answers as messages and errors.
 *
 * Threads: any; no state.
 */
#ifndef QUOTA_ANSWER_RPC_H
#define QUOTA_ANSWER_RPC_H

#include "answer.h"
#include "core/arena.h"
#include "core/error.h"
#include "forecast.h"
#include "metercache/v1/quota.pb-c.h"
#include "quota_core.h"

/* Texts are borrowed from the meter's row. */
void quota_answer_meter_state(Metercache__V1__MeterState *out,
                              const struct quota_meter_view *view);

void quota_answer_forecast(Metercache__V1__Forecast *out, const struct forecast *forecast);

/* ST_OK for QUOTA_DONE; else the error that the caller gets: of a refusal with every limit
 * that was hit, what is left and when it resets. `op` as it was judged. */
MUST_USE enum status quota_answer_status(const struct quota_op *op,
                                         const struct quota_answer *answer, int64_t now_us,
                                         struct error *err);

/* The answer's hits as messages; NULL when the arena is full. */
Metercache__V1__LimitHit **quota_answer_hits(const struct quota_op *op,
                                             const struct quota_answer *answer,
                                             struct arena *arena);

#endif /* QUOTA_ANSWER_RPC_H */
