// SPDX-License-Identifier: Apache-2.0
/* What a policy file may say, where it says something wrong, and what the plugin is given of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include "command/policy/policy.h"
#include "command/policy/tracee.h"
#include "unit/problems.h"

#define HEAD       "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata: {name: a}\nspec:\n"
#define WITH_SCOPE HEAD "  scope: [global]\n"
#define WITH_RULES(name)                                                                        \
    "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata: {name: " name "}\nspec:\n" \
    "  scope: [global]\n  rules: [{event: mlock}]\n"
#define PLAIN "type: policy\nname: a\nscope: [global]\n"

enum { SAID_BYTES = 4096 };

/* All that is said, a line each; faults begin with '!'. */
static void hear(void *context, enum mrl_policy_remark remark, const char *place, const char *text)
{
    char *said = context;
    const size_t used = strlen(said);

    snprintf(said + used, SAID_BYTES - used, "%s%s%s%s\n", remark == MRL_POLICY_FAULT ? "!" : "",
             place, *place ? ": " : "", text);
}

static int parse_as(enum mrl_tracee tracee,
                    const char *text,
                    struct mrl_policy_set *set,
                    char said[SAID_BYTES])
{
    struct mrl_error error = { "" };
    int err;

    said[0] = '\0';
    *set = (struct mrl_policy_set){ .say = hear, .context = said, .tracee = tracee };
    err = mrl_policy_set__read_text(set, "F", text, strlen(text), &error);
    assert_true(!err == !*error.text);
    return err;
}

/* "name: scopes; events|" of each policy, as the plugin is given them. */
static void join(const struct mrl_policy_set *set, char *joined, size_t size)
{
    size_t used = 0;

    joined[0] = '\0';
    for (unsigned int i = 0; i < set->count; i++) {
        const struct mrl_policy_texts *texts = &set->texts[i];

        used += (size_t)snprintf(joined + used, size - used, "%s:", texts->name);
        for (unsigned int j = 0; j < texts->scope_count; j++)
            used += (size_t)snprintf(joined + used, size - used, " %s", texts->scopes[j]);
        used += (size_t)snprintf(joined + used, size - used, ";");
        for (unsigned int j = 0; j < texts->event_count; j++)
            used += (size_t)snprintf(joined + used, size - used, " %s", texts->events[j]);
        used += (size_t)snprintf(joined + used, size - used, "|");
        assert_true(used < size);
    }
}

static void a_policy_is_what_the_plugin_takes(void **state)
{
    static const struct {
        const char *text, *joined, *said;
    } cases[] = {
        { WITH_RULES("a"), "a:; mlock|", "" },
        { PLAIN "rules: [{event: mlock}]", "a:; mlock|", "" },
        { "type: ' POLICY '\nname: a\nversion: x\ndescription: y\nscope: [global]\nrules: [{event: mlock}]",
          "a:; mlock|", "" },
        { "{\"type\":\"policy\",\"name\":\"a\",\"scope\":[\"uid=0\"],\"rules\":[{\"event\":\"mlock\","
          "\"filters\":[\"retval<0\"]}]}",
          "a: uid=0; mlock mlock.retval<0|", "" },
        { WITH_RULES("a") "---\n" WITH_RULES("b"), "a:; mlock|b:; mlock|", "" },
        { "# nothing\n---\n" WITH_RULES("a") "---\n# nothing\n", "a:; mlock|", "" },
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
          "a:; -mlock|", NULL },
        { WITH_SCOPE "  rules: [{event: mlock, filters: [container]}]\n",
          "a:; mlock mlock.scope.container|", "" },
        /* The API server's keys, and what it knows of a policy. */
        { "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nstatus: {x: [1]}\nmetadata:\n"
          "  name: a\n  uid: x\n  generation: 1\n  managedFields: [{fieldsV1: {'f:spec': {'.': {}}}}]\n"
          "spec: {scope: [global], rules: [{event: mlock}]}",
          "a:; mlock|", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_policy_set set;
        char said[SAID_BYTES], joined[512] = "";
        int err = parse_as(MRL_TRACEE_ANY, cases[i].text, &set, said);

        if (!err)
            join(&set, joined, sizeof(joined));
        if (!cases[i].said) /* never together, which is another test's */
            assert_int_equal(err, 0);
        else if (err || strcmp(joined, cases[i].joined) != 0 || strcmp(said, cases[i].said) != 0)
            problem("case %zu: %d \"%s\", said \"%s\"", i, err, joined, said);
        mrl_policy_set__free(&set);
    }
    assert_int_equal(problems, 0);
}

static void what_is_not_ours_is_left_out_and_said_once(void **state)
{
    static const struct {
        const char *text, *joined, *said;
    } cases[] = {
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
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_policy_set set;
        char said[SAID_BYTES], joined[512] = "";
        int err = parse_as(MRL_TRACEE_ANY, cases[i].text, &set, said);

        if (!err)
            join(&set, joined, sizeof(joined));
        if (!err != !!cases[i].joined || (!err && strcmp(joined, cases[i].joined) != 0) ||
            strcmp(said, cases[i].said) != 0)
            problem("case %zu: %d \"%s\", said \"%s\"", i, err, joined, said);
        mrl_policy_set__free(&set);
    }
    assert_int_equal(problems, 0);
}

static void what_never_matches_is_said_and_matches_nothing(void **state)
{
    static const struct {
        const char *text, *joined, *said;
    } cases[] = {
        { HEAD "  scope: ['comm=bash,a-name-of-more-bytes']\n  rules: [{event: mlock}]\n",
          "a: comm=bash; mlock|",
          "F:5:11: 'a-name-of-more-bytes' is no value of comm, which holds 15 bytes; as in Tracee, it "
          "never matches\n" },
        { HEAD "  scope: ['comm!=a-name-of-more-bytes']\n  rules: [{event: mlock}]\n", "a:; mlock|",
          NULL },
        { HEAD "  scope: ['uts=a-name-of-more-bytes']\n  rules: [{event: mlock}]\n",
          "a: pid=0; mlock|", NULL },
        { HEAD "  scope: [uid>5, uid<3]\n  rules: [{event: mlock}, {event: munlock}]\n",
          "a: pid=0; mlock munlock|",
          "F:5:11: no value of uid is in all of its limits at once; as in Tracee, it never matches\n" },
        { HEAD "  scope: [not-container]\n  rules: [{event: mlock}, {event: munlock, filters: "
               "[container=x]}]\n",
          "a: not-container; mlock -munlock|", NULL },
        { WITH_SCOPE "  rules: [{event: do_mrelease, filters: [retval=-1]}]\n",
          "a: pid=0; do_mrelease|",
          "F:6:42: retval of this event is always 0: it tells of success; as in Tracee, it never "
          "matches\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_policy_set set;
        char said[SAID_BYTES], joined[512] = "";
        int err = parse_as(MRL_TRACEE_ANY, cases[i].text, &set, said);

        if (!err)
            join(&set, joined, sizeof(joined));
        if (err || !*said || strcmp(joined, cases[i].joined) != 0 ||
            (cases[i].said && strcmp(said, cases[i].said) != 0))
            problem("case %zu: %d \"%s\", said \"%s\"", i, err, joined, said);
        mrl_policy_set__free(&set);
    }
    assert_int_equal(problems, 0);
}

#define OLD(version)                      \
    "!F:1:1: a policy as Tracee " version \
    " had it. Now it is 'apiVersion: tracee.aquasec.com/v1beta1', 'kind: Policy'"

static void what_is_wrong_has_a_place(void **state)
{
    static const struct {
        const char *text, *said; /* how it begins */
    } cases[] = {
        { "", "!F:1:1: there is no policy in it" },
        { "# nothing", "!F:1:1: there is no policy in it" },
        { "a", "!F:1:1: no policy: it begins with" },
        { "[a]", "!F:1:1: no policy: it begins with" },
        { "a: b", "!F:1:1: no policy: it begins with" },
        { "\xff", "!F:1:1: no YAML text" },
        { "a: &b c", "!F:1:4: anchors and aliases are not taken" },
        { "a: !!str b", "!F:1:4: tags are not taken" },
        { "a: [b", "!F:2:1: no YAML" },
        { "name: a\nscope: [global]\ndefaultAction: log\nrules: []", OLD("v0.15") },
        { "name: a\nscope: [global]\ndefaultActions: [log]\nrules: []", OLD("v0.15 and v0.16") },
        { "apiVersion: aquasecurity.github.io/v1beta1\nkind: TraceePolicy\n", OLD("v0.17") },
        { "apiVersion: v1\nkind: ConfigMap\n",
          "!F:1:1: 'apiVersion: v1' and 'kind: ConfigMap' are no policy" },
        { "type: polcy\n", "!F:1:1: 'type: polcy' is no policy" },
        { "kind: List\nitems: x", "!F:1:1: a list of policies holds them below 'items:'" },
        { "apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\n",
          "!F:1:1: metadata: name: is missing" },
        { PLAIN, "!F:1:1: rules: is missing, or empty" },
        { "type: policy\nname: a\nrules: [{event: mlock}]", "!F:1:1: scope: is missing" },
        { "type: policy\nname: a_b\nscope: [global]\nrules: [{event: mlock}]",
          "!F:2:7: a name is of a-z" },
        { "type: policy\nname: A\nscope: [global]\nrules: [{event: mlock}]",
          "!F:2:7: a name is of a-z" },
        { "type: policy\nname: a-\nscope: [global]\nrules: [{event: mlock}]",
          "!F:2:7: a name is of a-z" },
        { PLAIN "rules:\n  event: mlock",
          "!F:5:3: rules: this is a mapping, and a list is wanted" },
        { PLAIN "rules: mlock", "!F:4:8: rules: a list is wanted" },
        { PLAIN "rules: [mlock]", "!F:4:9: a rule is written '- event: NAME'" },
        { PLAIN "rules: [{filters: [uid=0]}]", "!F:4:9: event: is missing" },
        { PLAIN "rules: [{event: [a]}]", "!F:4:17: event: one text is wanted here" },
        { PLAIN "rules: [{event: mlock, filters: uid=0}]", "!F:4:33: filters: a list is wanted" },
        { PLAIN "rules: [{event: mlock, filters: [\"a\\e[1m\"]}]",
          "!F:4:34: filters: a text with a control character" },
        { PLAIN "rules: [{event: mlock}, {event: mlock}]",
          "!F:4:33: this event has a rule already" },
        { PLAIN "rules: [{event: mlock.retval<0}]", "!F:4:17: an event, a set, or a list of them" },
        { PLAIN "rules: [{event: 'mlock,munlock', filters: [uid=0]}]",
          "!F:4:44: filters are of one event" },
        { PLAIN "rules: [{event: mlock, filters: [scope.uid=0]}]",
          "!F:4:34: in a policy 'scope.' is left out" },
        { PLAIN "rules: [{event: mlock, filters: ['']}]", "!F:4:34: a filter is empty" },
        { PLAIN "rules: [{event: mlock, filters: [data.length=1]}]",
          "!F:4:34: unknown field 'length': did you mean 'len'?" },
        { PLAIN "rules: [{event: mlock, filters: [podUID=1]}]", "!F:4:34: " },
        { PLAIN "rules: [{event: mlock, filters: ['comm= x']}]", "!F:4:34: " },
        { PLAIN "rules: [{event: mlock, actions: [logg]}]",
          "!F:4:34: unknown action 'logg': did you mean 'log'?" },
        { PLAIN "defaultActions: [webhook]\nrules: [{event: mlock}]",
          "!F:4:18: unknown action 'webhook'" },
        { PLAIN "name: b\nrules: [{event: mlock}]", "!F:4:1: name stands in line 2 already" },
        { "type: policy\nname: a\nscope: [global, uid=0]\nrules: [{event: mlock}]",
          "!F:3:9: 'global' stands alone" },
        { "type: policy\nname: a\nscope: ['']\nrules: [{event: mlock}]",
          "!F:3:9: a scope is empty" },
        { "type: policy\nname: a\nscope: [uidd=0]\nrules: [{event: mlock}]",
          "!F:3:9: unknown scope 'uidd': did you mean 'uid'?" },
        { "type: policy\nname: a\nscope: [uid=x]\nrules: [{event: mlock}]",
          "!F:3:9: 'x' is no value of uid" },
        { WITH_RULES("a") "---\n" WITH_RULES("a"), "!F:10:18: policy 'a' is there already: F:1" },
        { PLAIN "rules: [{event: mlock, filter: [uid=0]}]",
          "F:4:24: unknown key 'filter': did you mean 'filters'?" },
        { PLAIN "ruls: []\nrules: [{event: mlock}]",
          "F:4:1: unknown key 'ruls': did you mean 'rules'?" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_policy_set set;
        char said[SAID_BYTES];
        int err = parse_as(MRL_TRACEE_ANY, cases[i].text, &set, said);

        if (err != (*cases[i].said == '!' ? -EINVAL : 0) ||
            strncmp(said, cases[i].said, strlen(cases[i].said)) != 0)
            problem("'%s': %d, said \"%s\"", cases[i].text, err, said);
        mrl_policy_set__free(&set);
    }
    assert_int_equal(problems, 0);
}

static void a_version_of_tracee_refuses_what_it_refuses(void **state)
{
    static const struct {
        enum mrl_tracee tracee;
        const char *text, *said; /* NULL: it is taken */
    } cases[] = {
        { MRL_TRACEE_V0_24, PLAIN "rules: [{event: mlock}]",
          "!F:1:1: Tracee v0.24 refuses this: apiVersion not supported" },
        { MRL_TRACEE_MAIN, PLAIN "rules: [{event: mlock}]", NULL },
        { MRL_TRACEE_V0_23, WITH_SCOPE "  rules: [{event: 'mlock,munlock'}]",
          "!F:6:19: Tracee v0.23 refuses this: event mlock,munlock is not valid" },
        { MRL_TRACEE_V0_24, WITH_SCOPE "  rules: [{event: 'mlock,munlock'}]", NULL },
        { MRL_TRACEE_V0_24, WITH_SCOPE "  rules: [{event: syscalls}]", NULL },
        { MRL_TRACEE_MAIN, WITH_SCOPE "  rules: [{event: syscalls}]",
          "!F:6:19: Tracee main refuses this: invalid event to trace: syscalls" },
        { MRL_TRACEE_MAIN, WITH_SCOPE "  rules: [{event: mlock, filters: [retval<0]}]",
          "!F:6:36: Tracee main refuses this: retval must have value: retval<0" },
        { MRL_TRACEE_V0_24, WITH_SCOPE "  rules: [{event: mlock, filters: [data.returnValue=0]}]",
          "!F:6:36: Tracee v0.24 refuses this: event mlock does not have data returnValue" },
        { MRL_TRACEE_MAIN, WITH_SCOPE "  rules: [{event: mlock, filters: [data.returnValue=0]}]",
          NULL },
        { MRL_TRACEE_MAIN, WITH_SCOPE "  rules: [{event: do_mrelease}]",
          "!F:6:19: Tracee main refuses this: event do_mrelease is not valid" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_policy_set set;
        char said[SAID_BYTES];
        int err = parse_as(cases[i].tracee, cases[i].text, &set, said);

        if (!err != !cases[i].said ||
            (cases[i].said && strncmp(said, cases[i].said, strlen(cases[i].said)) != 0))
            problem("case %zu: %d, said \"%s\"", i, err, said);
        mrl_policy_set__free(&set);
    }
    assert_int_equal(problems, 0);
}

static void there_may_be_sixty_four_and_no_more(void **state)
{
    enum { EACH = 200 };
    char *text = calloc(70, EACH), said[SAID_BYTES];
    struct mrl_policy_set set;

    (void)state;
    for (int count = 64; count <= 65; count++) {
        size_t used = 0;

        for (int i = 0; i < count; i++)
            used += (size_t)snprintf(text + used, EACH,
                                     "---\ntype: policy\nname: p%d\nscope: [global]\n"
                                     "rules: [{event: mlock}]\n",
                                     i);
        assert_int_equal(parse_as(MRL_TRACEE_ANY, text, &set, said), count > 64 ? -EINVAL : 0);
        assert_int_equal(set.count, 64);
        mrl_policy_set__free(&set);
    }
    assert_string_equal(said,
                        "!F:322:1: more than 64 policies, which is as many as there may be\n");
    free(text);
}

/* -- files ------------------------------------------------------------------------------------ */

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int read_path(const char *path, struct mrl_policy_set *set, char said[SAID_BYTES])
{
    struct mrl_error error;

    said[0] = '\0';
    *set = (struct mrl_policy_set){ .say = hear, .context = said, .is_again = true };
    return mrl_policy_set__read(set, &path, 1, &error);
}

/* As a ConfigMap is mounted: names are links to a directory that is exchanged. */
static void a_directory_is_read_as_tracee_reads_it(void **state)
{
    char place[] = "/tmp/policiesXXXXXX", said[SAID_BYTES], joined[256];
    struct mrl_policy_set set;

    (void)state;
    assert_non_null(mkdtemp(place));
    assert_int_equal(chdir(place), 0);
    assert_int_equal(mkdir("..2026", 0700), 0);
    assert_int_equal(mkdir("z.yaml", 0700), 0);
    put("..2026/b.yaml", WITH_RULES("b"));
    put("..2026/a.json", "{\"type\":\"policy\",\"name\":\"a\",\"scope\":[\"global\"],\"rules\":"
                         "[{\"event\":\"mlock\"}]}");
    assert_int_equal(symlink("..2026", "..data"), 0);
    assert_int_equal(symlink("..data/b.yaml", "b.yaml"), 0);
    assert_int_equal(symlink("..data/a.json", "a.json"), 0);
    put("c.yml", WITH_RULES("c"));
    put("README", "no policy");
    put(".hidden.yaml", "no policy");
    assert_int_equal(read_path(place, &set, said), 0);
    join(&set, joined, sizeof(joined));
    assert_string_equal(joined, "a:; mlock|b:; mlock|c:; mlock|");
    mrl_policy_set__free(&set);

    assert_int_equal(mkfifo("d.yaml", 0600), 0);
    assert_int_equal(read_path(place, &set, said), -EINVAL);
    assert_non_null(strstr(said, "/d.yaml: it is no regular file"));
    mrl_policy_set__free(&set);

    assert_int_equal(read_path("..2026/none", &set, said), -EINVAL);
    mrl_policy_set__free(&set);
    assert_int_equal(read_path("z.yaml", &set, said), -EINVAL);
    assert_string_equal(said, "!z.yaml: no file in it is named *.yaml, *.yml or *.json\n");
    mrl_policy_set__free(&set);
    assert_int_equal(read_path("", &set, said), -EINVAL);
    mrl_policy_set__free(&set);

    unlink("d.yaml");
    unlink("c.yml");
    unlink("README");
    unlink(".hidden.yaml");
    unlink("a.json");
    unlink("b.yaml");
    unlink("..data");
    unlink("..2026/a.json");
    unlink("..2026/b.yaml");
    rmdir("..2026");
    rmdir("z.yaml");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(place), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_policy_is_what_the_plugin_takes, forget_problems),
        cmocka_unit_test_setup(what_is_not_ours_is_left_out_and_said_once, forget_problems),
        cmocka_unit_test_setup(what_never_matches_is_said_and_matches_nothing, forget_problems),
        cmocka_unit_test_setup(what_is_wrong_has_a_place, forget_problems),
        cmocka_unit_test_setup(a_version_of_tracee_refuses_what_it_refuses, forget_problems),
        cmocka_unit_test(there_may_be_sixty_four_and_no_more),
        cmocka_unit_test(a_directory_is_read_as_tracee_reads_it),
    };

    return cmocka_run_group_tests_name("policy_files", tests, NULL, NULL);
}
