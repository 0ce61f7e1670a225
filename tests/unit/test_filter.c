// SPDX-License-Identifier: Apache-2.0
/* Conditions of --events and --scope: what they mean, with decoded events. */
#include <stdlib.h>

#include "unit/filters.h"
#include "unit/unit.h"

static bool accepts(const char *const events[TEST_TEXTS_MAX],
                    const char *const scopes[TEST_TEXTS_MAX],
                    const struct mrl_event *event)
{
    struct mrl_filter *filter = NULL;
    struct mrl_error error = { "" };
    bool accepted;

    if (test_filter__make(events, scopes, &error, &filter))
        fail_case("'%s' '%s': %s", events[0], scopes[0], error.text);
    accepted = mrl_filter__accepts(filter, event);
    mrl_filter__free(filter);
    return accepted;
}

struct meaning {
    const char *events[TEST_TEXTS_MAX], *scopes[TEST_TEXTS_MAX];
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
    struct mrl_event event = test_filter__call(*state);

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
    struct mrl_event event = test_filter__call(*state);

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
    struct mrl_event event = test_filter__call(*state);

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
    struct mrl_event event = test_filter__call(*state);

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
    const char *const events[TEST_TEXTS_MAX] = { "mlock.retval=5" };
    const char *const scopes[TEST_TEXTS_MAX] = { "uid=5" };
    struct mrl_event event = test_filter__call(*state);

    event.def = mrl_event_def__at(MRL_EVENT_EVENTS_LOST);
    assert_true(accepts(events, scopes, &event));
}

static void filter_chooses_the_events_that_it_names(void **state)
{
    static const struct {
        const char *events[TEST_TEXTS_MAX];
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
    static const char *const none[TEST_TEXTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_filter *filter;

        assert_int_equal(test_filter__make(cases[i].events, none, NULL, &filter), 0);
        if (filter->events != cases[i].chosen)
            fail_case("'%s': %#x", cases[i].events[0], filter->events);
        mrl_filter__free(filter);
    }
}

/* Of cgroups with the numbers 98, 99 and 100, the last that there was is 99. */
static void cgroup_of_before_is_not_new(void **state)
{
    static const char *const scopes[] = { "container=new", "container!=new" };
    struct mrl_event event = test_filter__call(*state);

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
        test(cgroup_of_before_is_not_new),
    };

    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
