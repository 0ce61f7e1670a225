/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of a live test: a directory of its own, and everything undone at its end. Includes what
 * every live test needs.
 */
#ifndef MRL_LIVE_HARNESS_H
#define MRL_LIVE_HARNESS_H

/* cmocka.h wants the others before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include "cgroup.h"
#include "cleanup.h"
#include "event.h"
#include "expect.h"
#include "lines.h"
#include "script.h"
#include "sensor.h"
#include "trigger.h"

/** A row for cmocka's table of tests. */
#define LIVE_TEST(function) cmocka_unit_test_setup_teardown(function, live__setup, live__teardown)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** What verify says by its exit status of a file without a gap, from the start of its run to the
 * end. */
enum { LIVE_GAPLESS = 0 };

int live__setup(void **state);
int live__teardown(void **state);

/** First line of every test: skips it, with the reason, where the kernel will not let us. */
void live__require(void);

/** The same, for tests that preload faults into the program or measure its memory: not where a
 * sanitizer wants to be first, and takes memory of its own. */
void live__require_unsanitized(void);
/**
 * Runs `check` on every rung of the ladder: on that one alone which MRELEASE_TEST_RUNG forces, else
 * on those that MRELEASE_TEST_RUNGS says this kernel offers, else on those that work here.
 */
void live__each_rung(void (*check)(const char *rung));

/** Whether the program can watch with this rung here. */
bool live__works(const char *rung);

/** Whether a rung sees calls through 32-bit entry points; calls that seccomp refused. */
bool live__sees_compat(const char *rung);
bool live__sees_blocked(const char *rung);

/**
 * Every `mrelease run` of a test watches only what the test itself makes, so that tests can run
 * side by side, whatever else happens on this host: the kernel lets pass only the calls of
 * processes with the name of this test program, which is its own and inherited. A caller that takes
 * another name by exec is added before the run starts. Where names are what is tested, the scope is
 * a mount namespace that the test program enters for the rest of its life; or another one is set
 * for the rest of the test: "", none, where the test's own filters do as much.
 */
void live__add_caller(const char *name);
void live__scope_to_namespace(void);
void live__set_scope(const char *scope);

/** For main(): no run has a scope. Such a program must be among those that have the kernel for
 * themselves: EXCLUSIVE in CMakeLists.txt. */
void live__is_about_the_host(void);

/** The scope of a run, for --scope; NULL: none. */
const char *live__scope(void);

/** The path of `name` in the directory of the running test. Valid until the test ends. */
const char *live__path(const char *name);

/** "json:PATH", or another format, for --output. Valid until the test ends. */
const char *live__output(const char *format, const char *name);

/** printf() into memory that is valid until the test ends. */
__attribute__((format(printf, 1, 2))) const char *live__text(const char *format, ...);

/**
 * Puts the test program into a mount namespace of its own, with tracefs at its usual place. Whoever
 * is started afterwards is in it too. The host is unchanged.
 */
void live__private_mounts(void);

/** Sleeps. */
void live__pause_ms(unsigned int ms);

#endif
