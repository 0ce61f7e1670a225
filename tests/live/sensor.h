/* SPDX-License-Identifier: Apache-2.0 */
/* The program under test, as a child. */
#ifndef MRL_LIVE_SENSOR_H
#define MRL_LIVE_SENSOR_H

#include <stdbool.h>

#include <sys/types.h>

/** How to start it. Zeroed is a valid start. */
struct sensor_options {
    /** Another program, of which the rest of this header then holds; NULL: mrelease. */
    const char *program;
    /** "run", …: after the name of the program. NULL-terminated. */
    const char *const *arguments;
    /** Runs in the child before the program does; may be NULL. */
    void (*prepare)(void);
    /** Descriptor that becomes its standard output; 0: a file. */
    int stdout_fd;
};

struct sensor {
    pid_t pid;
    const char *stdout_path, *stderr_path; /* valid until the test ends */
};

/** Starts the program and returns at once. */
void sensor__spawn(struct sensor *sensor, const struct sensor_options *options);

/** Waits until it says that it is watching; the test fails when it ends before. */
void sensor__await_ready(const struct sensor *sensor);

/** `mrelease run ARGUMENTS`, ready. The arguments end with NULL. */
void sensor__start(struct sensor *sensor, const char *const *arguments);

/** Whether it ends within so long. */
bool sensor__ends_within(const struct sensor *sensor, unsigned int time_ms);

/** Waits for its end. Returns its exit status; the test fails when a signal ended it. */
int sensor__wait(struct sensor *sensor);

/** Runs the program to its end. Returns its exit status. */
int sensor__run(struct sensor *sensor, const char *const *arguments);

/** Signals it and waits. */
int sensor__stop(struct sensor *sensor, int signal);

/** What it said so far; valid until the test ends. */
const char *sensor__stderr(const struct sensor *sensor);
const char *sensor__stdout(const struct sensor *sensor);

/** Waits until `signal` would not just end the program, as before it has begun; the test fails
 * after a while. */
void sensor__await_handler(const struct sensor *sensor, int signal);

/** Waits until standard error contains `text`; the test fails after a while. */
void sensor__await_text(const struct sensor *sensor, const char *text);

/** What standard error tells of an event at the end. */
struct totals {
    unsigned long long seen, read, lost, self, filtered, filtered_by_kernel;
};

/** The totals of `event`, of which it was checked that none is unaccounted for. */
struct totals sensor__totals(const struct sensor *sensor, const char *event);

/** The same for an output, as it was named after --output. */
void sensor__delivered(const struct sensor *sensor,
                       const char *output,
                       unsigned long long *ret_delivered,
                       unsigned long long *ret_dropped);

/** Lines that it got: those of events, and those that tell of losses and of the sensor. */
unsigned long long sensor__lines(const struct sensor *sensor, const char *output);

/** The program said one line, which begins with its name and contains `text`, and printed nothing.
 */
void sensor__assert_one_line(const struct sensor *sensor, const char *text);

#define SENSOR_START(sensor, ...) \
    sensor__start(sensor, (const char *const[]){ "run", __VA_ARGS__, NULL })

#endif
