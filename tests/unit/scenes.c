// SPDX-License-Identifier: Apache-2.0
#include "unit/scenes.h"

#include <string.h>

#include "event/lost.h"
#include "event/named.h"
#include "event/state.h"
#include "unit/unit.h"

#define RUN     "e30b2f15c2934355-00018f3a2b1c0d42"
#define HOSTILE "a|b=c\\d\"e<f>\n\r\t\x01\x7f \xe2\x82\xac\xff\xe2\x80\xa8 spid=1"

static void find(const struct test_scene *scene, const char *name, struct mrl_value **ret_value)
{
    for (unsigned int i = 0; i < scene->layout.count; i++) {
        const struct mrl_layout_field *field = &scene->layout.fields[i];

        if (!strcmp(field->field->name, name) && !field->size) {
            *ret_value =
                (struct mrl_value *)(field->extra ? scene->extras : scene->values) + field->at;
            return;
        }
    }
    *ret_value = NULL;
}

static void set_number(struct test_scene *scene, const char *name, uint64_t number)
{
    struct mrl_value *value;

    find(scene, name, &value);
    if (value)
        *value = (struct mrl_value){ .unsigned_number = number };
}

static void set_text(struct test_scene *scene, const char *name, const char *text)
{
    struct mrl_value *value;

    find(scene, name, &value);
    if (value)
        *value = (struct mrl_value){ .text = test_text(text) };
}

void test_scene__set_lookup(struct test_scene *scene, enum mrl_lookup lookup, const char *id)
{
    scene->event.lookup = lookup;
    scene->event.container_lookup = mrl_lookup__name(lookup);
    scene->event.container_id = test_text(id);
    scene->event.container_confirmed = lookup == MRL_LOOKUP_KNOWN;
}

/* A call whose caller is known, and nothing else. */
static void init_call(struct test_scene *scene, const char *name)
{
    const struct mrl_event_def *def = mrl_event_def__find(name, NULL);

    memset(scene, 0, sizeof(*scene));
    scene->event = (struct mrl_event){
        .def = def,
        .entry_ns = UINT64_C(1795879211522903112),
        .exit_ns = UINT64_C(1795879211522951323),
        .seq = 42,
        .cgroup_id = UINT64_C(18446744073709547520),
        .thread_start_ns = UINT64_C(1795879210685509028),
        .process_start_ns = UINT64_C(1795879210685509028),
        .parent_start_ns = UINT64_C(1795879210000000000),
        .thread_id = 17,
        .process_id = 17,
        .parent_process_id = 1,
        .host_thread_id = 29937,
        .host_process_id = 29937,
        .host_parent_process_id = 29826,
        .mount_namespace = 4026531841,
        .pid_namespace = 4026531836,
        .cpu = 1,
        .lane = (uint16_t)def->lane,
        .process_name = test_text("earlyoom"),
        .host_name = test_text("pod"),
        .container_id = test_text(""),
        .executable = test_text("/usr/bin/earlyoom"),
        .values = scene->values,
        .extra_values = scene->extras,
        .run = RUN,
    };
    test_scene__set_lookup(scene, MRL_LOOKUP_HOST, "");
    mrl_layout__make(def, UINT32_MAX, &scene->layout);
    for (unsigned int i = 0; i < scene->layout.count; i++)
        if (!scene->layout.fields[i].size && scene->layout.fields[i].field->tags & MRL_TAG_OPT) {
            struct mrl_value *value;

            find(scene, scene->layout.fields[i].field->name, &value);
            value->absent = true;
        }
    set_number(scene, "duration_ns", scene->event.exit_ns - scene->event.entry_ns);
}

static void know_target(struct test_scene *scene)
{
    struct mrl_value *entity;

    set_number(scene, "pidfd", 6);
    set_number(scene, "target_host_pid", 29938);
    set_number(scene, "target_pid", 1);
    set_text(scene, "target_name", "postgres");
    set_text(scene, "target_exe", "/usr/lib/postgresql/15/bin/postgres");
    set_number(scene, "target_uid", 999);
    set_number(scene, "target_start_time", UINT64_C(1795879210686250667));
    find(scene, "target_entity_id", &entity);
    *entity = (struct mrl_value){ .entity = { 29938, UINT64_C(1795879210686250667) } };
    set_number(scene, "target_cgroup_id", UINT64_C(18446744073709547520));
    set_text(scene, "target_container_id", "");
    set_text(scene, "target_from", "reaped_mm");
    set_number(scene, "target_threads", 3);
    set_number(scene, "target_dying", 1);
    set_number(scene, "released_bytes", 269156352);
    set_number(scene, "anon_before", 268529664);
    set_number(scene, "anon_after", 0);
    set_text(scene, "accuracy", "exact");
    set_number(scene, "error_bound_bytes", 0);
}

static void request_failed(struct test_scene *scene)
{
    init_call(scene, "process_mrelease");
    know_target(scene);
    scene->event.return_value = -22;
    set_text(scene, "outcome", "not_dying");
    test_scene__set_lookup(scene, MRL_LOOKUP_KNOWN,
                           "3f4caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void request_bad_fd(struct test_scene *scene)
{
    init_call(scene, "process_mrelease");
    set_number(scene, "pidfd", (uint64_t)INT64_C(-1));
    scene->event.return_value = -9;
    set_text(scene, "outcome", "bad_fd");
    test_scene__set_lookup(scene, MRL_LOOKUP_NOT_FOUND, "");
    scene->event.executable = test_text("");
}

static void request_succeeded(struct test_scene *scene)
{
    init_call(scene, "process_mrelease");
    know_target(scene);
    set_text(scene, "outcome", "reaped");
    set_text(scene, "target_container_id", "77dd");
    scene->event.flags = MRL_EVENT_IS_COMPAT;
}

static void request_blocked(struct test_scene *scene)
{
    struct mrl_value *duration;

    init_call(scene, "process_mrelease");
    find(scene, "duration_ns", &duration);
    *duration = (struct mrl_value){ .absent = true };
    scene->event.return_value = -512; /* has no name */
    scene->event.flags = MRL_EVENT_NO_ENTRY;
    scene->event.entry_ns = scene->event.exit_ns;
    set_text(scene, "outcome", "blocked");
    test_scene__set_lookup(scene, MRL_LOOKUP_UNREADABLE, "");
    scene->event.run = "";
}

static void release(struct test_scene *scene)
{
    init_call(scene, "do_mrelease");
    know_target(scene);
    scene->event.seq = 43;
    set_text(scene, "outcome", "reaped");
}

static void release_unknown(struct test_scene *scene)
{
    init_call(scene, "do_mrelease");
    scene->event.process_start_ns = scene->event.thread_start_ns = 0;
    scene->event.parent_start_ns = 0;
}

void test_scene__lock(struct test_scene *scene)
{
    init_call(scene, "mlock");
    set_number(scene, "addr", UINT64_C(0x7f0000001000));
    set_number(scene, "len", 65536);
    set_number(scene, "locked_before_bytes", 0);
    set_number(scene, "locked_after_bytes", 65536);
    set_number(scene, "memlock_limit_bytes", 8388608);
}

static void lock_failed(struct test_scene *scene)
{
    test_scene__lock(scene);
    scene->event.return_value = -12;
}

static void lock_all(struct test_scene *scene)
{
    init_call(scene, "mlockall");
    set_number(scene, "flags", (uint64_t)INT64_C(-2));
    set_text(scene, "lock_flags", "MCL_CURRENT|0x40");
}

static void lock2(struct test_scene *scene)
{
    init_call(scene, "mlock2");
    set_number(scene, "len", 1);
    set_number(scene, "flags", 1);
    set_text(scene, "lock_flags", "MLOCK_ONFAULT");
}

static void unlock(struct test_scene *scene)
{
    init_call(scene, "munlock");
    set_number(scene, "addr", 4096);
}

static void unlock_all(struct test_scene *scene)
{
    init_call(scene, "munlockall");
}

static void hostile_names(struct test_scene *scene)
{
    request_failed(scene);
    scene->event.process_name = test_text("a|b=c\\d\"\n\xff");
    scene->event.executable = test_text(HOSTILE);
    set_text(scene, "target_name", "=|\\\t\r\n");
    set_text(scene, "target_exe", HOSTILE);
}

/* -- with the names of containers ------------------------------------------------------------- */

static void set_names(struct test_scene *scene, const char *const names[MRL_NAMES])
{
    struct mrl_event *event = &scene->event;

    test_scene__set_lookup(scene, MRL_LOOKUP_KNOWN,
                           "3f4caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    event->names_result = MRL_NAMES_KNOWN;
    event->container_runtime = test_text("containerd");
    for (unsigned int i = 0; i < MRL_NAMES; i++)
        *(struct mrl_text *)mrl_event__name(event, i) = test_text(names[i]);
    event->target_container_name = event->container_name;
    event->target_container_image = event->container_image;
    event->target_pod_name = event->pod_name;
    event->target_pod_namespace = event->pod_namespace;
}

static void named(struct test_scene *scene)
{
    request_failed(scene);
    set_names(scene, (const char *const[]){ "checkout", "registry.example.org/shop/checkout:1",
                                            "sha256:4c01db0b", "checkout-6d9f7c8b5d-x2x9k", "shop",
                                            "3f1d6a52-0b9f-4f67-9a0e-6c1f6f0a2b77" });
}

static void named_release(struct test_scene *scene)
{
    release(scene);
    set_names(scene,
              (const char *const[]){ "", "docker.io/library/busybox:1", "sha256:1", "", "", "" });
}

static void named_lock(struct test_scene *scene)
{
    test_scene__lock(scene);
    set_names(scene, (const char *const[]){ "app", "", "", "app-0", "", "" });
}

/* What terminals obey, what ends lines and fields, what reorders text, what is no UTF-8. */
static void named_hostile(struct test_scene *scene)
{
    request_failed(scene);
    set_names(scene, (const char *const[]){
                         "web\x1b[31m\x1b]0;pwned\x07\x9b",
                         "a|b=c\\d\"e<f>\n\r\t\x01\x7f cs1=1 \xe2\x82\xac",
                         "sha256:\xff\xc0\xaf\xed\xa0\x80\x80\xf4\x90\x80\x80z",
                         "\xe2\x80\xaegpj.exe\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf",
                         "' OR 1=1 --\xe2\x81\xa6{{7*7}}${jndi:ldap://x}",
                         "</script>\r\nLEEF:2.0|a|b\nCEF:0|",
                     });
}

/* As many bytes as the names of a container may have. */
static void named_at_length(struct test_scene *scene)
{
    static char long_name[MRL_NAMES_BYTES_MAX - 5 * 16 + 1];
    static const char others[] = "sixteen letters.";

    for (size_t i = 0; i + 1 < sizeof(long_name); i++)
        long_name[i] = "\"\n\\\x1b"[i % 4];
    test_scene__lock(scene);
    set_names(scene, (const char *const[]){ long_name, others, others, others, others, others });
}

/* An event that an output tells. */
static void init_told(struct test_scene *scene, const char *name)
{
    scene->event.run = RUN;
    scene->event.output = 3;
    scene->event.seq = 1;
    mrl_layout__make(mrl_event_def__find(name, NULL), UINT32_MAX, &scene->layout);
}

static void loss(struct test_scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->lost = (struct mrl_lost){ .event = mrl_event_def__find("mlock", NULL),
                                     .count = 1234,
                                     .cause = MRL_CAUSE_RING_FULL,
                                     .from_ns = UINT64_C(1795879299000000000),
                                     .to_ns = UINT64_C(1795879300000000000) };
    mrl_lost__event(&scene->lost, scene->values, &scene->event);
    init_told(scene, "events_lost");
}

static void loss_of_somebody(struct test_scene *scene)
{
    loss(scene);
    scene->lost.by =
        (struct mrl_blame){ true, 1000, { 8, UINT64_C(18446744073709547520), "fl=o\\|\n\xff" } };
    mrl_lost__event(&scene->lost, scene->values, &scene->event);
    init_told(scene, "events_lost");
}

static void sensor(struct test_scene *scene)
{
    memset(scene, 0, sizeof(*scene));
    scene->state = (struct mrl_state){ .what = MRL_WHAT_STARTED,
                                       .detail = test_text("run=" RUN "; rung=tp_btf"),
                                       .by_uid = -1,
                                       .by_pid = -1,
                                       .time_ns = UINT64_C(1795879299000000000) };
    mrl_state__event(&scene->state, scene->values, &scene->event);
    init_told(scene, "sensor_state");
}

static void sensor_was_blind(struct test_scene *scene)
{
    sensor(scene);
    scene->state.what = MRL_WHAT_BLIND;
    scene->state.from_ns = UINT64_C(1795879290000000001);
    scene->state.to_ns = UINT64_C(1795879291000000000);
    scene->state.by_uid = scene->state.by_pid = 7;
    scene->state.events_so_far = UINT64_MAX;
    mrl_state__event(&scene->state, scene->values, &scene->event);
    init_told(scene, "sensor_state");
}

const struct test_scene_row test_scenes[TEST_SCENES] = {
    { "request_failed", request_failed },
    { "request_bad_fd", request_bad_fd },
    { "request_succeeded", request_succeeded },
    { "request_blocked", request_blocked },
    { "release", release },
    { "release_unknown", release_unknown },
    { "lock", test_scene__lock },
    { "lock_failed", lock_failed },
    { "lock_all", lock_all },
    { "lock2", lock2 },
    { "unlock", unlock },
    { "unlock_all", unlock_all },
    { "loss", loss },
    { "loss_of_somebody", loss_of_somebody },
    { "sensor", sensor },
    { "sensor_was_blind", sensor_was_blind },
    { "hostile_names", hostile_names },
};

const struct test_scene_row test_named_scenes[TEST_NAMED_SCENES] = {
    { "named", named },
    { "named_release", named_release },
    { "named_lock", named_lock },
    { "named_hostile", named_hostile },
    { "named_at_length", named_at_length },
};

void test_scene__set_numbers(struct test_scene *scene, uint64_t number)
{
    for (unsigned int i = 0; i < scene->layout.count; i++) {
        const struct mrl_kind *kind = scene->layout.fields[i].field->kind;

        if (kind->storage == MRL_STORAGE_UNSIGNED && kind->bits == 64 &&
            kind->unit != MRL_UNIT_TIME && kind->unit != MRL_UNIT_DURATION)
            set_number(scene, scene->layout.fields[i].field->name, number);
    }
    scene->event.cgroup_id = number;
    if (scene->event.def->is & MRL_OF_RECORD)
        scene->event.seq = number;
}
