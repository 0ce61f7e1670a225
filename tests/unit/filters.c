// SPDX-License-Identifier: Apache-2.0
#include "unit/filters.h"

#include <stdio.h>

int test_filter__make(const char *const events[TEST_TEXTS_MAX],
                      const char *const scopes[TEST_TEXTS_MAX],
                      struct mrl_error *error,
                      struct mrl_filter **ret_filter)
{
    struct mrl_filter_texts texts = { .events = events,
                                      .scopes = scopes,
                                      .start = { 1000, 98, 4026531841 } };

    while (texts.event_count < TEST_TEXTS_MAX && events[texts.event_count])
        texts.event_count++;
    while (texts.scope_count < TEST_TEXTS_MAX && scopes[texts.scope_count])
        texts.scope_count++;
    return mrl_filter__new(&texts, error, ret_filter);
}

struct mrl_event test_filter__call(struct test_decoder *decoder)
{
    struct test_record record;
    struct mrl_event event;

    test_record__init(&record, MRL_EVENT_MLOCK);
    record.call.args[0] = 4096;
    record.call.args[1] = 8192;
    record.call.ret = -12;
    record.call.uid = 1000;
    record.call.pid = 7;
    record.call.tid = 8;
    record.call.ppid = 6;
    record.call.host_pid = 70;
    record.call.host_tid = 80;
    record.call.host_ppid = 60;
    record.call.mount_ns = 4026531841;
    record.call.pid_ns = 4026531836;
    record.call.cpu = 3;
    record.call.cgroup_id = 99;
    snprintf(record.call.comm, sizeof(record.call.comm), "worker-a");
    snprintf(record.call.host_name, sizeof(record.call.host_name), "node-1");
    event = *test_decoder__event(decoder, &record);
    event.container_id = (struct mrl_text){ "0123456789abcdef", 16 };
    event.container_name = (struct mrl_text){ "app", 3 };
    event.container_image = (struct mrl_text){ "docker.io/library/nginx:1", 25 };
    event.pod_name = (struct mrl_text){ "nginx-7f", 8 };
    event.pod_namespace = (struct mrl_text){ "web", 3 };
    event.executable = (struct mrl_text){ "/usr/bin/worker", 15 };
    return event;
}
