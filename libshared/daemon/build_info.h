/*
 * build_info.h - which build this is. Its .c is the only file compiled with the version.
 */
#ifndef DAEMON_BUILD_INFO_H
#define DAEMON_BUILD_INFO_H

const char *build_info_version(void);  /* "0.1.0" */
const char *build_info_revision(void); /* of the source tree; "" when not known */
const char *build_info_mode(void);     /* "release", "debug", "asan", ... */

#endif /* DAEMON_BUILD_INFO_H */
