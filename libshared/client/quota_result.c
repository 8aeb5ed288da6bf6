#include "client/quota_result.h"

enum status client_quota_result_error(struct error *err,
                                      const Metercache__V1__OperationResult *result)
{
    enum status st =
        result->code > INT32_MAX ? ST_UNKNOWN : status_from_wire((int)result->code);

    if (st == ST_OK)
        return st;
    if (result->field[0] != '\0')
        error_field(err, result->field, "%s", result->message);
    else
        error_set(err, st, "%s", result->message);
    err->status = st;
    error_reason(err, result->reason);
    err->retry_after_ms = result->retry_after_ms;
    for (size_t i = 0; i < result->n_violations; i++)
        error_add_violation(err, result->violations[i]->name,
                            result->violations[i]->left_milli,
                            result->violations[i]->resets_at_us);
    return st;
}
