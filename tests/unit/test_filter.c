// SPDX-License-Identifier: Apache-2.0
/* Conditions of --events and --scope: what they mean, with decoded events. */
#include <errno.h>
#include <mrelease/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "unit/records.h"
#include "unit/unit.h"

enum { TEXTS_MAX = 4 };

/* A filter of up to four texts of --events, and as many of --scope. */
static int make(const char *const events[TEXTS_MAX],
                const char *const scopes[TEXTS_MAX],
                struct mrl_error *error,
                struct mrl_filter **ret_filter)
{
    struct mrl_filter_texts texts = { .events = events,
                                      .scopes = scopes,
                                      .start = { 1000, 98, 4026531841 } };

    while (texts.event_count < TEXTS_MAX && events[texts.event_count])
        texts.event_count++;
    while (texts.scope_count < TEXTS_MAX && scopes[texts.scope_count])
        texts.scope_count++;
    return mrl_filter__new(&texts, error, ret_filter);
}

static bool accepts(const char *const events[TEXTS_MAX],
                    const char *const scopes[TEXTS_MAX],
                    const struct mrl_event *event)
{
    struct mrl_filter *filter = NULL;
    struct mrl_error error = { "" };
    bool accepted;

    if (make(events, scopes, &error, &filter))
        fail_case("'%s' '%s': %s", events[0], scopes[0], error.text);
    accepted = mrl_filter__accepts(filter, event);
    mrl_filter__free(filter);
    return accepted;
}

/* mlock(4096, 8192) = -12 by uid 1000, process 7 and thread 8 in their namespace, 70 and 80 here.
 */
static struct mrl_event the_call(struct test_decoder *decoder)
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

struct meaning {
    const char *events[TEXTS_MAX], *scopes[TEXTS_MAX];
    bool accepted;
};

/* The rules of the fact sheet and of Tracee's sources, each with what follows from it. */
static const struct meaning meanings[] = {
    /* values of one filter OR; text of numbers in decimal, and hexadecimal beside it */
    { { "mlock.data.len=8192" }, { NULL }, true },
    { { "mlock.args.len=8192" }, { NULL }, true },
    { { "mlock.data.len=1,8192,3" }, { NULL }, true },
    { { "mlock.data.len=1,2" }, { NULL }, false },
    { { "mlock.data.len=0x2000" }, { NULL }, true },
    { { "mlock.data.addr=0X1000" }, { NULL }, true },
    { { "mlock.data.len!=8192" }, { NULL }, false },
    { { "mlock.data.len!=1,2" }, { NULL }, true },
    { { "mlock.data.len!=1,8192" }, { NULL }, false },
    /* prefix, suffix, contains */
    { { "mlock.data.len=81*" }, { NULL }, true },
    { { "mlock.data.len=*92" }, { NULL }, true },
    { { "mlock.data.len=*19*" }, { NULL }, true },
    { { "mlock.data.len=82*" }, { NULL }, false },
    { { "mlock.data.len!=8*" }, { NULL }, false },
    /* what is wanted wins over what is refused; refusing alone lets the rest through */
    { { "mlock.data.len=8192", "mlock.data.len!=8192" }, { NULL }, true },
    { { "mlock.data.len=1", "mlock.data.len!=2" }, { NULL }, true },
    { { "mlock.data.len=1", "mlock.data.len!=8192" }, { NULL }, false },
    /* filters on different fields AND */
    { { "mlock.data.len=8192", "mlock.data.addr=4096" }, { NULL }, true },
    { { "mlock.data.len=8192", "mlock.data.addr=4097" }, { NULL }, false },
    /* filters on one field add up */
    { { "mlock.data.len=1", "mlock.data.len=8192" }, { NULL }, true },
    /* numbers have an order */
    { { "mlock.retval<0" }, { NULL }, true },
    { { "mlock.retval>=0" }, { NULL }, false },
    { { "mlock.retval=-12" }, { NULL }, true },
    { { "mlock.retval=-0xc" }, { NULL }, true },
    { { "mlock.retval<-12" }, { NULL }, false },
    { { "mlock.retval<=-12" }, { NULL }, true },
    { { "mlock.retval>-13" }, { NULL }, true },
    { { "mlock.retval!=0" }, { NULL }, true },
    { { "mlock.retval!=-12" }, { NULL }, false },
    { { "mlock.retval>-20", "mlock.retval<-10" }, { NULL }, true },
    { { "mlock.retval>-10", "mlock.retval<-20", "mlock.retval=-12" }, { NULL }, true },
    { { "mlock.retval>-5", "mlock.retval>-20" }, { NULL }, true }, /* the wider limit holds */
    { { "mlock.retval<-20", "mlock.retval<-5" }, { NULL }, true },
    { { "mlock.retval>0", "mlock.retval=-12" }, { NULL }, true },
    { { "mlock.retval<0", "mlock.retval!=-12" }, { NULL }, false },
    { { "mlock.data.returnValue=-12" }, { NULL }, true },
    { { "mlock.data.len>8191" }, { NULL }, true },
    { { "mlock.data.len>8192" }, { NULL }, false },
    { { "mlock.data.addr<18446744073709551615" }, { NULL }, true },
    /* the context */
    { { "mlock.scope.uid=1000" }, { NULL }, true },
    { { "mlock.context.userId=1000" }, { NULL }, true },
    { { "mlock.scope.uid!=1000" }, { NULL }, false },
    { { "mlock.scope.uid>999" }, { NULL }, true },
    { { "mlock.scope.pid=7" }, { NULL }, true },
    { { "mlock.scope.p=7" }, { NULL }, true },
    { { "mlock.scope.processId=70" }, { NULL }, false },
    { { "mlock.scope.tid=8" }, { NULL }, true },
    { { "mlock.scope.ppid=6" }, { NULL }, true },
    { { "mlock.scope.hostPid=70" }, { NULL }, true },
    { { "mlock.scope.hostProcessId=70" }, { NULL }, true },
    { { "mlock.scope.hostPid=80" }, { NULL }, false },
    { { "mlock.scope.hostTid=80" }, { NULL }, true },
    { { "mlock.scope.hostParentProcessId=60" }, { NULL }, true },
    { { "mlock.scope.mntns=4026531841" }, { NULL }, true },
    { { "mlock.scope.pidns!=4026531836" }, { NULL }, false },
    { { "mlock.scope.processorId=3" }, { NULL }, true },
    { { "mlock.scope.cgroupId=99" }, { NULL }, true },
    { { "mlock.scope.timestamp>1763467321987654320" }, { NULL }, true },
    { { "mlock.scope.timestamp>1763467321987654321" }, { NULL }, false },
    { { "mlock.scope.comm=worker-a" }, { NULL }, true },
    { { "mlock.scope.comm=worker" }, { NULL }, false },
    { { "mlock.scope.processName=worker*" }, { NULL }, true },
    { { "mlock.scope.comm=*-a" }, { NULL }, true },
    { { "mlock.scope.comm=*ork*" }, { NULL }, true },
    { { "mlock.scope.comm!=worker*" }, { NULL }, false },
    { { "mlock.scope.hostName=node-1" }, { NULL }, true },
    { { "mlock.scope.syscall=mlock" }, { NULL }, true },
    { { "mlock.scope.syscall!=mlock" }, { NULL }, false },
    { { "mlock.scope.container" }, { NULL }, true },
    { { "mlock.scope.host" }, { NULL }, false },
    { { "mlock.scope.containerId=0123*" }, { NULL }, true },
    { { "mlock.scope.containerId=0123" }, { NULL }, false },
    /* another event's filter is no concern of this one */
    { { "mlock", "munlock.retval=77" }, { NULL }, true },
    /* scopes: several AND, their values OR */
    { { "mlock" }, { "uid=1000" }, true },
    { { "mlock" }, { "uid=0,1000" }, true },
    { { "mlock" }, { "uid=0" }, false },
    { { "mlock" }, { "uid!=0" }, true },
    { { "mlock" }, { "uid>=1000" }, true },
    { { "mlock" }, { "uid<1000" }, false },
    { { "mlock" }, { "uid=1000", "comm=worker-a" }, true },
    { { "mlock" }, { "uid=1000", "comm=worker-b" }, false },
    { { "mlock" }, { "pid=70" }, true },
    { { "mlock" }, { "pid=80" }, true }, /* a thread will do */
    { { "mlock" }, { "pid=7" }, false },
    { { "mlock" }, { "pid!=70" }, true }, /* Tracee's: the thread is not 70 */
    { { "mlock" }, { "pid!=70,80" }, false },
    { { "mlock" }, { "pid=new" }, true },
    { { "mlock" }, { "pid!=new" }, false },
    { { "mlock" }, { "pid=new", "pid=70" }, true },
    { { "mlock" }, { "pid=new", "pid=71" }, false },
    { { "mlock" }, { "mntns=4026531841" }, true },
    { { "mlock" }, { "pidns=1" }, false },
    { { "mlock" }, { "uts=node-1" }, true },
    { { "mlock" }, { "uts!=node-1" }, false },
    { { "mlock" }, { "container" }, true },
    { { "mlock" }, { "not-container" }, false },
    { { "mlock" }, { "container=0123456789ab" }, true },
    { { "mlock" }, { "container=fff,0123" }, true },
    { { "mlock", "munlock.scope.host" }, { "comm=worker-a" }, true },
    /* as later versions of Tracee choose sets */
    { { "tag=syscalls", "mlock.retval<0" }, { NULL }, true },
    { { "mlock" }, { "container=123" }, false },
    { { "mlock" }, { "container!=0123" }, false },
    { { "mlock.retval<0" }, { "uid=0" }, false },
    { { "mlock" }, { "container=new" }, true },
    { { "mlock" }, { "container!=new" }, false },
    { { "mlock" }, { "container=started" }, true },
    { { "mlock.scope.container=started" }, { NULL }, true },
    /* what its runtime tells of a container */
    { { "mlock.scope.containerName=app" }, { NULL }, true },
    { { "mlock.scope.containerName!=app" }, { NULL }, false },
    { { "mlock.scope.containerImage=*nginx*" }, { NULL }, true },
    { { "mlock.scope.containerImage=nginx*" }, { NULL }, false },
    { { "mlock.scope.containerImageDigest=sha256:*" }, { NULL }, false },
    { { "mlock.scope.containerImageDigest!=sha256:*" }, { NULL }, true },
    { { "mlock.scope.podName=nginx-*", "mlock.scope.podNamespace=web" }, { NULL }, true },
    { { "mlock.scope.podNamespace=web,kube-system" }, { NULL }, true },
    { { "mlock.scope.podNamespace=kube-system" }, { NULL }, false },
    { { "mlock.scope.podUid=1" }, { NULL }, false },
    { { "mlock.scope.podSandbox=true" }, { NULL }, false },
    { { "mlock.scope.podSandbox=false" }, { NULL }, true },
    { { "mlock.scope.podSandbox!=true" }, { NULL }, true },
    /* executables */
    { { "mlock" }, { "executable=/usr/bin/worker" }, true },
    { { "mlock" }, { "exec=/usr/bin/work" }, false },
    { { "mlock" }, { "bin=/usr/bin/*" }, true },
    { { "mlock" }, { "binary!=/usr/bin/*" }, false },
    { { "mlock" }, { "exec=/a,/usr/bin/worker" }, true },
    { { "mlock" }, { "exec=/a", "binary=/usr/bin/worker" }, true },
    { { "mlock" }, { "exec=host:/usr/bin/worker" }, true },
    { { "mlock" }, { "exec=4026531841:/usr/bin/worker" }, true },
    { { "mlock" }, { "exec=4026531842:/usr/bin/worker" }, false },
    { { "mlock" }, { "exec!=4026531842:/usr/bin/worker" }, true },
    /* of the context, every number is more than a negative one */
    { { "mlock.scope.uid>-1" }, { NULL }, true },
    { { "mlock.scope.uid>=-5", "mlock.scope.uid<1000" }, { NULL }, false },
};

static void filter_means_what_tracee_means(void **state)
{
    struct mrl_event event = the_call(*state);

    for (size_t i = 0; i < COUNT_OF(meanings); i++)
        if (accepts(meanings[i].events, meanings[i].scopes, &event) != meanings[i].accepted)
            fail_case("'%s' '%s', scope '%s' '%s': %d", meanings[i].events[0],
                      meanings[i].events[1], meanings[i].scopes[0], meanings[i].scopes[1],
                      !meanings[i].accepted);
}

static void filter_tells_the_host_from_containers(void **state)
{
    static const struct meaning cases[] = {
        { { "mlock.scope.container" }, { NULL }, false },
        { { "mlock.scope.host" }, { NULL }, true },
        { { "mlock.scope.containerId!=abc" }, { NULL }, false }, /* implies container */
        { { "mlock" }, { "container" }, false },
        { { "mlock" }, { "not-container" }, true },
        { { "mlock" }, { "container=0123" }, false },
        { { "mlock" }, { "container!=0123" }, true },
    };
    struct mrl_event event = the_call(*state);

    event.container_id = (struct mrl_text){ "", 0 };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (accepts(cases[i].events, cases[i].scopes, &event) != cases[i].accepted)
            fail_case("'%s', scope '%s'", cases[i].events[0], cases[i].scopes[0]);
}

static void filter_tells_a_container_from_one_that_is_set_up(void **state)
{
    static const struct meaning cases[] = {
        { { "mlock" }, { "container" }, true },
        { { "mlock.scope.container" }, { NULL }, true },
        { { "mlock" }, { "container=started" }, false },
        { { "mlock.scope.container=started" }, { NULL }, false },
        { { "mlock", "mlock.scope.container=started" }, { "uid=1000" }, false },
        { { "mlock", "munlock.scope.container=started" }, { NULL }, true },
    };
    struct mrl_event event = the_call(*state);

    event.container_starting = 1;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (accepts(cases[i].events, cases[i].scopes, &event) != cases[i].accepted)
            fail_case("'%s', scope '%s'", cases[i].events[0], cases[i].scopes[0]);
    event.container_starting = 0;
    event.container_id = (struct mrl_text){ "", 0 };
    assert_false(accepts(cases[2].events, cases[2].scopes, &event));
    assert_false(accepts(cases[3].events, cases[3].scopes, &event));
}

/* What is not known is neither in a container nor in none. */
static void filter_takes_unknown_for_neither(void **state)
{
    static const struct meaning cases[] = {
        { { "mlock.scope.container" }, { NULL }, false },
        { { "mlock.scope.host" }, { NULL }, false },
        { { "mlock.scope.containerId=abc" }, { NULL }, false },
        { { "mlock.scope.containerId!=abc" }, { NULL }, false },
        { { "mlock" }, { "container" }, false },
        { { "mlock" }, { "not-container" }, false },
        { { "mlock" }, { "container=0123" }, false },
        { { "mlock" }, { "uid=1000" }, true },
    };
    struct mrl_event event = the_call(*state);

    event.container_id = (struct mrl_text){ "", 0 };
    for (int lookup = MRL_LOOKUP_NOT_FOUND; lookup < MRL_LOOKUP_COUNT; lookup++) {
        event.lookup = (enum mrl_lookup)lookup;
        for (size_t i = 0; i < COUNT_OF(cases); i++)
            if (accepts(cases[i].events, cases[i].scopes, &event) != cases[i].accepted)
                fail_case("'%s', scope '%s'", cases[i].events[0], cases[i].scopes[0]);
    }
}

static void filter_knows_the_fields_of_own_events(void **state)
{
    static const struct meaning cases[] = {
        { { "do_mrelease.data.outcome=reaped" }, { NULL }, true },
        { { "do_mrelease.data.outcome=already*" }, { NULL }, false },
        { { "do_mrelease.data.outcome=*reaped" }, { NULL }, true },
        { { "do_mrelease.data.accuracy!=approx" }, { NULL }, false },
        { { "do_mrelease.retval=0" }, { NULL }, true },
        { { "do_mrelease.data.released_bytes>0" }, { NULL }, true },
        { { "do_mrelease.data.released_bytes=0" }, { NULL }, false },
        { { "do_mrelease.data.pidfd=-5" }, { NULL }, true },
        { { "do_mrelease.data.pidfd=-*" }, { NULL }, true },
        { { "do_mrelease.data.target_exe!=/usr/bin/*" }, { NULL }, false },
        { { "do_mrelease.data.target_exe=/usr/*" }, { NULL }, true },
    };
    struct mrl_event event;
    struct test_record record;

    test_record__init_full(&record);
    record.call.args[0] = 0xfffffffb; /* as an int: -5 */
    event = *test_decoder__event(*state, &record);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (accepts(cases[i].events, cases[i].scopes, &event) != cases[i].accepted)
            fail_case("'%s'", cases[i].events[0]);
}

static void filter_takes_an_absent_value_for_no_value(void **state)
{
    static const struct meaning cases[] = {
        { { "do_mrelease.data.outcome=reaped" }, { NULL }, false },
        { { "do_mrelease.data.outcome!=reaped" }, { NULL }, true },
        { { "do_mrelease.data.target_uid=0" }, { NULL }, false },
        { { "do_mrelease.data.target_uid<1" }, { NULL }, false },
        { { "do_mrelease.data.target_uid!=0" }, { NULL }, true },
        { { "do_mrelease.data.target_uid=0*" }, { NULL }, false },
    };
    struct mrl_event event;
    struct test_record record;

    test_record__init(&record, MRL_EVENT_DO_MRELEASE);
    event = *test_decoder__event(*state, &record);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (accepts(cases[i].events, cases[i].scopes, &event) != cases[i].accepted)
            fail_case("'%s'", cases[i].events[0]);
}

static void filter_lets_gaps_through(void **state)
{
    const char *const events[TEXTS_MAX] = { "mlock.retval=5" };
    const char *const scopes[TEXTS_MAX] = { "uid=5" };
    struct mrl_event event = the_call(*state);

    event.def = mrl_event_def__at(MRL_EVENT_EVENTS_LOST);
    assert_true(accepts(events, scopes, &event));
}

static void filter_chooses_the_events_that_it_names(void **state)
{
    static const struct {
        const char *events[TEXTS_MAX];
        uint32_t chosen;
    } cases[] = {
        { { NULL }, 1 << MRL_EVENT_PROCESS_MRELEASE | 1 << MRL_EVENT_DO_MRELEASE },
        { { "mlock.retval<0" }, 1 << MRL_EVENT_MLOCK },
        { { "mlock.retval<0", "munlock" }, 1 << MRL_EVENT_MLOCK | 1 << MRL_EVENT_MUNLOCK },
        { { "mlock", "munlock", "mlock2" },
          1 << MRL_EVENT_MLOCK | 1 << MRL_EVENT_MUNLOCK | 1 << MRL_EVENT_MLOCK2 },
        { { "mlock.retval<0", "mlock.data.len=1" }, 1 << MRL_EVENT_MLOCK },
        { { "mlock*", "-mlock2", "mlock.retval<0" },
          1 << MRL_EVENT_MLOCK | 1 << MRL_EVENT_MLOCKALL },
        { { "tag=default", "mlock" },
          1 << MRL_EVENT_PROCESS_MRELEASE | 1 << MRL_EVENT_DO_MRELEASE | 1 << MRL_EVENT_MLOCK },
        { { "tag=default,proc_mem", "-do_mrelease", "-m*" }, 1 << MRL_EVENT_PROCESS_MRELEASE },
    };
    static const char *const none[TEXTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_filter *filter;

        assert_int_equal(make(cases[i].events, none, NULL, &filter), 0);
        if (filter->events != cases[i].chosen)
            fail_case("'%s': %#x", cases[i].events[0], filter->events);
        mrl_filter__free(filter);
    }
}

/* -- wrong texts ------------------------------------------------------------------------------ */

static const struct {
    const char *text, *said;
} wrong_events[] = {
    { "mlok.retval=0", "unknown event 'mlok': did you mean 'mlock'?" },
    { "mlock*.retval=0", "unknown event 'mlock*': did you mean 'mlock'?" },
    { "events_lost.data.count=1",
      "'events_lost' cannot be filtered: it stands for what is missing" },
    { "mlock.retva=0", "unknown part of an event 'retva': did you mean 'retval'?" },
    { "mlock.dat.len=0", "unknown part of an event 'dat': did you mean 'data'?" },
    { "mlock.data.lenn=0", "unknown field 'lenn': did you mean 'len'?" },
    { "do_mrelease.data.target_nam=a", "unknown field 'target_nam': did you mean 'target_name'?" },
    { "do_mrelease.data.target_entity_id=1",
      "'target_entity_id' differs between formats and cannot be filtered" },
    { "munlockall.data.len=1",
      "unknown field 'len': the nearest is 'returnValue'; known are returnValue" },
    { "mlock.scope.uidd=0", "unknown field of the context 'uidd': did you mean 'uid'?" },
    { "mlock.context.commm=x", "unknown field of the context 'commm': did you mean 'comm'?" },
    { "mlock.scope.podUID=x", "unknown field of the context 'podUID': did you mean 'podUid'?" },
    { "mlock.scope.podSandbox=yes", NULL },
    { "mlock.scope.host=started", "'host' stands alone, without '='" },
    { "mlock.scope.container=0123", "'container' stands alone, without '='" },
    { "mlock.scope.uid<-1", "'-1' is no value of userId: it is a number from 0 to 2^32-1" },
    { "mlock.scope.uid=-1", "'-1' is no value of userId: it is a number from 0 to 2^32-1" },
    { "mlock.retval==0", "unknown operator '==': did you mean '='?" },
    { "mlock.retval=>0", NULL },
    { "mlock.retval!0", NULL },
    { "mlock.retval<>0", NULL },
    { "mlock.retval", "'retval' needs an operator and a value, like retval=..." },
    { "mlock.retval.x=0", "'retval' has no fields" },
    { "mlock.data=0", "which field of 'data'? like 'mlock.retval<0' or 'mlock.data.len=4096'" },
    { "mlock.scope.container=1", "'container' stands alone, without '='" },
    { "mlock.retval=", "retval lacks a value in ''" },
    { "mlock.retval=1,,2", "retval lacks a value in '1,,2'" },
    { "mlock.retval=1,", "retval lacks a value in '1,'" },
    { "mlock.retval= 1", "' 1' has a blank at its end: no value of retval does" },
    { "mlock.retval=1 ", "'1 ' has a blank at its end: no value of retval does" },
    { "mlock.scope.hostName= x", "' x' has a blank at its end: no value of hostName does" },
    { "mlock.scope.comm=a,b ,c", "'b ' has a blank at its end: no value of processName does" },
    { "mlock.retval=x", "'x' is no value of retval: it is a number of 64 bits" },
    { "mlock.retval=0x", "'0x' is no value of retval: it is a number of 64 bits" },
    { "mlock.retval=--1", "'--1' is no value of retval: it is a number of 64 bits" },
    { "mlock.retval=1*", "'1*' is no value of retval: it is a number of 64 bits" },
    { "mlock.retval=9223372036854775808",
      "'9223372036854775808' is no value of retval: it is a number of 64 bits" },
    { "mlock.data.len=-1", "'-1' is no value of len: it is a number from 0 to 2^64-1" },
    { "mlock.data.len<0", "nothing is less than '0' in len" },
    { "mlock.data.len=a*", "'a*' is no value of len: it is a number from 0 to 2^64-1" },
    { "mlock.data.len=*", "'*' is no value of len: it fits everything" },
    { "mlock.data.len=1*5", "'1*5' is no value of len: '*' stands at the beginning, at the end, "
                            "or at both" },
    { "mlock.data.len=-5*", "'-5*' is no value of len: it is a number from 0 to 2^64-1" },
    { "mlock.data.len=05*", "'05*' is no value of len: it is a number from 0 to 2^64-1" },
    { "mlock.data.len!=5-*", "'5-*' is no value of len: it is a number from 0 to 2^64-1" },
    { "mlock.data.len>18446744073709551615", "nothing is more than '18446744073709551615' in len" },
    { "process_mrelease.data.pidfd<-2147483648", "nothing is less than '-2147483648' in pidfd" },
    { "process_mrelease.data.pidfd>2147483647", "nothing is more than '2147483647' in pidfd" },
    { "mlock.retval<-9223372036854775808",
      "nothing is less than '-9223372036854775808' in retval" },
    { "mlock.scope.uid>4294967295", "nothing is more than '4294967295' in userId" },
    { "mlock.scope.processorId=65536",
      "'65536' is no value of processorId: it is a number from 0 to 2^16-1" },
    /* words that a field never has, whatever the operator */
    { "do_mrelease.data.outcome=repaed",
      "unknown value of outcome 'repaed': did you mean 'reaped'?" },
    { "do_mrelease.data.outcome!=repaed",
      "unknown value of outcome 'repaed': did you mean 'reaped'?" },
    { "do_mrelease.args.outcome=reaped,rea*x", NULL },
    { "do_mrelease.data.outcome=rep*", NULL },
    { "do_mrelease.data.outcome=bad_fd", "unknown value of outcome 'bad_fd': the nearest is "
                                         "'reaped'; known are reaped, already_reaped, unknown" },
    { "do_mrelease.data.accuracy=exakt",
      "unknown value of accuracy 'exakt': did you mean 'exact'?" },
    { "mlock.scope.syscall=mlock2", "unknown value of syscall 'mlock2': did you mean 'mlock'?" },
    { "do_mrelease.scope.syscall=do_mrelease", NULL },
    { "do_mrelease.data.target_name=sixteen-bytes-xy",
      "'sixteen-bytes-xy' is no value of target_name, which holds 15 bytes" },
    { "do_mrelease.data.target_exe=usr/bin/x",
      "'usr/bin/x' is no value of target_exe: a path begins with '/'; '*/usr/bin/x' ends so" },
    { "do_mrelease.data.target_container_id=nginx",
      "'nginx' is no value of target_container_id: an id is hexadecimal" },
    { "mlock.scope.containerId=nginx", "'nginx' is no value of containerId: an id is hexadecimal" },
    { "do_mrelease.retval<0", "retval of this event is always 0: it tells of success" },
    { "do_mrelease.data.returnValue!=0", "retval of this event is always 0: it tells of success" },
    { "mlock.scope.comm=tr*g", "'tr*g' is no value of processName: '*' stands at the beginning, at "
                               "the end, or at both" },
    /* other choices of Tracee's */
    { "tag=syscals", "unknown set 'syscals': did you mean 'syscalls'?" },
    { "tag=default,mlock", NULL },
    { "tag=", NULL },
    { "tag!=default", "'tag' chooses whole sets: write tag=SET" },
    { "threat.severity>=high", "'threat' chooses events of signatures: there are none here" },
    { "process_mrelease.data.flags=4294967296",
      "'4294967296' is no value of flags: it is a number from 0 to 2^32-1" },
    { "process_mrelease.data.pidfd=2147483648",
      "'2147483648' is no value of pidfd: it is a number of 32 bits" },
    { "mlock.scope.comm<a", "operator '<' does not fit processName: use = or !=" },
    { "mlock.scope.comm=*", "'*' is no value of processName: it fits everything" },
    { "mlock.scope.comm=sixteen-bytes-xy",
      "'sixteen-bytes-xy' is no value of processName, which holds 15 bytes" },
    { "mlock .retval=0", "'mlock .retval=0' has a blank where none belongs: it is not a filter, "
                         "like 'mlock.retval<0' or 'mlock.data.len=4096'" },
    { "mlock=0", "'mlock=0' is not a filter, like 'mlock.retval<0' or 'mlock.data.len=4096'" },
    { "a.b.c.d=0", "'a.b.c.d=0' is not a filter, like 'mlock.retval<0' or 'mlock.data.len=4096'" },
    { "=", "'=' is not a filter, like 'mlock.retval<0' or 'mlock.data.len=4096'" },
    { ".", "'.' is not a filter, like 'mlock.retval<0' or 'mlock.data.len=4096'" },
};

static const struct {
    const char *text, *said;
} wrong_scopes[] = {
    { "uidd=0", "unknown scope 'uidd': did you mean 'uid'?" },
    { "u=0", NULL },
    { "contaner", "unknown scope 'contaner': did you mean 'container'?" },
    { "uid", "'uid' needs an operator and a value, like uid=..." },
    { "uid=root", "'root' is no value of uid: it is a number from 0 to 2^32-1" },
    { "uid=-1", "'-1' is no value of uid: it is a number from 0 to 2^32-1" },
    { "uid=1*", "'1*' is no value of uid: it is a number from 0 to 2^32-1" },
    { "pid<new", "pid=new or pid!=new" },
    { "comm>a", "operator '>' does not fit comm: use = or !=" },
    { "mntns<5", "operator '<' does not fit mntns: use = or !=" },
    { "not-container=abc", "'not-container' stands alone, without '='" },
    { "container<new", NULL },
    { "container=abc*", "'abc*' is no value of container: the beginning of an id is" },
    { "container>abc", "operator '>' does not fit container: use = or !=" },
    { "tree=1",
      "scope 'tree' is not known here: each fork of the host would have to be watched for it" },
    { "follow",
      "scope 'follow' is not known here: each fork of the host would have to be watched for it" },
    { "exec=sh", "'sh' is no value of executable: a path begins with '/'" },
    { "exec", "'executable' needs = or !=, and a path" },
    { "exec>/a", "'executable' needs = or !=, and a path" },
    { "exec=x:/a", "'x:/a': before ':' stands host, or the number of a mount namespace" },
    { "exec=-1:/a", NULL },
    { "exec=1:a", "'1:a' is no value of executable: a path begins with '/'" },
    { "exec=/a*b", NULL },
    { "mlock.retval=0", "'mlock.retval=0' is not a scope, like 'uid=0' or 'container'" },
    { "", "'' is not a scope, like 'uid=0' or 'container'" },
    { "comm = bash", "'comm = bash' has a blank where none belongs: it is not a scope, like "
                     "'uid=0' or 'container'" },
    { "comm=tr*g",
      "'tr*g' is no value of comm: '*' stands at the beginning, at the end, or at both" },
    { "comm!=tr*g", NULL },
    { "uts=a*b", NULL },
    { "container=nginx", "'nginx' is no value of container: an id is hexadecimal" },
    { "!container", "scope '!container' is not known here: use not-container" },
    { "!contaner", "unknown scope '!contaner': did you mean 'container'?" },
    { "host", "scope 'host' is not known here: use not-container" },
    { "p=1", "scope 'p' is not known here: use pid" },
    { "global", "scope 'global' is not known here: leave it out, what no scope limits is global" },
};

/* Conditions that are right each, and never hold together. */
static const struct {
    const char *events[TEXTS_MAX], *scopes[TEXTS_MAX], *said;
} never_together[] = {
    { { "mlock.retval>-10", "mlock.retval<-20" },
      { NULL },
      "no value of retval is in all of its limits at once" },
    { { "mlock.data.len>5", "mlock.data.len<6" },
      { NULL },
      "no value of len is in all of its limits at once" },
    { { "mlock" }, { "uid>5", "uid<2" }, "no value of uid is in all of its limits at once" },
    { { "mlock" },
      { "container", "not-container" },
      "'container' and 'not-container' at once: no call is in a container and in none" },
    { { "mlock" }, { "not-container", "container=0123" }, NULL },
    { { "mlock.scope.host" }, { "container" }, NULL },
    { { "mlock.scope.host", "mlock.scope.containerId=0123*" }, { NULL }, NULL },
};

static void filter_refuses_what_never_holds_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(never_together); i++) {
        struct mrl_error error = { "" };
        struct mrl_filter *filter = NULL;

        if (make(never_together[i].events, never_together[i].scopes, &error, &filter) != -EDOM ||
            filter || !error.text[0] ||
            (never_together[i].said && strcmp(error.text, never_together[i].said) != 0))
            fail_case("case %zu: \"%s\"", i, error.text);
    }
}

/* What is no condition, and what is one that never holds. */
static bool is_refusal(int err)
{
    return err == -EINVAL || err == -EDOM;
}

static void filter_refuses_wrong_conditions_with_one_line(void **state)
{
    static const char *const none[TEXTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong_events); i++) {
        const char *const texts[TEXTS_MAX] = { wrong_events[i].text };
        struct mrl_error error = { "" };
        struct mrl_filter *filter = NULL;

        if (!is_refusal(make(texts, none, &error, &filter)) || filter || !error.text[0] ||
            (wrong_events[i].said && strcmp(error.text, wrong_events[i].said) != 0))
            fail_case("'%s': \"%s\"", wrong_events[i].text, error.text);
    }
}

static void filter_refuses_wrong_scopes_with_one_line(void **state)
{
    static const char *const none[TEXTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong_scopes); i++) {
        const char *const texts[TEXTS_MAX] = { wrong_scopes[i].text };
        struct mrl_error error = { "" };
        struct mrl_filter *filter = NULL;

        if (!is_refusal(make(none, texts, &error, &filter)) || filter || !error.text[0] ||
            (wrong_scopes[i].said && strcmp(error.text, wrong_scopes[i].said) != 0))
            fail_case("'%s': \"%s\"", wrong_scopes[i].text, error.text);
    }
}

/* Whatever a record says, a text that has a fixed set of words has one of them. */
static void filter_knows_all_words_of_a_text(void **state)
{
    const struct mrl_event_def *def = mrl_event_def__at(MRL_EVENT_DO_MRELEASE);
    unsigned int seed = 7, checked = 0;
    struct mrl_filter_field field;
    struct test_record record;

    test_record__init_full(&record);
    for (unsigned int round = 0; round < 1000; round++) {
        const struct mrl_event *event;

        record.target.flags = (uint32_t)rand_r(&seed) ^ (uint32_t)rand_r(&seed) << 16;
        event = test_decoder__event(*state, &record);
        for (unsigned int i = 0; i < def->field_count; i++) {
            const struct mrl_text *text = &event->values[i].text;
            bool found = false;

            if (mrl_filter_fields__of_data(def, def->fields[i].name, &field, NULL) ||
                !field.word_count || event->values[i].absent)
                continue;
            for (unsigned int j = 0; j < field.word_count; j++)
                found |= strlen(field.words[j]) == text->size &&
                         !memcmp(field.words[j], text->bytes, text->size);
            if (!found)
                fail_case("%s: '%.*s'", field.name, (int)text->size, text->bytes);
            checked++;
        }
        test_decoder__done(*state);
        test_decoder__init(*state);
    }
    assert_true(checked > 1000);
}

/* Of cgroups with the numbers 98, 99 and 100, the last that there was is 99. */
static void cgroup_of_before_is_not_new(void **state)
{
    static const char *const scopes[] = { "container=new", "container!=new" };
    struct mrl_event event = the_call(*state);

    for (uint64_t id = 98; id <= 100; id++)
        for (unsigned int i = 0; i < COUNT_OF(scopes); i++) {
            const struct mrl_filter_texts texts = { .scopes = &scopes[i],
                                                    .scope_count = 1,
                                                    .start = { .boot_ns = 1, .cgroup_id = 99 } };
            struct mrl_filter *filter = NULL;

            event.cgroup_id = id;
            assert_int_equal(mrl_filter__new(&texts, NULL, &filter), 0);
            filter->chosen_by[MRL_EVENT_MLOCK] = filter->policies;
            assert_int_equal(mrl_filter__accepts(filter, &event), (id > 99) == !i);
            mrl_filter__free(filter);
        }
}

static void filter_refuses_new_where_nobody_knows_since_when(void **state)
{
    const char *const scope = "pid=new";
    const struct mrl_filter_texts texts = { .scopes = &scope, .scope_count = 1 };
    struct mrl_filter *filter;
    struct mrl_error error;

    (void)state;
    assert_int_equal(mrl_filter__new(&texts, &error, &filter), -EINVAL);
    assert_non_null(strstr(error.text, "replay"));
}

int main(void)
{
#define test(name) \
    cmocka_unit_test_setup_teardown(name, test_decoder__set_up, test_decoder__tear_down)
    const struct CMUnitTest tests[] = {
        test(filter_means_what_tracee_means),
        test(filter_tells_the_host_from_containers),
        test(filter_tells_a_container_from_one_that_is_set_up),
        test(filter_takes_unknown_for_neither),
        test(filter_knows_the_fields_of_own_events),
        test(filter_takes_an_absent_value_for_no_value),
        test(filter_lets_gaps_through),
        test(filter_chooses_the_events_that_it_names),
        cmocka_unit_test(filter_refuses_wrong_conditions_with_one_line),
        cmocka_unit_test(filter_refuses_wrong_scopes_with_one_line),
        cmocka_unit_test(filter_refuses_what_never_holds_together),
        test(filter_knows_all_words_of_a_text),
        test(cgroup_of_before_is_not_new),
        cmocka_unit_test(filter_refuses_new_where_nobody_knows_since_when),
    };

    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
