// SPDX-License-Identifier: Apache-2.0
/* The first process of a container of tests: pod [FLAGS…|FIRST-LAST…] [wait]. Each number is a call
 * of process_mrelease with these flags and no process, which fails, and by which it is known; of a
 * range, one call each 10 ms. "wait", and no argument at all: until it is told to end. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROCESS_MRELEASE = 448, STEP_US = 10000 };

/* The first process of a pid namespace dies only of what it handles. */
static void end(int signal)
{
    _exit(signal == SIGTERM ? 0 : 1);
}

static void call(const char *word)
{
    char *rest;
    const unsigned long first = strtoul(word, &rest, 10);
    const unsigned long last = *rest == '-' ? strtoul(rest + 1, NULL, 10) : first;

    for (unsigned long flags = first; flags <= last; flags++) {
        syscall(PROCESS_MRELEASE, -1, flags);
        if (last > first)
            usleep(STEP_US);
    }
}

int main(int argc, char **argv)
{
    int next = 1;

    signal(SIGTERM, end);
    while (next < argc && strcmp(argv[next], "wait") != 0)
        call(argv[next++]);
    while (next < argc || argc == 1)
        pause();
    return 0;
}
