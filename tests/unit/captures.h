/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures for tests: records go through decode, the encoder and the sink into a file, as they do
 * in the program, and each leaves the line that a replay has to print.
 */
#ifndef MRL_TESTS_CAPTURES_H
#define MRL_TESTS_CAPTURES_H

#include <mrelease/plugin.h>
#include <mrelease/sink.h>

#include "enrich/containers.h"
#include "unit/records.h"

enum { TEST_LINES_BYTES = 64 * 1024 };

/** JSON lines; cut where they become too many. */
struct test_lines {
    size_t size, count;
    char text[TEST_LINES_BYTES];
};

struct test_capture {
    char path[64];
    struct test_decoder decoder; /* its host may be changed between records */
    struct mrl_containers containers;
    const struct mrl_policies
        *policies; /* of records that are judged, from now on; NULL: no names */
    struct mrl_encoder *frames, *json;
    struct mrl_sink *sink; /* NULL: closed */
    struct test_lines lines;
};

/** The same as cmocka wants them: the state is a struct test_capture, whose file is open. */
int test_capture__set_up(void **state);
int test_capture__tear_down(void **state);

/** Begins a capture at its path, after close(). */
void test_capture__open(struct test_capture *capture);

/** The container of a cgroup from now on. */
void test_capture__set_container(struct test_capture *capture, uint64_t cgroup, const char *id);

/** How much is known of it from now on. */
void test_capture__qualify(struct test_capture *capture,
                           uint64_t cgroup,
                           enum mrl_lookup lookup,
                           bool confirmed);

/** Writes a record. Returns what the sink's write() does. */
int test_capture__try(struct test_capture *capture, const struct test_record *record);

/** The same; the test fails when it does. Notes the line. */
void test_capture__add(struct test_capture *capture, const struct test_record *record);

/** Writes a gap, and notes its line. */
void test_capture__add_lost(struct test_capture *capture, unsigned int event, const char *cause);

/** Writes what the sensor says of itself, and notes its line. */
void test_capture__add_state(struct test_capture *capture, enum mrl_what what);

/** Ends the capture. */
void test_capture__close(struct test_capture *capture);

/** Records of two events in a container, one with a target in another, and a gap; closed. Small. */
void test_capture__fill(struct test_capture *capture);

/** What became of a replay. */
struct test_replay {
    int opened;          /* as mrl_plugin__open() */
    int ended;           /* as the last mrl_plugin__next_batch() */
    unsigned int logged; /* warnings */
    char text[512];      /* of the error, or the last warning */
    struct test_lines lines;
};

/** Replays a file to its end. `events` may be NULL. */
void test_replay__run(struct test_replay *replay, const char *path, const char *events);

#endif
