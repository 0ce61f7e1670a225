// SPDX-License-Identifier: Apache-2.0
/* What a policy file may say, where it says something wrong, and what the plugin is given of it. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "unit/policy_sets.h"
#include "unit/problems.h"

#define HEAD       POLICY_HEAD("a")
#define WITH_SCOPE HEAD "  scope: [global]\n"
#define PLAIN      "type: policy\nname: a\nscope: [global]\n"

struct policy_case {
    const char *text;
    const char *joined; /* NULL: it is refused */
    const char *said;   /* how it begins; a whole line is all of it, and "" nothing */
};

static bool is_as_wanted(const char *said, const char *wanted)
{
    const size_t size = strlen(wanted);

    return size && wanted[size - 1] != '\n' ? !strncmp(said, wanted, size) : !strcmp(said, wanted);
}

static void check_one(enum mrl_tracee tracee, const struct policy_case *wanted)
{
    struct test_policies test;

    test_policies__parse(&test, tracee, wanted->text);
    if (test.err != (wanted->joined ? 0 : -EINVAL) ||
        (wanted->joined && strcmp(test.joined, wanted->joined) != 0) ||
        !is_as_wanted(test.said, wanted->said))
        problem("'%s': %d \"%s\", said \"%s\"", wanted->text, test.err, test.joined, test.said);
    test_policies__done(&test);
}

static void check(const struct policy_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_one(MRL_TRACEE_ANY, &cases[i]);
    assert_int_equal(problems, 0);
}

static void a_policy_is_what_the_plugin_takes(void **state)
{
    static const struct policy_case cases[] = {
        { POLICY_OF("a"), "a:; mlock|", "" },
        { PLAIN "rules: [{event: mlock}]", "a:; mlock|", "" },
        { "type: ' POLICY '\nname: a\nversion: x\ndescription: y\nscope: [global]\nrules: [{event: mlock}]",
          "a:; mlock|", "" },
        { "{\"type\":\"policy\",\"name\":\"a\",\"scope\":[\"uid=0\"],\"rules\":[{\"event\":\"mlock\","
          "\"filters\":[\"retval<0\"]}]}",
          "a: uid=0; mlock mlock.retval<0|", "" },
        { POLICY_OF("a") "---\n" POLICY_OF("b"), "a:; mlock|b:; mlock|", "" },
        { "# nothing\n---\n" POLICY_OF("a") "---\n# nothing\n", "a:; mlock|", "" },
        { "apiVersion: v1\nkind: List\nmetadata: {}\nitems:\n"
          "- {apiVersion: tracee.aquasec.com/v1beta1, kind: Policy, metadata: {name: a}, spec: "
          "{scope: [global], rules: [{event: mlock}]}}\n"
          "- {type: policy, name: b, scope: [global], rules: [{event: munlock}]}\n",
          "a:; mlock|b:; munlock|", "" },
        /* Blanks of scopes go, and only of them. */
        { HEAD "  scope: ['comm = bash', ' uid >= 1 ']\n  rules: [{event: mlock}]\n",
          "a: comm=bash uid>=1; mlock|", "" },
        { HEAD "  scope: [container, not-container]\n  rules: [{event: mlock}]\n",
          "a: container; mlock|",
          "F:5:22: 'not-container' beside 'container': the latter holds, as in Tracee\n" },
        { WITH_SCOPE
          "  defaultActions: [log, print]\n  rules:\n  - event: mlock\n    actions: [log]\n"
          "    filters: [data.len=1, args.len!=2, retval=0, uid>1, comm=a*]\n",
          "a:; mlock mlock.data.len=1 mlock.args.len!=2 mlock.retval=0 mlock.scope.uid>1 "
          "mlock.scope.comm=a*|",
          "" },
        { WITH_SCOPE "  rules: [{event: 'mlock,munlock'}, {event: -mlock2}, {event: proc_mem}]\n",
          "a:; mlock,munlock -mlock2 proc_mem|", "" },
        { WITH_SCOPE "  rules: [{event: 'mlock*'}, {event: 'tag=proc_mem,net'}]\n",
          "a:; mlock* tag=proc_mem|", "" },
        { WITH_SCOPE "  rules: [{event: mlock, filters: [container=66c2, host=x]}]\n",
          "a: pid=0; mlock|",
          "F:6:36: 'container=66c2' behind an event means 'container', whatever the value: an id is "
          "containerId=\nF:6:52: 'host=x' behind" },
        { WITH_SCOPE "  rules: [{event: mlock, filters: [container]}]\n",
          "a:; mlock mlock.scope.container|", "" },
        /* The API server's keys, and what it knows of a policy. */
        { "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nstatus: {x: [1]}\nmetadata:\n"
          "  name: a\n  uid: x\n  generation: 1\n  managedFields: [{fieldsV1: {'f:spec': {'.': {}}}}]\n"
          "spec: {scope: [global], rules: [{event: mlock}]}",
          "a:; mlock|", "" },
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void what_is_not_ours_is_left_out_and_said_once(void **state)
{
    static const struct policy_case cases[] = {
        { WITH_SCOPE
          "  rules: [{event: mlock}, {event: execve, filters: [data.x=1]}, {event: openat}]\n",
          "a:; mlock|",
          "F:1:1: policy 'a': 2 of 3 rules are left out: their events are not of this program "
          "(execve, openat)\n" },
        { WITH_SCOPE "  rules: [{event: mlock}, {event: munlok}]\n", "a:; mlock|",
          "F:6:35: 'munlok' is no event of this program: did you mean 'munlock'?\n"
          "F:1:1: policy 'a': 1 of 2 rules are left out: their events are not of this program "
          "(munlok)\n" },
        { WITH_SCOPE "  rules: [{event: 'mlock,execve'}, {event: threat.severity=high}]\n",
          "a:; mlock|",
          "F:1:1: policy 'a': 1 of 2 rules are left out: their events are not of this program "
          "(threat.severity=high)\n" },
        { WITH_SCOPE "  rules: [{event: execve}]\n", NULL,
          "!F:1:1: policy 'a': none of its 1 rules is for an event of this program (execve)\n" },
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void what_never_matches_is_said_and_matches_nothing(void **state)
{
    static const struct policy_case cases[] = {
        { HEAD "  scope: ['comm=bash,a-name-of-more-bytes']\n  rules: [{event: mlock}]\n",
          "a: comm=bash; mlock|",
          "F:5:11: 'a-name-of-more-bytes' is no value of comm, which holds 15 bytes; it never "
          "matches\n" },
        { HEAD "  scope: ['comm!=a-name-of-more-bytes']\n  rules: [{event: mlock}]\n", "a:; mlock|",
          "F:5:11: 'a-name-of-more-bytes' is no value of comm, which holds 15 bytes" },
        { HEAD "  scope: ['uts=a-name-of-more-bytes']\n  rules: [{event: mlock}]\n",
          "a: pid=0; mlock|",
          "F:5:11: 'a-name-of-more-bytes' is no value of uts, which holds 15 bytes" },
        { HEAD "  scope: [uid>5, uid<3]\n  rules: [{event: mlock}, {event: munlock}]\n",
          "a: pid=0; mlock munlock|",
          "F:5:11: no value of uid is in all of its limits at once; it never matches\n" },
        { HEAD "  scope: [not-container]\n  rules: [{event: mlock}, {event: munlock, filters: "
               "[container=x]}]\n",
          "a: not-container; mlock -munlock|",
          "F:6:54: 'container=x' behind an event means 'container', whatever the value: an id is "
          "containerId=\nF:6:35: 'container' and 'not-container' at once: " },
        { WITH_SCOPE "  rules: [{event: mlock, filters: [container, host]}, {event: munlock}, "
                     "{event: execve}]\n",
          "a:; -mlock munlock|", "F:6:19: 'container' and 'host' at once: " },
        { WITH_SCOPE "  rules: [{event: mlock, filters: [container, host]}, {event: execve}]\n",
          "a: pid=0; mlock|", "F:6:19: 'container' and 'host' at once: " },
        { WITH_SCOPE "  rules: [{event: do_mrelease, filters: [retval=-1]}]\n",
          "a: pid=0; do_mrelease|",
          "F:6:42: retval of this event is always 0: it tells of success; it never "
          "matches\n" },
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

#define OLD(version)                      \
    "!F:1:1: a policy as Tracee " version \
    " had it. Now it is 'apiVersion: tracee.aquasec.com/v1beta1', 'kind: Policy'"

static void what_is_wrong_has_a_place(void **state)
{
    static const struct policy_case cases[] = {
        { "", NULL, "!F:1:1: there is no policy in it" },
        { "# nothing", NULL, "!F:1:1: there is no policy in it" },
        { "a", NULL, "!F:1:1: no policy: it begins with" },
        { "[a]", NULL, "!F:1:1: no policy: it begins with" },
        { "a: b", NULL, "!F:1:1: no policy: it begins with" },
        { "\xff", NULL, "!F:1:1: no YAML text" },
        { "a: &b c", NULL, "!F:1:4: anchors and aliases are not taken" },
        { "a: !!str b", NULL, "!F:1:4: tags are not taken" },
        { "a: [b", NULL, "!F:2:1: no YAML" },
        { "name: a\nscope: [global]\ndefaultAction: log\nrules: []", NULL, OLD("v0.15") },
        { "name: a\nscope: [global]\ndefaultActions: [log]\nrules: []", NULL,
          OLD("v0.15 and v0.16") },
        { "apiVersion: aquasecurity.github.io/v1beta1\nkind: TraceePolicy\n", NULL, OLD("v0.17") },
        { "apiVersion: v1\nkind: ConfigMap\n", NULL,
          "!F:1:1: 'apiVersion: v1' and 'kind: ConfigMap' are no policy" },
        { "type: polcy\n", NULL, "!F:1:1: 'type: polcy' is no policy" },
        { "kind: List\nitems: x", NULL, "!F:1:1: a list of policies holds them below 'items:'" },
        { "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\n", NULL,
          "!F:1:1: metadata: name: is missing" },
        { PLAIN, NULL, "!F:1:1: rules: is missing, or empty" },
        { "type: policy\nname: a\nrules: [{event: mlock}]", NULL, "!F:1:1: scope: is missing" },
        { "type: policy\nname: a_b\nscope: [global]\nrules: [{event: mlock}]", NULL,
          "!F:2:7: a name is of a-z" },
        { "type: policy\nname: A\nscope: [global]\nrules: [{event: mlock}]", NULL,
          "!F:2:7: a name is of a-z" },
        { "type: policy\nname: a-\nscope: [global]\nrules: [{event: mlock}]", NULL,
          "!F:2:7: a name is of a-z" },
        { PLAIN "rules:\n  event: mlock", NULL,
          "!F:5:3: rules: this is a mapping, and a list is wanted" },
        { PLAIN "rules: mlock", NULL, "!F:4:8: rules: a list is wanted" },
        { "type: policy\nname: a\nrules: mlock", NULL, /* and nothing else, as of the scope */
          "!F:3:8: rules: a list is wanted: begin each rule with '- event:'\n" },
        { "kind: List\nitems: [{kind: List, items: []}]", NULL,
          "!F:2:9: a list of policies holds them below 'items:', and no other list\n" },
        { PLAIN "rules: [{event: mlock, filters: [~]}]", NULL, "!F:4:34: a filter is empty\n" },
        { "type: policy\nname: a\nscope: [null]\nrules: [{event: mlock}]", NULL,
          "!F:3:9: a scope is empty\n" },
        { "type: policy\nname: a\nscope: ['uid=4294967296,x']\nrules: [{event: mlock}]", NULL,
          "F:3:9: '4294967296' is no value of uid: it is a number from 0 to 2^32-1; it never "
          "matches\n!F:3:9: 'x' is no value of uid: it is a number from 0 to 2^32-1\n" },
        { PLAIN "rules: [mlock]", NULL, "!F:4:9: a rule is written '- event: NAME'" },
        { PLAIN "rules: [{filters: [uid=0]}]", NULL, "!F:4:9: event: is missing" },
        { PLAIN "rules: [{event: [a]}]", NULL, "!F:4:17: event: one text is wanted here" },
        { PLAIN "rules: [{event: mlock, filters: uid=0}]", NULL,
          "!F:4:33: filters: a list is wanted" },
        { PLAIN "rules: [{event: mlock, filters: [\"a\\e[1m\"]}]", NULL,
          "!F:4:34: filters: a text with a control character" },
        { PLAIN "rules: [{event: mlock}, {event: mlock}]", NULL,
          "!F:4:33: this event has a rule already" },
        { PLAIN "rules: [{event: mlock.retval<0}]", NULL,
          "!F:4:17: an event, a set, or a list of them" },
        { PLAIN "rules: [{event: 'mlock,munlock', filters: [uid=0]}]", NULL,
          "!F:4:44: filters are of one event" },
        { PLAIN "rules: [{event: mlock, filters: [scope.uid=0]}]", NULL,
          "!F:4:34: in a policy 'scope.' is left out" },
        { PLAIN "rules: [{event: mlock, filters: ['']}]", NULL, "!F:4:34: a filter is empty" },
        { PLAIN "rules: [{event: mlock, filters: [data.length=1]}]", NULL,
          "!F:4:34: unknown field 'length': did you mean 'len'?" },
        { PLAIN "rules: [{event: mlock, filters: [podUID=1]}]", NULL, "!F:4:34: " },
        { PLAIN "rules: [{event: mlock, filters: ['comm= x']}]", NULL, "!F:4:34: " },
        { PLAIN "rules: [{event: mlock, actions: [logg]}]", NULL,
          "!F:4:34: unknown action 'logg': did you mean 'log'?" },
        { PLAIN "defaultActions: [webhook]\nrules: [{event: mlock}]", NULL,
          "!F:4:18: unknown action 'webhook'" },
        { PLAIN "name: b\nrules: [{event: mlock}]", NULL, "!F:4:1: name stands in line 2 already" },
        { "type: policy\nname: a\nscope: [global, uid=0]\nrules: [{event: mlock}]", NULL,
          "!F:3:9: 'global' stands alone" },
        { "type: policy\nname: a\nscope: ['']\nrules: [{event: mlock}]", NULL,
          "!F:3:9: a scope is empty" },
        { "type: policy\nname: a\nscope: [uidd=0]\nrules: [{event: mlock}]", NULL,
          "!F:3:9: unknown scope 'uidd': did you mean 'uid'?" },
        { "type: policy\nname: a\nscope: [uid=x]\nrules: [{event: mlock}]", NULL,
          "!F:3:9: 'x' is no value of uid" },
        { POLICY_OF("a") "---\n" POLICY_OF("a"), NULL,
          "!F:10:18: policy 'a' is there already: F:1" },
        { PLAIN "rules: [{event: mlock, filter: [uid=0]}]", "a:; mlock|",
          "F:4:24: unknown key 'filter': did you mean 'filters'?" },
        { PLAIN "ruls: []\nrules: [{event: mlock}]", "a:; mlock|",
          "F:4:1: unknown key 'ruls': did you mean 'rules'?" },
    };

    (void)state;
    check(cases, COUNT_OF(cases));
}

static void a_version_of_tracee_refuses_what_it_refuses(void **state)
{
    static const struct {
        enum mrl_tracee tracee;
        struct policy_case wanted;
    } cases[] = {
        { MRL_TRACEE_V0_24,
          { PLAIN "rules: [{event: mlock}]", NULL,
            "!F:1:1: Tracee v0.24 refuses this: apiVersion not supported" } },
        { MRL_TRACEE_MAIN, { PLAIN "rules: [{event: mlock}]", "a:; mlock|", "" } },
        { MRL_TRACEE_V0_23,
          { WITH_SCOPE "  rules: [{event: 'mlock,munlock'}]", NULL,
            "!F:6:19: Tracee v0.23 refuses this: event mlock,munlock is not valid" } },
        { MRL_TRACEE_V0_24,
          { WITH_SCOPE "  rules: [{event: 'mlock,munlock'}]", "a:; mlock,munlock|", "" } },
        { MRL_TRACEE_V0_24, { WITH_SCOPE "  rules: [{event: syscalls}]", "a:; syscalls|", "" } },
        { MRL_TRACEE_MAIN,
          { WITH_SCOPE "  rules: [{event: syscalls}]", NULL,
            "!F:6:19: Tracee main refuses this: invalid event to trace: syscalls" } },
        { MRL_TRACEE_MAIN,
          { WITH_SCOPE "  rules: [{event: mlock, filters: [retval<0]}]", NULL,
            "!F:6:36: Tracee main refuses this: retval must have value: retval<0" } },
        { MRL_TRACEE_V0_24,
          { WITH_SCOPE "  rules: [{event: mlock, filters: [data.returnValue=0]}]", NULL,
            "!F:6:36: Tracee v0.24 refuses this: event mlock does not have data returnValue" } },
        { MRL_TRACEE_MAIN,
          { WITH_SCOPE "  rules: [{event: mlock, filters: [data.returnValue=0]}]",
            "a:; mlock mlock.data.returnValue=0|", "" } },
        { MRL_TRACEE_MAIN,
          { WITH_SCOPE "  rules: [{event: do_mrelease}]", NULL,
            "!F:6:19: Tracee main refuses this: event do_mrelease is not valid" } },
        /* What it takes in another meaning. */
        { MRL_TRACEE_V0_23,
          { WITH_SCOPE "  rules: [{event: mlock, filters: [uid>=5, comm=a, uid<9, uid<7]}]",
            "a:; mlock mlock.scope.uid>=5 mlock.scope.comm=a mlock.scope.uid<9 mlock.scope.uid<7|",
            "F:6:52: Tracee v0.23 means something else: either of '<' and '>' on one field is "
            "enough\n" } },
        { MRL_TRACEE_V0_23,
          { WITH_SCOPE "  rules: [{event: mlock, filters: [uid!=7, uid>5]}]",
            "a:; mlock mlock.scope.uid!=7 mlock.scope.uid>5|",
            "F:6:44: Tracee v0.23 means something else: a limit that holds passes what '!=' "
            "refuses\n" } },
        { MRL_TRACEE_V0_23,
          { WITH_SCOPE
            "  rules: [{event: mlock, filters: [uid>5, pidns>4, pid<9, comm!=a, comm!=b]}]",
            "a:; mlock mlock.scope.uid>5 mlock.scope.pidns>4 mlock.scope.pid<9 mlock.scope.comm!=a "
            "mlock.scope.comm!=b|",
            "" } },
        { MRL_TRACEE_V0_24,
          { WITH_SCOPE "  rules: [{event: mlock, filters: [uid>=5, uid<9]}]",
            "a:; mlock mlock.scope.uid>=5 mlock.scope.uid<9|", "" } },
        { MRL_TRACEE_V0_23,
          { HEAD "  scope: [uid>5, uid<9]\n  rules: [{event: mlock}]", "a: uid>5 uid<9; mlock|",
            "" } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_one(cases[i].tracee, &cases[i].wanted);
    assert_int_equal(problems, 0);
}

/* A reload changes nothing where the plugin is given the same, whatever else is written anew. */
static void sets_are_equal_where_the_plugin_is_given_the_same(void **state)
{
    static const struct {
        const char *text;
        bool is_equal;
    } cases[] = {
        { HEAD "  scope: [uid=0]\n  rules: [{event: mlock, filters: [retval=0]}]", true },
        { "{\"type\":\"policy\",\"name\":\"a\",\"scope\":[\" uid = 0\"],\"rules\":[{\"event\":"
          "\"execve\"},{\"event\":\"mlock\",\"filters\":[\"retval=0\"]}]}",
          true },
        { POLICY_HEAD("b") "  scope: [uid=0]\n  rules: [{event: mlock, filters: [retval=0]}]",
          false },
        { HEAD "  scope: [uid=1]\n  rules: [{event: mlock, filters: [retval=0]}]", false },
        { HEAD "  scope: [uid=0, pid=1]\n  rules: [{event: mlock, filters: [retval=0]}]", false },
        { HEAD "  scope: [uid=0]\n  rules: [{event: mlock}]", false },
        { HEAD "  scope: [uid=0]\n  rules: [{event: mlock, filters: [retval=1]}]", false },
        { HEAD "  scope: [uid=0]\n  rules: [{event: mlock, filters: [retval=0]}]\n"
               "---\n" POLICY_OF("b"),
          false },
    };
    static struct test_policies first, other;

    (void)state;
    test_policies__parse(&first, MRL_TRACEE_ANY, cases[0].text);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        test_policies__parse(&other, MRL_TRACEE_ANY, cases[i].text);
        if (other.err || mrl_policy_set__equal(&first.set, &other.set) != cases[i].is_equal ||
            mrl_policy_set__equal(&other.set, &first.set) != cases[i].is_equal)
            problem("case %zu: %d, %s", i, other.err, other.said);
        test_policies__done(&other);
    }
    test_policies__done(&first);
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_policy_is_what_the_plugin_takes, forget_problems),
        cmocka_unit_test_setup(what_is_not_ours_is_left_out_and_said_once, forget_problems),
        cmocka_unit_test_setup(what_never_matches_is_said_and_matches_nothing, forget_problems),
        cmocka_unit_test_setup(what_is_wrong_has_a_place, forget_problems),
        cmocka_unit_test_setup(sets_are_equal_where_the_plugin_is_given_the_same, forget_problems),
        cmocka_unit_test_setup(a_version_of_tracee_refuses_what_it_refuses, forget_problems),
    };

    return cmocka_run_group_tests_name("policy_files", tests, NULL, NULL);
}
