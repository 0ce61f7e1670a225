// SPDX-License-Identifier: Apache-2.0
/* Making the records that the encode group works on. */
#include "bench/records.h"

#include <string.h>

#include "bench/bench.h"
#include "event/decode.h"

#define CONTAINER  "4c01db0b339c6d2b5d4d86a7f6a3b1f8e0c9d7a65b4e3f2d1c0b9a8877665544"
#define EXECUTABLE "/usr/lib/systemd/systemd-oomd"
#define BOOT_NS    UINT64_C(86400123456789)

enum { EXE_OFFSET = sizeof(struct mrl_record) + sizeof(struct mrl_target) };

static const char *const comms[] = { "earlyoom", "lmkd", "stress-ng-oom", "oomd", "systemd-oomd" };

/* The arguments that the calls are seen with. */
static void make_args(struct mrl_record *record, enum mrl_event_index event, unsigned int index)
{
    if (event == MRL_EVENT_MLOCK2) {
        record->args[0] = 0x7f3a5c000000 + index * UINT64_C(4096);
        record->args[1] = 65536;
        record->args[2] = 1;
    } else {
        record->args[0] = 3 + index % 60;
    }
}

static void make_target(struct mrl_target *target, unsigned int index)
{
    *target = (struct mrl_target){
        .flags = MRL_TARGET_FOUND | MRL_TARGET_MM | MRL_TARGET_AFTER,
        .host_pid = (__s32)(40210 + index),
        .pid = (__s32)(40210 + index),
        .uid = 1000,
        .start_ns = BOOT_NS - 123456789,
        .cgroup_id = 1,
        .before = { .file = 412, .anon = 65536 + index, .swap = 17, .shmem = 3 },
        .after = { .file = 212, .anon = 16, .swap = 17, .shmem = 3 },
        .locked_pages = 1024,
        .pagetable_bytes = 180224,
        .comm = "stress-ng-vm",
    };
}

void bench_record__make(struct bench_record *record,
                        enum mrl_event_index event,
                        unsigned int index,
                        unsigned int tasks)
{
    const unsigned int task = index % tasks;
    static const char steps[] = "stress-ng\0bin\0usr";
    bool target = event == MRL_EVENT_DO_MRELEASE;

    *record = (struct bench_record){ 0 };
    record->record = (struct mrl_record){
        .size = (__u16)(target ? EXE_OFFSET + sizeof(steps) : sizeof(record->record)),
        .event = (__u8)event,
        .flags = target ? MRL_RECORD_TARGET : 0,
        .cpu = (__u16)(index % 8),
        .lane = event == MRL_EVENT_MLOCK2 ? MRL_LANE_BUSY : MRL_LANE_RARE,
        .seq = index,
        .entry_ns = BOOT_NS + index * UINT64_C(1234567),
        .exit_ns = BOOT_NS + index * UINT64_C(1234567) + 5432,
        .ret = target ? 0 : -(__s64)(index % 40),
        .cgroup_id = 1,
        .thread_start_ns = BOOT_NS - task * UINT64_C(98765432),
        .leader_start_ns = BOOT_NS - task * UINT64_C(98765432),
        .parent_start_ns = BOOT_NS / 2,
        .tid = 1200 + task,
        .pid = 1200 + task,
        .ppid = 1,
        .host_tid = 31200 + task,
        .host_pid = 31200 + task,
        .host_ppid = 30001,
        .uid = task % 2 ? 1000 : 0,
        .mount_ns = 4026531841,
        .pid_ns = 4026531836,
        .host_name = "node-17",
    };
    strcpy(record->record.comm, comms[task % (sizeof(comms) / sizeof(comms[0]))]);
    make_args(&record->record, event, index);
    if (!target)
        return;
    make_target(&record->target, index);
    record->target.exe_bytes = sizeof(steps);
    memcpy(record->exe, steps, sizeof(steps));
}

unsigned int bench_batch__fill(struct mrl_batch *batch,
                               struct mrl_host *host,
                               enum mrl_event_index event,
                               unsigned int tasks,
                               unsigned int first)
{
    struct bench_record record;
    unsigned int count = 0;

    bench_batch__clear(batch);
    while (mrl_batch__has_room(batch, MRL_BATCH_EVENTS)) {
        bench_record__make(&record, event, first + count, tasks);
        if (mrl_decode__append(&record, record.record.size, host, batch))
            bench_die("a record of its own making was refused");
        count++;
    }
    return count;
}

void bench_batch__execute(struct mrl_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->events[i].executable = (struct mrl_text){ EXECUTABLE, sizeof(EXECUTABLE) - 1 };
}

void bench_batch__contain(struct mrl_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->events[i].container_id = (struct mrl_text){ CONTAINER, sizeof(CONTAINER) - 1 };
}

void bench_batch__clear(struct mrl_batch *batch)
{
    batch->count = 0;
    batch->arena.used = 0;
}
