// SPDX-License-Identifier: Apache-2.0
/* The frame of a live test. */
#include <linux/bpf.h>

#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "../filter.h"
#include "collect.h"

enum { TEST_TIME_MAX_S = 150, EMULATED_TEST_TIME_MAX_S = 1150, LONG_TEST_TIME_MAX_S = 1200 };

#define TRACEFS       "/sys/kernel/tracing"
#define INITIAL_PIDNS 0xEFFFFFFCU /* include/linux/proc_ns.h */

static char directory[64];
static char scope[128]; /* of each run; empty: the whole host */
static bool is_about_the_host;

/* A name of our own, which children and threads inherit. */
static void name_callers(void)
{
    char name[16];

    snprintf(name, sizeof(name), "live.%d", (int)getpid());
    prctl(PR_SET_NAME, name);
    snprintf(scope, sizeof(scope), "comm=%s", name);
}

const char *live__scope(void)
{
    return *scope && !is_about_the_host ? scope : NULL;
}

void live__add_caller(const char *name)
{
    size_t used = strlen(scope);

    assert_true((size_t)snprintf(scope + used, sizeof(scope) - used, ",%s", name) <
                sizeof(scope) - used);
}

void live__set_scope(const char *text)
{
    assert_true((size_t)snprintf(scope, sizeof(scope), "%s", text) < sizeof(scope));
}

void live__scope_to_namespace(void)
{
    struct stat space;

    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(stat("/proc/self/ns/mnt", &space), 0);
    live__set_scope(live__text("mntns=%llu", (unsigned long long)space.st_ino));
}

void live__is_about_the_host(void)
{
    is_about_the_host = true;
}

static unsigned int time_max_s(void)
{
    if (getenv("MRELEASE_TEST_EMULATED"))
        return EMULATED_TEST_TIME_MAX_S;
    return getenv("MRELEASE_TEST_LONG") ? LONG_TEST_TIME_MAX_S : TEST_TIME_MAX_S;
}

int live__setup(void **state)
{
    (void)state;
    name_callers();
    /* Whatever hangs: children die with their parent. */
    alarm(time_max_s());
    snprintf(directory, sizeof(directory), "/tmp/mrelease-live-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    chmod(directory, 0755); /* some of those who act here are not root */
    cleanup__tree(directory);
    return 0;
}

int live__teardown(void **state)
{
    int valid = collect__directory(directory);

    (void)state;
    cleanup__run();
    return valid;
}

/* Two instructions that a kernel with tracing programs takes: r0 = 0, exit. */
static int try_bpf(void)
{
    const struct bpf_insn program[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K },
        { .code = BPF_JMP | BPF_EXIT },
    };
    union bpf_attr attr;
    int fd;

    memset(&attr, 0, sizeof(attr));
    attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
    attr.insns = (uintptr_t)program;
    attr.insn_cnt = COUNT_OF(program);
    attr.license = (uintptr_t) "GPL";
    fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

void live__require(void)
{
    struct stat own;
    int err;

    if (geteuid()) {
        puts("# skipped: needs root");
        skip();
    }
    err = try_bpf();
    if (err) {
        printf("# skipped: this kernel loads no BPF programs for us: %s\n", strerror(-err));
        skip();
    }
    if (access("/sys/kernel/btf/vmlinux", R_OK)) {
        puts("# skipped: this kernel has no BTF");
        skip();
    }
    if (stat("/proc/self/ns/pid", &own) || own.st_ino != INITIAL_PIDNS) {
        puts("# skipped: needs the initial PID namespace, to know ids as the host has them");
        skip();
    }
}

#ifdef MRL_SANITIZED
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

void live__require_unsanitized(void)
{
    live__require();
    if (SANITIZED) {
        puts("# skipped: a sanitizer wants to be loaded first, and takes memory of its own");
        skip();
    }
}

bool live__works(const char *rung)
{
    const char *const arguments[] = { "run", "--rung",   rung,   "--duration",
                                      "1ms", "--output", "none", NULL };
    struct sensor sensor;

    return !sensor__run(&sensor, arguments);
}

static const char *const ladder[] = { "fentry", "kprobe", "tracepoint", "tp_btf", "raw_tp" };

bool live__sees_compat(const char *rung)
{
    return strcmp(rung, "tracepoint") != 0;
}

bool live__sees_blocked(const char *rung)
{
    return strcmp(rung, "fentry") != 0 && strcmp(rung, "kprobe") != 0;
}

void live__each_rung(void (*check)(const char *rung))
{
    const char *forced = getenv("MRELEASE_TEST_RUNG"), *offered = getenv("MRELEASE_TEST_RUNGS");
    unsigned int checked = 0;

    live__private_mounts(); /* tracefs, for tracepoint */
    for (size_t i = 0; i < COUNT_OF(ladder); i++) {
        if (forced ? strcmp(forced, ladder[i]) != 0
                   : !(offered ? strstr(offered, ladder[i]) != NULL : live__works(ladder[i])))
            continue;
        printf("# rung %s\n", ladder[i]);
        check(ladder[i]);
        checked++;
    }
    assert_int_not_equal(checked, 0);
}

const char *live__text(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    int size;

    va_start(arguments, format);
    size = vasprintf(&text, format, arguments);
    va_end(arguments);
    assert_true(size >= 0);
    cleanup__add(free, text);
    return text;
}

const char *live__path(const char *name)
{
    return live__text("%s/%s", directory, name);
}

const char *live__output(const char *format, const char *name)
{
    return live__text("%s:%s/%s", format, directory, name);
}

void live__private_mounts(void)
{
    static bool done;

    if (done)
        return;
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    if (access(TRACEFS "/events", F_OK) && mount("tracefs", TRACEFS, "tracefs", 0, NULL)) {
        printf("# skipped: tracefs: %s\n", strerror(errno));
        skip();
    }
    done = true;
}

void live__pause_ms(unsigned int ms)
{
    const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

    nanosleep(&time, NULL);
}
