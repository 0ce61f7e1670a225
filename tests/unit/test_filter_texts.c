// SPDX-License-Identifier: Apache-2.0
/* Texts of conditions that are wrong, or never hold: each is refused with one line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/filters.h"
#include "unit/unit.h"

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
    { "munlockall.data.len=1", "unknown field 'len': known are returnValue" },
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
    { "do_mrelease.data.outcome=bad_fd", "unknown value of outcome 'bad_fd': "
                                         "known are reaped, already_reaped, unknown" },
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
    const char *events[TEST_TEXTS_MAX], *scopes[TEST_TEXTS_MAX], *said;
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

        if (test_filter__make(never_together[i].events, never_together[i].scopes, &error,
                              &filter) != -EDOM ||
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
    static const char *const none[TEST_TEXTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong_events); i++) {
        const char *const texts[TEST_TEXTS_MAX] = { wrong_events[i].text };
        struct mrl_error error = { "" };
        struct mrl_filter *filter = NULL;

        if (!is_refusal(test_filter__make(texts, none, &error, &filter)) || filter ||
            !error.text[0] ||
            (wrong_events[i].said && strcmp(error.text, wrong_events[i].said) != 0))
            fail_case("'%s': \"%s\"", wrong_events[i].text, error.text);
    }
}

static void filter_refuses_wrong_scopes_with_one_line(void **state)
{
    static const char *const none[TEST_TEXTS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong_scopes); i++) {
        const char *const texts[TEST_TEXTS_MAX] = { wrong_scopes[i].text };
        struct mrl_error error = { "" };
        struct mrl_filter *filter = NULL;

        if (!is_refusal(test_filter__make(none, texts, &error, &filter)) || filter ||
            !error.text[0] ||
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_refuses_wrong_conditions_with_one_line),
        cmocka_unit_test(filter_refuses_wrong_scopes_with_one_line),
        cmocka_unit_test(filter_refuses_what_never_holds_together),
        cmocka_unit_test_setup_teardown(filter_knows_all_words_of_a_text, test_decoder__set_up,
                                        test_decoder__tear_down),
        cmocka_unit_test(filter_refuses_new_where_nobody_knows_since_when),
    };

    return cmocka_run_group_tests_name("filter_texts", tests, NULL, NULL);
}
