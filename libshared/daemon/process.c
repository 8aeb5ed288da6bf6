#include "daemon/process.h"

#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "daemon/build_info.h"

#define DESCRIPTORS_MAX 65536u
/* Up to here free memory is kept for the next request: giving it back and touching it anew
 * (a page fault a page) took a third of a busy service's time. */
#define KEPT_BYTES (16 * 1024 * 1024)

void process_harden(void)
{
    struct rlimit limit = {.rlim_cur = 0, .rlim_max = 0};

    (void)setrlimit(RLIMIT_CORE, &limit);
    if (strcmp(build_info_mode(), "release") == 0)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_MAX)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

void process_keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}
