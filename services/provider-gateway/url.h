/*
 * url.h - builds request URLs: a checked base from the settings, encoded values behind it.
 *
 * Whatever comes from a user goes through url_segment or url_query, which leave only
 * unreserved characters (RFC 3986) as they are. Pure.
 */
#ifndef GATEWAY_URL_H
#define GATEWAY_URL_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/error.h"

#define URL_SIZE_MAX 4096

/*
 * Accept "https://host[:port][/path]"; with `loopback_allowed` also http and https to
 * 127.0.0.1, [::1] or localhost, and *is_loopback says that it is one. ST_INVALID else.
 * User names, queries and fragments are refused.
 */
MUST_USE enum status url_check_base(bool *is_loopback, const char *base,
                                    bool loopback_allowed, struct error *err);

void url_begin(struct buf *url, const char *base, const char *path);  /* both trusted */
void url_path(struct buf *url, const char *path);                     /* trusted */
void url_segment(struct buf *url, const char *value);                 /* "/" + encoded */
void url_query(struct buf *url, const char *name, const char *value); /* name trusted */

#endif /* GATEWAY_URL_H */
