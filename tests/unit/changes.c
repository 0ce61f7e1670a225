// SPDX-License-Identifier: Apache-2.0
#include "unit/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/unit.h"

int changes__set_up(void **state)
{
    struct changes *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/mrelease-test-change.XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    test_decoder__init(&fixture->decoder);
    test_decoder__numbered(&fixture->decoder, CHANGES_EVENTS);
    assert_int_equal(mrl_pipeline__new(NULL, NULL, &fixture->pipeline), 0);
    *state = fixture;
    return 0;
}

int changes__tear_down(void **state)
{
    struct changes *fixture = *state;
    char command[128];

    mrl_pipeline__free(fixture->pipeline);
    test_decoder__done(&fixture->decoder);
    snprintf(command, sizeof(command), "rm -r %s", fixture->directory);
    assert_int_equal(system(command), 0); /* NOLINT: a name of our own */
    free(fixture);
    return 0;
}

const char *changes__path_of(struct changes *fixture, const char *name)
{
    snprintf(fixture->path, sizeof(fixture->path), "%s/%s", fixture->directory, name);
    return fixture->path;
}

struct mrl_output_options changes__options_for(struct changes *fixture,
                                               const char *name,
                                               const char *format)
{
    return (struct mrl_output_options){ .size = sizeof(struct mrl_output_options),
                                        .name = name,
                                        .format = format,
                                        .sink = &mrl_sink_file,
                                        .destination = changes__path_of(fixture, name),
                                        .policy = MRL_POLICY_BLOCK };
}

void changes__begin_with(struct changes *fixture, const char *name)
{
    const struct mrl_output_options options = changes__options_for(fixture, name, "json");
    struct mrl_error error;

    assert_true(mrl_pipeline__add(fixture->pipeline, &options, &error) >= 0);
}

void changes__deliver(struct changes *fixture)
{
    mrl_pipeline__deliver(fixture->pipeline, fixture->decoder.batch, CHANGES_EVENTS);
    fixture->given += CHANGES_EVENTS;
}

struct mrl_change *changes__change_of(struct changes *fixture)
{
    struct mrl_change *change;

    assert_int_equal(mrl_change__new(fixture->pipeline, &change), 0);
    return change;
}

void changes__come(struct changes *fixture,
                   struct mrl_change *change,
                   const char *name,
                   const char *format)
{
    const struct mrl_output_options options = changes__options_for(fixture, name, format);
    struct mrl_error error;

    assert_int_equal(mrl_change__add(change, &options, &error), 0);
}

void changes__apply(struct mrl_change *change)
{
    struct mrl_error error;

    assert_int_equal(mrl_change__start(change, &error), 0);
    mrl_change__apply(change);
}

static int slot_of(const struct changes *fixture, const char *name)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(fixture->pipeline); i++)
        if (!mrl_pipeline__output_is_gone(fixture->pipeline, i) &&
            !strcmp(mrl_pipeline__output_name(fixture->pipeline, i), name))
            return (int)i;
    return -1;
}

void changes__leave(struct changes *fixture, struct mrl_change *change, const char *name)
{
    assert_true(slot_of(fixture, name) >= 0);
    mrl_change__remove(change, (unsigned int)slot_of(fixture, name));
}

/* The number of the event of a line. */
static uint64_t number_of(const char *line)
{
    static const char key[] = "\"addr\",\"type\":\"const void*\",\"value\":";
    const char *at = strstr(line, key);

    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

uint64_t changes__lines_before_a_new_beginning(struct changes *fixture, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t count = 0;
    FILE *file = fopen(changes__path_of(fixture, name), "re");

    assert_non_null(file);
    while (getline(&line, &room, file) > 0 && (!count || number_of(line)))
        count++;
    free(line);
    fclose(file);
    return count;
}

uint64_t changes__lines_in_order(struct changes *fixture, const char *name)
{
    char *line = NULL;
    size_t room = 0;
    uint64_t count = 0, next = 0;
    FILE *file = fopen(changes__path_of(fixture, name), "re");

    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        if (count++)
            assert_int_equal(number_of(line), next);
        next = (number_of(line) + 1) % CHANGES_EVENTS;
    }
    free(line);
    fclose(file);
    return count;
}

struct mrl_output_counts changes__counts(struct changes *fixture, unsigned int output)
{
    return mrl_pipeline__counts(fixture->pipeline, output, MRL_EVENT_MLOCK);
}

void changes__assert_accounted(struct changes *fixture)
{
    for (unsigned int i = 0; i < mrl_pipeline__outputs(fixture->pipeline); i++) {
        struct mrl_output_counts its = changes__counts(fixture, i);

        assert_int_equal(its.delivered + its.dropped_full + its.dropped_failed +
                             mrl_pipeline__absent(fixture->pipeline, i, MRL_EVENT_MLOCK),
                         fixture->given);
    }
}
