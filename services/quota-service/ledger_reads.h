/*
 * ledger_reads.h - questions to the ledger for callers who wait for the answer.
 *
 * Apart from the writer's client (ledger_client_rpc.h): what is read here neither delays a
 * batch nor knows the writer's state, and any instance may read, the writer or not. A
 * question is asked for as long as its caller has left, again after failures.
 *
 * Threads: any number may ask at once. Blocks: from workers only.
 */
#ifndef LEDGER_READS_H
#define LEDGER_READS_H

#include "rpc/client.h"
#include "rpc/method.h"

struct ledger_reads;

struct ledger_reads_options {
    const char *url;
    const char *token;
    const char *tls_ca_file; /* with tls+tcp://; NULL or "" else */
    const char *tls_cert_file;
    const char *tls_key_file;
};

MUST_USE enum status ledger_reads_open(struct ledger_reads **out,
                                       const struct ledger_reads_options *options,
                                       struct error *err);
void ledger_reads_close(struct ledger_reads *reads); /* accepts NULL */

/* A method of LedgerService that only reads. */
struct ledger_question {
    const char *method; /* "/metercache.v1.LedgerService/ListAlerts" */
    const ProtobufCMessageDescriptor *reply_type;
};

/* Ask on behalf of `call`; the reply lives in its arena. Errors are the ledger's own, but
 * that it refuses us is no fault of the caller: ST_UNAVAILABLE. */
MUST_USE enum status ledger_reads_ask(struct ledger_reads *reads,
                                      const struct rpc_call *call,
                                      const struct ledger_question *question,
                                      const ProtobufCMessage *request,
                                      ProtobufCMessage **reply, struct error *err);

#endif /* LEDGER_READS_H */
