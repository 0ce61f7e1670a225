// SPDX-License-Identifier: Apache-2.0
/* Producers of calls, and places for what is made of them. */
#include "bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/stat.h>

#include "bench/program.h"

enum { CHUNK_CALLS = 5000 };

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

static void read_all(const char *path)
{
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open("/dev/null", O_WRONLY | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_pin(bench_program_cpu());
    if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(1);
    execlp("cat", "cat", (char *)NULL);
    _exit(127);
}

void bench_place__fifo(struct bench_place *place)
{
    if (mkfifo(place->path, 0600))
        bench_die("%s: %s", place->path, strerror(errno));
    place->reader = fork();
    if (!place->reader)
        read_all(place->path);
}

void bench_place__close(struct bench_place *place)
{
    bench_child__stop(place->reader);
    unlink(place->path);
    rmdir(place->folder);
}
