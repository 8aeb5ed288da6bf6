#include "support/machine.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

#define SYNCS       200
#define SYNC_BYTES  8192
#define STAT_PARENT 1 /* fields of /proc/PID/stat, from the one behind the name on */
#define STAT_UTIME  11
#define STAT_STIME  12
#define STAT_FIELDS 13

/* Numbers of /proc/PID/stat behind the name. False: no such process. */
static int read_stat(pid_t pid, uint64_t fields[STAT_FIELDS])
{
    char path[64];
    char text[1024] = "";
    char *at;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    at = fgets(text, sizeof(text), file) == NULL ? NULL : strrchr(text, ')');
    (void)fclose(file);
    if (at == NULL)
        return 0;
    at += 3; /* ") S" */
    fields[0] = 0;
    for (int i = 1; i < STAT_FIELDS; i++)
        fields[i] = strtoull(at, &at, 10);
    return 1;
}

static uint64_t ticks_us(const uint64_t fields[STAT_FIELDS])
{
    uint64_t ticks = fields[STAT_UTIME] + fields[STAT_STIME];

    return ticks * CLOCK_US_PER_SECOND / (uint64_t)sysconf(_SC_CLK_TCK);
}

uint64_t machine_cpu_us(pid_t pid)
{
    uint64_t fields[STAT_FIELDS];

    return read_stat(pid, fields) ? ticks_us(fields) : 0;
}

uint64_t machine_cpu_with_children_us(pid_t pid)
{
    uint64_t sum = machine_cpu_us(pid);
    DIR *folder = opendir("/proc");
    const struct dirent *entry;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        uint64_t fields[STAT_FIELDS];
        pid_t child = (pid_t)strtol(entry->d_name, NULL, 10);

        if (child > 0 && read_stat(child, fields) && (pid_t)fields[STAT_PARENT] == pid)
            sum += ticks_us(fields);
    }
    if (folder != NULL)
        (void)closedir(folder);
    return sum;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

uint64_t machine_fdatasync_us(const char *folder)
{
    static const char block[SYNC_BYTES];
    uint64_t took_us[SYNCS];
    char path[512];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/fdatasync-%d", folder, (int)getpid());
    fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;
    for (int i = 0; i < SYNCS; i++) {
        uint64_t from_us = clock_mono_us();

        if (pwrite(fd, block, sizeof(block), (off_t)i * SYNC_BYTES) != SYNC_BYTES ||
            fdatasync(fd) != 0)
            from_us = clock_mono_us();
        took_us[i] = clock_mono_us() - from_us;
    }
    (void)close(fd);
    (void)unlink(path);
    qsort(took_us, SYNCS, sizeof(took_us[0]), compare);
    return took_us[SYNCS / 2];
}
