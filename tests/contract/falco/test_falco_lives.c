// SPDX-License-Identifier: Apache-2.0
/* The plugin for Falco: loaded again and again, by several at once, and on a real kernel. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "loaded.h"
#include "unit/unit.h"

enum { CYCLES = 1000, RELOADS = 20 };

/* -- lives ------------------------------------------------------------------------------------ */

static unsigned int open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned int count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void a_thousand_lives_leave_nothing_open(void **state)
{
    unsigned int before = open_descriptors();

    (void)state;
    for (int i = 0; i < CYCLES; i++) {
        struct falco_state *plugin = loaded__init();
        struct falco_instance *instance = loaded__replay(plugin, REAPS);

        loaded__read_to_end(plugin, instance, FALCO_EOF);
        loaded_host.close(plugin, instance);
        loaded_host.destroy(plugin);
    }
    assert_int_equal(open_descriptors(), before);
}

static void two_inspectors_hold_two_instances(void **state)
{
    struct falco_state *one = loaded__init(), *other = loaded__init();
    struct falco_instance *first = loaded__replay(one, STORM),
                          *second = loaded__replay(other, REAPS),
                          *third = loaded__replay(one, STORM);
    unsigned int events = loaded__read_to_end(one, first, FALCO_EOF);

    (void)state;
    assert_ptr_not_equal(first, third);
    loaded_host.close(one, first);
    assert_in_range(loaded__read_to_end(other, second, FALCO_EOF), 1, events);
    assert_int_equal(loaded__read_to_end(one, third, FALCO_EOF), events);
    loaded_host.close(other, second);
    loaded_host.destroy(other);
    loaded_host.close(one, third);
    loaded_host.destroy(one);
}

/* A replay has the names that were recorded. */
static void a_replay_asks_nobody_for_names(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char directory[] = "/tmp/mrelease-falco-XXXXXX", config[160];
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;
    struct falco_state *plugin;
    struct falco_instance *instance;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/names", directory);
    assert_return_code(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_return_code(listen(listener, 1), 0);
    snprintf(config, sizeof(config), "{\"names\": \"%s\"}", address.sun_path);
    plugin = falco_host__init(&loaded_host, config, &rc);
    assert_int_equal(rc, FALCO_SUCCESS);
    instance = loaded__replay(plugin, REAPS);
    loaded__read_to_end(plugin, instance, FALCO_EOF);
    assert_int_equal(accept(listener, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
    close(listener);
    unlink(address.sun_path);
    rmdir(directory);
}

static void each_hot_restart_loads_it_anew(void **state)
{
    (void)state;
    for (int i = 0; i < RELOADS; i++) {
        struct falco_state *plugin = loaded__init();
        struct falco_instance *instance = loaded__replay(plugin, REAPS);

        loaded__read_to_end(plugin, instance, FALCO_EOF);
        loaded_host.close(plugin, instance);
        loaded_host.destroy(plugin);
        falco_host__unload(&loaded_host);
        assert_true(falco_host__load(&loaded_host, MRL_TEST_FALCO_PLUGIN));
    }
}

static atomic_bool over;

static atomic_uint told; /* metrics */

static void *ask_for_metrics(void *plugin)
{
    while (!over) {
        uint32_t count = 0;
        const struct falco_metric *metrics = loaded_host.get_metrics(plugin, &count);

        for (uint32_t i = 0; i < count; i++)
            told += *metrics[i].name != '\0';
    }
    return NULL;
}

static void metrics_are_asked_while_it_reads(void **state)
{
    struct falco_state *plugin = loaded__init();
    pthread_t askers[2];

    (void)state;
    over = false;
    told = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask_for_metrics, plugin), 0);
    for (int i = 0; i < 50 || (!told && i < 5000); i++) {
        struct falco_instance *instance = loaded__replay(plugin, STORM);

        loaded__read_to_end(plugin, instance, FALCO_EOF);
        loaded_host.close(plugin, instance);
    }
    over = true;
    for (int i = 0; i < 2; i++)
        pthread_join(askers[i], NULL);
    assert_int_not_equal(told, 0);
    loaded_host.destroy(plugin);
}

/* -- real calls ------------------------------------------------------------------------------- */

static struct falco_instance *open_live(struct falco_state *plugin)
{
    int rc;
    struct falco_instance *instance = loaded_host.open(plugin, "", &rc);

    if (rc != FALCO_SUCCESS) {
        print_message("# skipped: %s\n", loaded_host.get_last_error(plugin));
        loaded_host.destroy(plugin);
        skip();
    }
    return instance;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_quiet_host_is_waited_for_in_small_steps(void **state)
{
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance = open_live(plugin);
    struct falco_event **events;
    uint32_t count;

    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t start = now_ms();
        int rc = loaded_host.next_batch(plugin, instance, &count, &events);

        assert_true(rc == FALCO_TIMEOUT || rc == FALCO_SUCCESS);
        assert_in_range(now_ms() - start, 0, 1000); /* some ms, where nobody else runs */
    }
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
}

static void a_real_call_arrives(void **state)
{
    struct falco_state *plugin = loaded__init();
    struct falco_instance *instance = open_live(plugin);
    struct loaded_fields fields = loaded__fields();
    struct falco_extract_field questions[] = {
        { .field_id = loaded__id(&fields, "mrelease.caller.pid") },
        { .field_id = loaded__id(&fields, "mrelease.pidfd") },
        { .field_id = loaded__id(&fields, "mrelease.errno") },
        { .field_id = loaded__id(&fields, "mrelease.outcome") },
    };
    struct falco_event **events;
    int64_t end = now_ms() + 5000;
    uint32_t count, metric_count = 0;
    uint64_t number = 0, seen_metric = 0;
    const struct falco_metric *metrics;
    bool seen = false;

    (void)state;
    assert_int_equal(syscall(448, -4711, 0), -1);
    while (!seen && now_ms() < end) {
        loaded_host.next_batch(plugin, instance, &count, &events);
        for (uint32_t i = 0; i < count && !seen; i++) {
            falco_host__accept(&loaded_host, events[i]);
            assert_int_equal(loaded__ask(plugin, events[i], ++number, questions, 4), FALCO_SUCCESS);
            seen = !strcmp(loaded__text(&questions[1]), "-4711") &&
                   !strcmp(loaded__text(&questions[2]), "EBADF") &&
                   !strcmp(loaded__text(&questions[3]), "bad_fd");
        }
    }
    assert_true(seen);
    metrics = loaded_host.get_metrics(plugin, &metric_count);
    for (uint32_t i = 0; i < metric_count; i++)
        if (!strcmp(metrics[i].name, "events_seen.process_mrelease"))
            seen_metric = metrics[i].value.u64;
    assert_in_range(seen_metric, 1, UINT64_MAX);
    json_decref(fields.rows);
    loaded_host.close(plugin, instance);
    loaded_host.destroy(plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_lives_leave_nothing_open),
        cmocka_unit_test(two_inspectors_hold_two_instances),
        cmocka_unit_test(a_replay_asks_nobody_for_names),
        cmocka_unit_test(each_hot_restart_loads_it_anew),
        cmocka_unit_test(metrics_are_asked_while_it_reads),
        cmocka_unit_test(a_quiet_host_is_waited_for_in_small_steps),
        cmocka_unit_test(a_real_call_arrives),
    };

    return cmocka_run_group_tests_name("contract, falco_lives", tests, loaded__set_up,
                                       loaded__tear_down);
}
