// SPDX-License-Identifier: Apache-2.0
/* Calls of process_mrelease that fail, so many in a second: calls NAME RATE SECONDS. NAME becomes
 * the caller's; says how many it made, and in how many seconds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>

enum { PROCESS_MRELEASE = 448, STEP_NS = 1000000, STEPS = 1000 /* in a second */ };

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* What is late is made up for, within a tenth of a second. */
static int64_t await_step(int64_t next_ns)
{
    const struct timespec next = { next_ns / 1000000000, next_ns % 1000000000 };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    next_ns += STEP_NS;
    return now_ns() - next_ns > 100 * STEP_NS ? now_ns() : next_ns;
}

int main(int argc, char **argv)
{
    const long per_step = argc == 4 ? atol(argv[2]) / STEPS : 0;
    const int64_t start_ns = now_ns();
    int64_t end_ns, next_ns = start_ns;
    unsigned long made = 0;

    if (per_step < 1)
        return 2;
    end_ns = start_ns + (int64_t)(atof(argv[3]) * 1e9);
    prctl(PR_SET_PDEATHSIG, 9);
    prctl(PR_SET_NAME, argv[1]);
    while (now_ns() < end_ns) {
        for (long i = 0; i < per_step; i++)
            syscall(PROCESS_MRELEASE, -1, 0);
        made += (unsigned long)per_step;
        next_ns = await_step(next_ns);
    }
    printf("%lu %.6f\n", made, (double)(now_ns() - start_ns) / 1e9);
    return 0;
}
