/* SPDX-License-Identifier: Apache-2.0 */
/* Events by hand, their lines, and the golden lines to compare with. */
#ifndef MRL_TESTS_LINES_H
#define MRL_TESTS_LINES_H

#include <mrelease/encode.h>

/** Fields that an event of the tests may have. */
enum { TEST_FIELDS_MAX = 32 };

/** An event with room for its values; points to itself, so it must not be copied. */
struct test_event {
    struct mrl_event event;
    struct mrl_value values[TEST_FIELDS_MAX];
};

struct mrl_text test_text(const char *text);

/** The call of the fact sheet's example, as the event called `name`, with all values 0. */
void test_event__init(struct test_event *event, const char *name);

/** The same with every number and text as long as it can be, and texts of bytes that no format
 * prints as they are. */
void test_event__init_worst(struct test_event *event, const char *name);

/** An encoder; fails the test where the format is unknown. */
struct mrl_encoder *test_encoder(const char *format, const struct mrl_encoder_options *options);

/** The line of an event, as a new string; of the encoder, or of one made for `format`, plain or
 * with options. */
char *test_line(struct mrl_encoder *encoder, const struct mrl_event *event);
char *test_line_as(const char *format,
                   const struct mrl_encoder_options *options,
                   const struct mrl_event *event);
char *test_line_in(const char *format, const struct mrl_event *event);

/** The whole of a file below tests/golden, as a new string; NULL where there is none. */
char *test_golden(const char *path);

/** Fails, showing where the two lines part. */
void assert_same_line(const char *line, const char *wanted);

#endif
