// SPDX-License-Identifier: Apache-2.0
/*
 * The group spool: what it costs to append to a spool that syncs each time, in $TMPDIR: chunks as a
 * busy output has them, and one item alone, which is durable when the call returns.
 */
#include "spool/spool.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"

enum { ITEM = 1171, PER_CHUNK = 224, ROUNDS = 11, CHUNKS = 40, LONE = 400 };

static char bytes[PER_CHUNK * ITEM];
static uint32_t sizes[PER_CHUNK];

static void fill(void)
{
    for (unsigned int i = 0; i < PER_CHUNK; i++) {
        const struct mrl_item_head head = { .number = i };

        sizes[i] = ITEM;
        memset(bytes + i * ITEM, 'x', ITEM);
        memcpy(bytes + i * ITEM, &head, sizeof(head));
    }
}

static void append(struct mrl_spool *spool, size_t items)
{
    const struct mrl_chunk chunk = { bytes, items * ITEM, items, NULL, sizes, NULL };
    size_t done;

    if (mrl_spool__append(spool, &chunk, &done))
        bench_die("an append failed");
}

static void measure(struct mrl_spool *spool, struct bench *bench)
{
    struct bench_samples rates = { 0 }, cpu_ns = { 0 }, lone_us = { 0 };

    for (unsigned int round = 0; round < ROUNDS; round++) {
        const uint64_t began_ns = bench_now_ns(), began_cpu_ns = bench_cpu_ns();

        for (unsigned int i = 0; i < CHUNKS; i++)
            append(spool, PER_CHUNK);
        bench_samples__add(&rates,
                           (double)CHUNKS * PER_CHUNK * 1e9 / (double)(bench_now_ns() - began_ns));
        bench_samples__add(&cpu_ns, (double)(bench_cpu_ns() - began_cpu_ns) / (CHUNKS * PER_CHUNK));
    }
    for (unsigned int i = 0; i < LONE; i++) {
        const uint64_t began_ns = bench_now_ns();

        append(spool, 1);
        bench_samples__add(&lone_us, (double)(bench_now_ns() - began_ns) / 1000);
    }
    bench_median(bench, "spool.append_256k.events_per_s", &rates, "1/s",
                 "chunks of %d items of %d bytes, a frame and fdatasync each", PER_CHUNK, ITEM);
    bench_median(bench, "spool.append_256k.cpu_ns_per_event", &cpu_ns, "ns", "of the same");
    bench_median(bench, "spool.append_one.us", &lone_us, "us",
                 "one item, a frame and fdatasync: durable when it returns");
    bench_result(bench, "spool.append_one_p99.us", bench_samples__percentile(&lone_us, 99), "us", 0,
                 "the same");
    bench_samples__done(&rates);
    bench_samples__done(&cpu_ns);
    bench_samples__done(&lone_us);
}

static void remove_all(const char *directory)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;

    while (stream && (entry = readdir(stream)))
        unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream)
        closedir(stream);
    rmdir(directory);
}

static int run(struct bench *bench)
{
    const char *base = getenv("TMPDIR");
    char directory[256];
    struct mrl_spool_options options = { .directory = directory,
                                         .format = "json",
                                         .size = UINT64_C(512) << 20,
                                         .sync = MRL_SYNC_BATCH };
    struct mrl_spool *spool;
    struct mrl_error error;

    snprintf(directory, sizeof(directory), "%.200s/spool-bench.XXXXXX", base ? base : "/var/tmp");
    if (!mkdtemp(directory) || mrl_spool__open(&options, &error, &spool)) {
        bench_say("spool: %s cannot be used", directory);
        rmdir(directory);
        return -1;
    }
    fill();
    measure(spool, bench);
    mrl_spool__close(spool);
    remove_all(directory);
    return 0;
}

const struct bench_group bench_spool = { "spool", "appending to a spool that syncs", run };
