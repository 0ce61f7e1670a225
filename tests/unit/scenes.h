/* SPDX-License-Identifier: Apache-2.0 */
/* Scenes: every event, with what is known of it and what is not. */
#ifndef MRL_TESTS_SCENES_H
#define MRL_TESTS_SCENES_H

#include "event/host.h"
#include "event/layout.h"
#include "event/lost.h"
#include "event/state.h"
#include "unit/lines.h"

struct test_scene {
    struct mrl_event event;
    struct mrl_layout layout;
    struct mrl_value values[TEST_FIELDS_MAX], extras[MRL_LAYOUT_FIELDS_MAX];
    struct mrl_lost lost;
    struct mrl_state state;
};

struct test_scene_row {
    const char *name;
    void (*init)(struct test_scene *scene);
};

enum { TEST_SCENES = 17, TEST_NAMED_SCENES = 5 };

extern const struct test_scene_row test_scenes[TEST_SCENES];

/** Those whose containers have names. */
extern const struct test_scene_row test_named_scenes[TEST_NAMED_SCENES];

/** A caller that locks memory in a container. */
void test_scene__lock(struct test_scene *scene);

/** What is known of the container of the caller. */
void test_scene__set_lookup(struct test_scene *scene, enum mrl_lookup lookup, const char *id);

/** Every unsigned number of 64 bits that is no time. */
void test_scene__set_numbers(struct test_scene *scene, uint64_t number);

#endif
