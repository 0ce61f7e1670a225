// SPDX-License-Identifier: Apache-2.0
/* Producers of calls, and places for what is made of them. */
#include "bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench/program.h"

enum { CHUNK_CALLS = 5000, BLOCK_BYTES = 1 << 20, END_TRIES = 200, END_TRY_MS = 10 };

double bench_produce(void (*call)(void), int calls, int per_ms, struct bench_samples *chunk_ns)
{
    uint64_t start = bench_now_ns(), next = start, before;
    int chunk = per_ms ? per_ms : CHUNK_CALLS;

    for (int done = 0; done < calls; done += chunk) {
        before = bench_cpu_ns();
        for (int i = 0; i < chunk; i++)
            call();
        bench_samples__add(chunk_ns, (double)(bench_cpu_ns() - before) / chunk);
        next += 1000000;
        if (per_ms)
            bench_sleep_until(next);
    }
    return (double)(bench_now_ns() - start) / 1e9;
}

/* -- destinations ----------------------------------------------------------------------------- */

void bench_place__open(struct bench_place *place)
{
    const char *folder = getenv("TMPDIR");

    *place = (struct bench_place){ .reader = -1 };
    snprintf(place->folder, sizeof(place->folder), "%.40s/mrelease-bench-XXXXXX",
             folder && *folder ? folder : "/var/tmp");
    if (!mkdtemp(place->folder))
        bench_die("%s: %s", place->folder, strerror(errno));
    snprintf(place->path, sizeof(place->path), "%s/events", place->folder);
}

__attribute__((noreturn)) static void read_lines(const char *path, uint64_t *lines)
{
    static char block[BLOCK_BYTES];
    ssize_t size;
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(bench_program_cpu());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    while ((size = read(fd, block, sizeof(block))) > 0)
        for (const char *at = block; (at = memchr(at, '\n', (size_t)(block + size - at))); at++)
            ++*lines;
    _exit(size ? 1 : 0);
}

void bench_place__fifo(struct bench_place *place)
{
    if (mkfifo(place->path, 0600))
        bench_die("%s: %s", place->path, strerror(errno));
    place->reader_lines = mmap(NULL, sizeof(*place->reader_lines), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place->reader_lines == MAP_FAILED)
        bench_die("no shared memory: %s", strerror(errno));
    place->reader = fork();
    if (!place->reader)
        read_lines(place->path, place->reader_lines);
}

double bench_place__read_to_end(struct bench_place *place, uint64_t *ret_lines)
{
    struct rusage usage;
    pid_t pid = 0;

    for (int tries = 0; !pid && tries < END_TRIES; tries++) {
        pid = wait4(place->reader, NULL, WNOHANG, &usage);
        if (!pid)
            poll(NULL, 0, END_TRY_MS);
    }
    if (pid != place->reader)
        return -1;
    place->reader = -1;
    *ret_lines = *place->reader_lines;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void bench_place__close(struct bench_place *place)
{
    bench_child__stop(place->reader);
    if (place->reader_lines)
        munmap(place->reader_lines, sizeof(*place->reader_lines));
    unlink(place->path);
    rmdir(place->folder);
}
