// SPDX-License-Identifier: Apache-2.0
/* Scripts. */
#include "script.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness.h"

enum { STEP_MS = 2, SCRIPT_TIME_MAX_MS = 40000 };

static void unmap(void *script)
{
    munmap(script, sizeof(struct script));
}

/* The last one that is ours: number 0 may be shown for want of a better one. */
static unsigned int last_cpu(void)
{
    unsigned int cpu = CPU_SETSIZE - 1;
    cpu_set_t cpus;

    sched_getaffinity(0, sizeof(cpus), &cpus);
    while (cpu && !CPU_ISSET(cpu, &cpus))
        cpu--;
    return cpu;
}

struct script *script__new(void)
{
    struct script *script =
        mmap(NULL, sizeof(*script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(script, MAP_FAILED);
    cleanup__add(unmap, script);
    script->cpu = last_cpu();
    return script;
}

void script__fail(struct script *script, const char *text)
{
    snprintf(script->failure, sizeof(script->failure), "%s (%s)", text, strerror(errno));
    _exit(1);
}

void script__check(struct script *script, bool truth, const char *text)
{
    if (!truth)
        script__fail(script, text);
}

static void pin(struct script *script)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(script->cpu, &cpus);
    script__check(script, !sched_setaffinity(0, sizeof(cpus), &cpus), "sched_setaffinity");
}

pid_t script__start(struct script *script, void (*act)(struct script *script))
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin(script);
        act(script);
        _exit(0);
    }
    cleanup__child(child);
    return child;
}

void script__wait(const struct script *script, pid_t child)
{
    unsigned int waited_ms = 0;
    int status;

    while (!waitpid(child, &status, WNOHANG)) {
        if (waited_ms > SCRIPT_TIME_MAX_MS)
            fail_msg("a script does not end");
        live__pause_ms(STEP_MS);
        waited_ms += STEP_MS;
    }
    cleanup__forget_child(child);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("a script failed: %s, wait status %#x", script->failure, (unsigned int)status);
}

void script__run(struct script *script, void (*act)(struct script *script))
{
    script__wait(script, script__start(script, act));
}

/* -- in the child ----------------------------------------------------------------------------- */

static uint64_t epoch_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static struct call *begin(struct script *script, const char *event)
{
    struct call *call = &script->calls[script->count];

    script__check(script, script->count < CALLS_MAX, "more calls than a script holds");
    script->count++;
    call->event = event__find(event);
    call->cpu = (unsigned int)sched_getcpu();
    script__check(script, caller__take(&call->caller), "the caller does not know itself");
    return call;
}

static struct call *call_by_number(struct script *script,
                                   const char *event,
                                   long bit,
                                   const uint64_t args[ARGS_MAX])
{
    struct call *call = begin(script, event);

    memcpy(call->args, args, sizeof(call->args));
    call->before_ns = epoch_ns();
    if (script->last_moment)
        script->last_moment(script);
    script->last_moment = NULL;
    call->result = trigger__native(call->event->number | bit, args[0], args[1], args[2]);
    call->after_ns = epoch_ns();
    return call;
}

struct call *script__call(
    struct script *script, const char *event, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
    return call_by_number(script, event, 0, (uint64_t[]){ arg0, arg1, arg2 });
}

struct call *script__call_x32(
    struct script *script, const char *event, uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
    return call_by_number(script, event, X32_BIT, (uint64_t[]){ arg0, arg1, arg2 });
}

struct call *script__call_compat(
    struct script *script, const char *event, uint32_t arg0, uint32_t arg1, uint32_t arg2)
{
    struct call *call = begin(script, event);

    memcpy(call->args, (uint64_t[]){ arg0, arg1, arg2 }, sizeof(call->args));
    call->compat = true;
    call->before_ns = epoch_ns();
    call->result = trigger__compat(call->event->compat_number, arg0, arg1, arg2);
    call->after_ns = epoch_ns();
    return call;
}

void script__fork(struct script *script, void (*act)(struct script *script))
{
    pid_t child = fork();
    int status;

    script__check(script, child >= 0, "fork");
    if (!child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        act(script);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0)
        script__check(script, errno == EINTR, "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        _exit(1); /* the text is there already */
}

struct thread {
    struct script *script;
    void (*act)(struct script *script);
};

static void *run_thread(void *context)
{
    struct thread *thread = context;

    thread->act(thread->script);
    return NULL;
}

void script__thread(struct script *script, void (*act)(struct script *script))
{
    struct thread thread = { script, act };
    pthread_t id;

    script__check(script, !pthread_create(&id, NULL, run_thread, &thread), "pthread_create");
    script__check(script, !pthread_join(id, NULL), "pthread_join");
}
