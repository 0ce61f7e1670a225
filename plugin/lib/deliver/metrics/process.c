// SPDX-License-Identifier: Apache-2.0
#include "deliver/metrics/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/resource.h>

#include "base/clock.h"

/* Fields of /proc/self/stat behind the name, which may hold blanks and brackets. */
static bool read_stat(struct mrl_process *process)
{
    FILE *file = fopen("/proc/self/stat", "re");
    char line[1024] = "";
    const char *rest;
    uint64_t start_ticks, resident_pages;
    int read = 0;

    if (!file)
        return false;
    rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    fclose(file);
    if (rest)
        read = sscanf(rest,
                      ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                      "%" SCNu64 " %*d %" SCNu64 " %" SCNu64 " %" SCNu64,
                      &process->threads, &start_ticks, &process->virtual_bytes, &resident_pages);
    if (read != 4)
        return false;
    process->resident_bytes = resident_pages * (uint64_t)sysconf(_SC_PAGESIZE);
    process->start_ns = (uint64_t)(mrl_clock__ns(CLOCK_REALTIME) - mrl_clock__boot_ns()) +
                        start_ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
    return true;
}

static bool count_files(uint64_t *ret_count)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;

    if (!directory)
        return false;
    *ret_count = 0;
    while ((entry = readdir(directory)))
        *ret_count += *entry->d_name != '.';
    closedir(directory);
    --*ret_count; /* the directory's own */
    return true;
}

static uint64_t us(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

bool mrl_process__look(struct mrl_process *ret_process)
{
    struct rusage usage;
    struct rlimit files;

    if (getrusage(RUSAGE_SELF, &usage) || getrlimit(RLIMIT_NOFILE, &files))
        return false;
    ret_process->cpu_us = us(&usage.ru_utime) + us(&usage.ru_stime);
    ret_process->max_fds = files.rlim_cur;
    return read_stat(ret_process) && count_files(&ret_process->open_fds);
}
