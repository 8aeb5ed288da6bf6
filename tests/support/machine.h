/*
 * machine.h - what processes use of the processor, and what the disk takes to be sure.
 */
#ifndef SUPPORT_MACHINE_H
#define SUPPORT_MACHINE_H

#include <stdint.h>
#include <sys/types.h>

/* Processor time of a process so far, user and system, in microseconds; 0: no such one. */
uint64_t machine_cpu_us(pid_t pid);
/* The same of a process and its children that live. */
uint64_t machine_cpu_with_children_us(pid_t pid);

/* The median of 200 writes of 8 KiB with fdatasync, in a file of `folder`; 0: it cannot. */
uint64_t machine_fdatasync_us(const char *folder);

#endif /* SUPPORT_MACHINE_H */
