// SPDX-License-Identifier: Apache-2.0
/*
 * How late the lines of the host's calls are: late FIFO NAME OTHER. Reads "CALLS PACE_US" from its
 * input, makes so many calls of munlock() by that NAME, one in PACE_US, and waits for the line of
 * each in FIFO. Says then "= P50 P99 MOST" in us, from the return of a call to its line; and before
 * it, of each line of OTHER that came since, "+ TIME LINE", where TIME is when it came, in ns of
 * the wall clock. Any other line is read, and that is all. Ends with its input.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>

enum { CALLS_MAX = 100000, LINE_MS = 5000, BYTES = 1024 * 1024 };

static char of_host[64], of_other[64];
static FILE *others; /* said once nobody waits: whoever reads them may be slow */
static char *others_text;
static size_t others_size;
static double late_us[CALLS_MAX];
static char bytes[BYTES + 1];
static size_t used;

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Returns how many lines of the host were among them. */
static int take_lines(void)
{
    char *line = bytes, *end;
    int found = 0;

    while ((end = memchr(line, '\n', used - (size_t)(line - bytes)))) {
        *end = '\0';
        if (strstr(line, of_host))
            found++;
        else if (strstr(line, of_other))
            fprintf(others, "+ %lld %s\n", (long long)now_ns(CLOCK_REALTIME), line);
        line = end + 1;
    }
    used -= (size_t)(line - bytes);
    memmove(bytes, line, used);
    return found;
}

static int read_lines(int fifo)
{
    ssize_t size = read(fifo, bytes + used, BYTES - used);

    if (size <= 0)
        exit(1); /* the sensor is gone */
    used += (size_t)size;
    return take_lines();
}

/* Until `end_ns`, or `wanted` lines of the host came. Returns how many did. */
static int read_until(int fifo, int64_t end_ns, int wanted)
{
    struct pollfd input = { .fd = fifo, .events = POLLIN };
    int found = 0;
    int64_t left_ns;

    while (found < wanted && (left_ns = end_ns - now_ns(CLOCK_MONOTONIC)) > 0) {
        const struct timespec left = { left_ns / 1000000000, left_ns % 1000000000 };

        if (ppoll(&input, 1, &left, NULL) == 1)
            found += read_lines(fifo);
    }
    return found;
}

static int compare(const void *one, const void *other)
{
    const double *a = one, *b = other;

    return (*a > *b) - (*a < *b);
}

static void hear_others(void)
{
    others = open_memstream(&others_text, &others_size);
    if (!others)
        exit(1);
}

static void say_others(void)
{
    fclose(others);
    fwrite(others_text, 1, others_size, stdout);
    free(others_text);
    hear_others();
}

static void run(int fifo, int calls, int pace_us)
{
    int64_t next_ns = now_ns(CLOCK_MONOTONIC);

    for (int i = 0; i < calls; i++) {
        int64_t start_ns;

        syscall(SYS_munlock, 0L, 0L);
        start_ns = now_ns(CLOCK_MONOTONIC);
        if (!read_until(fifo, start_ns + LINE_MS * INT64_C(1000000), 1)) {
            printf("! no line came\n");
            exit(1);
        }
        late_us[i] = (double)(now_ns(CLOCK_MONOTONIC) - start_ns) / 1e3;
        next_ns += pace_us * INT64_C(1000);
        if (next_ns < now_ns(CLOCK_MONOTONIC))
            next_ns = now_ns(CLOCK_MONOTONIC); /* a pause is not made up for by a burst */
        read_until(fifo, next_ns, 1);
    }
    say_others();
    qsort(late_us, (size_t)calls, sizeof(*late_us), compare);
    printf("= %.1f %.1f %.1f\n", late_us[calls / 2], late_us[calls * 99 / 100], late_us[calls - 1]);
}

/* Others' lines are read meanwhile, once somebody writes any. Returns true. */
static bool await_command(int fifo)
{
    struct pollfd inputs[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                               { .fd = fifo, .events = POLLIN } };

    while (poll(inputs, 2, -1) < 1 || !inputs[0].revents)
        if (inputs[1].revents)
            read_lines(fifo);
    return true;
}

static void set_words(const char *host, const char *other)
{
    snprintf(of_host, sizeof(of_host), "\"processName\":\"%.15s\"", host);
    snprintf(of_other, sizeof(of_other), "\"processName\":\"%.15s\"", other);
    hear_others();
}

int main(int argc, char **argv)
{
    int fifo = argc == 4 ? open(argv[1], O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1, calls, pace_us;

    if (fifo < 0)
        return 2;
    prctl(PR_SET_PDEATHSIG, 9);
    prctl(PR_SET_NAME, argv[2]);
    set_words(argv[2], argv[3]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0); /* poll() sees what is left */
    puts("ready");
    while (await_command(fifo) && scanf("%d %d", &calls, &pace_us) == 2 && calls > 0 &&
           calls <= CALLS_MAX)
        run(fifo, calls, pace_us);
    return 0;
}
