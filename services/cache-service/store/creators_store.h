/*
 * creators_store.h - creators, their reports, their e-mail look-ups, and what is known not
 * to exist.
 *
 * Identity is (platform, provider's user id). A handle belongs to the newest row that
 * claims it, compared without case. A key that fits no row may still be known as an alias:
 * what was once asked for, and answered with another id (an old handle, a handle given as
 * an id); find, report_find and enrichment_find follow it.
 *
 * Numbers are -1, times 0 and texts "" when unknown; an unknown value never overwrites a
 * known one, and older data never newer. Texts of a creator handed in are UTF-8 without
 * control bytes, NULL counts as "".
 *
 * Errors and threads: store.h.
 */
#ifndef STORE_CREATORS_STORE_H
#define STORE_CREATORS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "store/store.h"

struct creator {
    int platform; /* Metercache__V1__Platform, 1 to 3 */
    const char *provider_user_id;
    const char *handle; /* without '@', case as the provider gives it */
    const char *full_name;
    const char *url;
    const char *picture_url;
    int64_t followers;
    int64_t engagements;
    int64_t engagement_rate_ppm;
    int64_t average_views;
    bool is_private;
    bool is_verified;
    const char *email;
    const char *email_source; /* "report", "clay"; "" with an empty email */
    bool has_report;          /* out only: a report is stored, of whatever age */
    int64_t updated_at_us;    /* when the provider said so; decides what is newer */
};

/* One creator by id, or by handle where the id is NULL. */
struct creator_key {
    int platform;
    const char *provider_user_id;
    const char *handle;
};

/* The basic profile; *found false and *out untouched when it is not stored. */
MUST_USE enum status creators_store_find(struct creator *out, bool *found,
                                         const struct store_call *call,
                                         const struct creator_key *key, struct error *err);

/* The detailed profile. Typed fields are what is looked up or sorted by. */
struct creator_report {
    const char *document; /* JSON text; comes back byte for byte */
    size_t document_size;
    int64_t credibility_ppm; /* of the audience; -1: unknown */
    const char *gender;      /* "FEMALE" ... */
    const char *age_group;   /* "25-34" */
    const char *country;     /* "GB" */
    const char *city;
    const char *language;     /* "en" */
    const char *account_type; /* "Creator" */
    int64_t posts;            /* -1: unknown */
    int64_t fetched_at_us;
    int64_t fresh_until_us;
};

/* `with_document` false leaves document NULL: the typed fields alone are much cheaper. */
MUST_USE enum status creators_store_report_find(struct creator_report *out, bool *found,
                                                const struct store_call *call,
                                                const struct creator_key *key,
                                                bool with_document, struct error *err);

/*
 * Store a report and its creator's basic profile in one transaction. `asked` is the key the
 * report was bought for (NULL: none): it becomes an alias of the creator unless it is their
 * id or handle, and negatives of it go. ST_INVALID when the document is no JSON that
 * Postgres can keep. An older report than the stored one is dropped without an error.
 */
MUST_USE enum status creators_store_report_put(const struct store_call *call,
                                               const struct creator_key *asked,
                                               const struct creator *creator,
                                               const struct creator_report *report,
                                               struct error *err);

/* Numbers of Metercache__V1__EnrichmentState. */
enum creator_enrichment_state {
    CREATOR_ENRICHMENT_NONE = 0,
    CREATOR_ENRICHMENT_FOUND = 1,
    CREATOR_ENRICHMENT_NOT_FOUND = 2,
    CREATOR_ENRICHMENT_PENDING = 3,
};

struct creator_enrichment {
    enum creator_enrichment_state state;
    const char *email;    /* FOUND only */
    const char *provider; /* "clay" */
    const char *run_id;   /* PENDING: what to poll */
    int64_t asked_at_us;
    int64_t answered_at_us; /* 0 while PENDING */
    int64_t fresh_until_us; /* not asked again before; FOUND: not used, 0 */
};

MUST_USE enum status creators_store_enrichment_find(struct creator_enrichment *out,
                                                    bool *found,
                                                    const struct store_call *call,
                                                    const struct creator_key *key,
                                                    struct error *err);

/*
 * Store the state of a look-up (key by id only); FOUND also writes the creator's e-mail, in
 * the same transaction. An answer to an older question than the stored one is dropped.
 * ST_NOT_FOUND when the creator is not stored.
 */
MUST_USE enum status creators_store_enrichment_put(
    const struct store_call *call, const struct creator_key *key,
    const struct creator_enrichment *enrichment, struct error *err);

/* A provider's "no": kept per question, so that it is not asked, and paid, again. */
enum creator_negative_kind {
    CREATOR_NEGATIVE_REPORT = 1, /* no report for this creator */
};

struct creator_negative {
    enum creator_negative_kind kind;
    const char *reason; /* "NOT_FOUND", "PRIVATE" */
    int64_t until_us;   /* not believed from then on */
};

/*
 * The key's id, or its handle where the id is NULL. Also found when `until_us` has passed:
 * the caller compares.
 */
MUST_USE enum status creators_store_negative_find(struct creator_negative *out, bool *found,
                                                  const struct store_call *call,
                                                  const struct creator_key *key,
                                                  enum creator_negative_kind kind,
                                                  struct error *err);

/* Replaces a former one. With until_us 0 it is removed. */
MUST_USE enum status creators_store_negative_put(const struct store_call *call,
                                                 const struct creator_key *key,
                                                 const struct creator_negative *negative,
                                                 struct error *err);

#endif /* STORE_CREATORS_STORE_H */
