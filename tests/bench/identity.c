// SPDX-License-Identifier: Apache-2.0
/*
 * The group identity: what it costs to know whose container a call came from. In the reader, the
 * look into what is known; in the probe, by the kernel's own statistics, all that runs for a call
 * of a cgroup that was told before, and for one whose names are told.
 */
#include <abi/record.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <sys/syscall.h>

#include "bare.skel.h"
#include "bench/bench.h"
#include "bench/program.h"
#include "enrich/cgroups.h"
#include "enrich/known_names.h"

enum {
    ROUNDS = 21,
    SLICE_NS = 5 * 1000 * 1000,
    FEW = 16,
    MANY = 4096,
    SUBJECTS = 5,
    PROBE_ROUNDS = 11,
    KNOWN_CALLS = 20000,
    TOLD_CALLS = 500,
    PROGRAMS_MAX = 64
};

/* -- the reader ------------------------------------------------------------------------------- */

struct reader {
    struct mrl_cgroups *cgroups;
    struct mrl_known_names *known;
    unsigned int count;
    struct mrl_cgroup_names names[MANY];
};

static struct reader readers[2];

static void make_names(struct mrl_cgroup_names *names, unsigned int number)
{
    *names = (struct mrl_cgroup_names){ .size = sizeof(*names),
                                        .event = MRL_RECORD_CGROUP,
                                        .flags = MRL_CGROUP_WHOLE,
                                        .count = 3,
                                        .cgroup_id = UINT64_C(1) << 32 | number };
    snprintf(names->nodes[0], sizeof(names->nodes[0]), "docker-%064x.scope", number);
    snprintf(names->nodes[1], sizeof(names->nodes[1]), "system.slice");
}

static void ask(void *context)
{
    const struct reader *reader = context;

    for (unsigned int i = 0; i < MANY; i++)
        if (mrl_cgroups__container(reader->cgroups, reader->names[i % reader->count].cgroup_id)
                .lookup != MRL_LOOKUP_KNOWN)
            bench_die("a cgroup that was described is not known");
}

/* The look of the reader, and that of whoever decodes. */
static void ask_names(void *context)
{
    const struct reader *reader = context;

    for (unsigned int i = 0; i < MANY; i++) {
        const struct mrl_membership found =
            mrl_cgroups__container(reader->cgroups, reader->names[i % reader->count].cgroup_id);

        if (mrl_known_names__named(reader->known, &found)->result != MRL_NAMES_KNOWN)
            bench_die("names that were told are not known");
    }
}

static void tell_names(struct reader *reader)
{
    for (unsigned int i = 0; i < reader->count; i++) {
        const struct mrl_container_names names = {
            .id = mrl_cgroups__container(reader->cgroups, reader->names[i].cgroup_id).id,
            .result = MRL_NAMES_KNOWN,
            .texts = { [MRL_NAME_CONTAINER] = { "web", 3 }, [MRL_NAME_POD] = { "web-0", 5 } },
        };

        if (mrl_known_names__tell(reader->known, &names) < 0)
            bench_die("names cannot be told");
        mrl_known_names__take(reader->known);
    }
}

static void describe(void *context)
{
    const struct reader *reader = context;

    for (unsigned int i = 0; i < reader->count; i++)
        mrl_cgroups__describe(reader->cgroups, &reader->names[i], sizeof(reader->names[i]));
}

static void open_reader(struct reader *reader, unsigned int count)
{
    if (mrl_cgroups__new(false, &reader->cgroups))
        bench_die("out of memory");
    reader->count = count;
    for (unsigned int i = 0; i < count; i++)
        make_names(&reader->names[i], i);
    describe(reader);
    if (mrl_known_names__new(&(struct mrl_names_asking){ NULL, NULL }, &reader->known))
        bench_die("out of memory");
    tell_names(reader);
}

static void measure_reader(struct bench *bench)
{
    struct bench_subject subjects[] = {
        { .run = ask, .context = &readers[0], .operations = MANY },
        { .run = ask, .context = &readers[1], .operations = MANY },
        { .run = describe, .context = &readers[0], .operations = FEW },
        { .run = ask_names, .context = &readers[0], .operations = MANY },
        { .run = ask_names, .context = &readers[1], .operations = MANY },
    };
    static const char *const names[] = { "identity.reader.known.ns_per_event",
                                         "identity.reader.known_many.ns_per_event",
                                         "identity.reader.describe.ns_per_cgroup",
                                         "identity.reader.named.ns_per_event",
                                         "identity.reader.named_many.ns_per_event" };
    static const char *const methods[] = {
        "mrl_cgroups__container of 16 known cgroups in turn",
        "the same of 4096, as many as the probes remember to have told",
        "mrl_cgroups__describe of a container's cgroup, of which the same is known",
        "the container and its names, of 16 in turn",
        "the same of 4096",
    };

    open_reader(&readers[0], FEW);
    open_reader(&readers[1], MANY);
    bench_rounds(subjects, SUBJECTS, ROUNDS, SLICE_NS);
    for (unsigned int i = 0; i < SUBJECTS; i++) {
        bench_median(bench, names[i], &subjects[i].ns, "ns",
                     "%s; CPU time, median of %d interleaved rounds of %d ms", methods[i], ROUNDS,
                     SLICE_NS / 1000000);
        bench_samples__done(&subjects[i].ns);
    }
    mrl_cgroups__free(readers[0].cgroups);
    mrl_cgroups__free(readers[1].cgroups);
    mrl_known_names__free(readers[0].known);
    mrl_known_names__free(readers[1].known);
}

/* -- the probe -------------------------------------------------------------------------------- */

/* What the program under test has loaded: others may load theirs meanwhile. */
struct loaded {
    int programs[PROGRAMS_MAX];
    unsigned int count;
    int described; /* the map of the cgroups that were told; -1: not found */
};

static bool is_described(int map)
{
    struct bpf_map_info info = { 0 };
    __u32 size = sizeof(info);

    return !bpf_obj_get_info_by_fd(map, &info, &size) && !strncmp(info.name, "described_", 10);
}

/* The number that the kernel tells of a descriptor by that key; 0: none. */
static __u32 id_of_fd(pid_t pid, const char *fd, const char *key)
{
    char path[300], line[256];
    __u32 id = 0;
    FILE *info;

    snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
    info = fopen(path, "re");
    while (info && fgets(line, sizeof(line), info))
        if (!strncmp(line, key, strlen(key)))
            id = (__u32)strtoul(line + strlen(key), NULL, 10);
    if (info)
        fclose(info);
    return id;
}

static void add_loaded(struct loaded *loaded, __u32 program, __u32 map)
{
    int fd = map ? bpf_map_get_fd_by_id(map) : -1;

    if (fd >= 0 && loaded->described < 0 && is_described(fd))
        loaded->described = fd;
    else if (fd >= 0)
        close(fd);
    if (program && loaded->count < PROGRAMS_MAX)
        loaded->programs[loaded->count++] = bpf_prog_get_fd_by_id(program);
}

static void find_loaded(struct loaded *loaded, pid_t pid)
{
    struct dirent *entry;
    char path[64];
    DIR *fds;

    *loaded = (struct loaded){ .described = -1 };
    snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
    fds = opendir(path);
    while (fds && (entry = readdir(fds)))
        if (entry->d_name[0] != '.')
            add_loaded(loaded,
                       id_of_fd(pid, entry->d_name, "link_id:")
                           ? 0
                           : id_of_fd(pid, entry->d_name, "prog_id:"),
                       id_of_fd(pid, entry->d_name, "map_id:"));
    if (fds)
        closedir(fds);
}

static void close_loaded(struct loaded *loaded)
{
    for (unsigned int i = 0; i < loaded->count; i++)
        close(loaded->programs[i]);
    close(loaded->described);
}

static double run_ns(const struct loaded *loaded)
{
    double ns = 0;

    for (unsigned int i = 0; i < loaded->count; i++) {
        struct bpf_prog_info info = { 0 };
        __u32 size = sizeof(info);

        if (!bpf_obj_get_info_by_fd(loaded->programs[i], &info, &size))
            ns += (double)info.run_time_ns;
    }
    return ns;
}

static void forget(int described)
{
    unsigned char key[16];

    while (!bpf_map_get_next_key(described, NULL, key))
        bpf_map_delete_elem(described, key);
}

static double ns_per_call(const struct loaded *loaded, unsigned int calls, bool forgotten)
{
    double before = run_ns(loaded);

    for (unsigned int i = 0; i < calls; i++) {
        if (forgotten)
            forget(loaded->described);
        syscall(SYS_munlock, 0L, 0L);
    }
    return (run_ns(loaded) - before) / calls;
}

static void measure_calls(struct bench *bench, const struct loaded *loaded)
{
    struct bench_samples known = { 0 }, told = { 0 };

    for (int i = 0; i <= PROBE_ROUNDS; i++) {
        double of_known = ns_per_call(loaded, KNOWN_CALLS, false);
        double of_told = ns_per_call(loaded, TOLD_CALLS, true);

        if (!i)
            continue; /* it warms up */
        bench_samples__add(&known, of_known);
        bench_samples__add(&told, of_told);
    }
    bench_median(
        bench, "identity.probe.known.ns_per_call", &known, "ns",
        "run time of all our programs by the kernel's statistics (which add their two looks "
        "at the clock to each), per munlock() of a known cgroup, --events munlock, rung %s",
        "auto");
    bench_median(bench, "identity.probe.told.ns_per_call", &told, "ns",
                 "the same, where the cgroup's names are told before each event");
    bench_ratio(bench, "identity.probe.ratio", &told, &known, "told over known");
    bench_samples__done(&known);
    bench_samples__done(&told);
}

/* The same calls, seen by a sensor without names and by one with them. */
static void compare_calls(const struct loaded *off,
                          const struct loaded *on,
                          struct bench_samples *differences)
{
    for (int i = 0; i <= PROBE_ROUNDS; i++) {
        double before = run_ns(on) - run_ns(off);

        for (unsigned int call = 0; call < KNOWN_CALLS; call++)
            syscall(SYS_munlock, 0L, 0L);
        if (i) /* the first warms up */
            bench_samples__add(differences, (run_ns(on) - run_ns(off) - before) / KNOWN_CALLS);
    }
}

/* Starts one more, and finds what it loaded. */
static int open_sensor(struct bench_program *sensor,
                       const char *const *arguments,
                       struct loaded *loaded)
{
    if (bench_program__start(sensor, bench_program_cpu(), BENCH_STDOUT_NULL, arguments) ||
        bench_program__wait(sensor))
        return -1;
    find_loaded(loaded, sensor->pid);
    return loaded->described < 0 ? -1 : 0;
}

static const char *const names_off[] = { "--events", "munlock", "--output", "none", NULL };
static const char *const names_on[] = {
    "--events", "munlock",        "--output",
    "none",     "--names-socket", "docker=/run/mrelease-bench-nobody",
    NULL
};

static int measure_known(struct bench *bench)
{
    struct bench_program sensor;
    struct loaded loaded;
    int failed = open_sensor(&sensor, names_off, &loaded);

    if (!failed)
        measure_calls(bench, &loaded);
    close_loaded(&loaded);
    bench_program__stop(&sensor, NULL);
    return failed;
}

/* Whose programs run first finds less in the caches: so each is first once. */
static int measure_names(struct bench *bench)
{
    struct bench_samples differences[2] = { { 0 }, { 0 } };
    struct bench_program sensors[2];
    struct loaded loaded[2];
    int failed = 0;

    for (int first = 0; !failed && first < 2; first++) {
        failed = open_sensor(&sensors[first], first ? names_on : names_off, &loaded[first]);
        if (!failed)
            failed = open_sensor(&sensors[!first], first ? names_off : names_on, &loaded[!first]);
        if (!failed)
            compare_calls(&loaded[0], &loaded[1], &differences[first]);
        for (int i = 0; i < 2; i++) {
            close_loaded(&loaded[i]);
            bench_program__stop(&sensors[i], NULL);
        }
    }
    bench_result(
        bench, "identity.probe.names.ns_per_call",
        (bench_samples__percentile(&differences[0], 50) +
         bench_samples__percentile(&differences[1], 50)) /
            2,
        "ns", bench_samples__spread(&differences[0]),
        "run time of a sensor's programs with --names on less that of one with off, of the "
        "same munlock() calls of a known cgroup: mean of the medians of two orders");
    bench_samples__done(&differences[0]);
    bench_samples__done(&differences[1]);
    return failed;
}

static int measure_probe(struct bench *bench)
{
    int stats = bpf_enable_stats(BPF_STATS_RUN_TIME), failed;

    if (stats < 0) {
        bench_say("identity: the kernel keeps no run times for us");
        return -1;
    }
    bench_pin(bench_load_cpu());
    failed = measure_known(bench) || measure_names(bench) ? -1 : 0;
    bench_pin(-1);
    close(stats);
    return failed;
}

/* -- a look into the probe's hash -------------------------------------------------------------- */

enum { LOOKS = 1024 };

static void look(void *context)
{
    struct bare_bpf *bare = context;
    LIBBPF_OPTS(bpf_test_run_opts, options);

    if (bpf_prog_test_run_opts(bpf_program__fd(bare->progs.look_up__cgroups), &options))
        bench_die("the look into a hash does not run");
}

static int measure_look(struct bench *bench)
{
    struct bare_bpf *bare = bare_bpf__open();
    struct bench_subject subject = { .run = look, .context = bare, .operations = LOOKS };
    struct bpf_program *program;
    const __u8 one = 1;

    if (!bare)
        return -1;
    bpf_object__for_each_program(program, bare->obj)
        bpf_program__set_autoload(program, program == bare->progs.look_up__cgroups);
    if (bare_bpf__load(bare)) {
        bare_bpf__destroy(bare);
        return -1;
    }
    for (__u64 i = 0; i < LOOKS; i++)
        bpf_map_update_elem(bpf_map__fd(bare->maps.known_cgroups), (__u64[]){ i, 0 }, &one,
                            BPF_ANY);
    bench_rounds(&subject, 1, ROUNDS, SLICE_NS);
    if (!bare->bss->found)
        bench_die("what was put into a hash is not found");
    bench_median(
        bench, "identity.probe.look.ns", &subject.ns, "ns",
        "a look into a hash as that of the cgroups that were told, of %d: all that a known "
        "cgroup costs the probe where its task did not call from there before",
        LOOKS);
    bench_samples__done(&subject.ns);
    bare_bpf__destroy(bare);
    return 0;
}

static int run(struct bench *bench)
{
    bench_say("identity: %d rounds of the reader, %d of the probe", ROUNDS, PROBE_ROUNDS);
    measure_reader(bench);
    return measure_look(bench) || measure_probe(bench) ? -1 : 0;
}

const struct bench_group bench_identity = {
    "identity",
    "Whose container a call came from: in the reader, and in the probe.",
    run,
};
