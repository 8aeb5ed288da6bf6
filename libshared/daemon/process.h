/*
 * process.h - what the process may do and keep, set before it reads a secret.
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

/*
 * No core dumps, and in release builds no debugger or /proc reader of the same user either,
 * for memory holds secrets; as many descriptors as the hard limit allows, up to 65,536. What
 * the kernel refuses stays as it is.
 */
void process_harden(void);

/* Keep freed memory for what comes next, within bounds, instead of giving it back at once. */
void process_keep_memory(void);

#endif /* DAEMON_PROCESS_H */
