// SPDX-License-Identifier: Apache-2.0
/* What Tracee v0.23.2, v0.24.1 and main make of a text, by the rules of their policy files. */
#include "command/policy/tracee.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIGNS        "=!<>"

enum { NAME_BYTES = 15 }; /* that the kernel compares */

const char *const mrl_tracee_names[MRL_TRACEE_COUNT + 1] = { "any", "v0.23", "v0.24", "main",
                                                             NULL };

const char *mrl_tracee__name(enum mrl_tracee version)
{
    return mrl_tracee_names[version];
}

struct judging {
    enum mrl_tracee version;
    const char *event, *text;
    size_t name;        /* bytes before the operator */
    char sign[4];       /* the operator; "": none */
    const char *values; /* behind it */
    struct mrl_tracee_says *says;
};

__attribute__((format(printf, 2, 3))) static void refuse(const struct judging *judging,
                                                         const char *format,
                                                         ...)
{
    va_list arguments;

    judging->says->is_refused = true;
    va_start(arguments, format);
    vsnprintf(judging->says->text, sizeof(judging->says->text), format, arguments);
    va_end(arguments);
}

static void note(const struct judging *judging, const char *text)
{
    snprintf(judging->says->text, sizeof(judging->says->text), "%s", text);
}

static struct judging take_apart(enum mrl_tracee version,
                                 const char *event,
                                 const char *text,
                                 struct mrl_tracee_says *says)
{
    struct judging judging = { version, event, text, strcspn(text, SIGNS), "", "", says };
    const size_t sign = strspn(text + judging.name, SIGNS);

    snprintf(judging.sign, sizeof(judging.sign), "%.*s", (int)sign, text + judging.name);
    judging.values = text + judging.name + sign;
    *says = (struct mrl_tracee_says){ .is_refused = false };
    return judging;
}

static bool is_named(const struct judging *judging, const char *name)
{
    return strlen(name) == judging->name && !memcmp(judging->text, name, judging->name);
}

static bool is_any_of(const struct judging *judging, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_named(judging, names[i]))
            return true;
    return false;
}

/* Whether all values are numbers; of 32 bits, without a sign, where `is_narrow`. */
static bool are_numbers(const char *values, bool is_narrow)
{
    for (const char *at = values;; at++) {
        char *end;
        long long number = strtoll(at, &end, 10);

        if (end == at || (is_narrow && (*at == '-' || number > UINT32_MAX)))
            return false;
        at = end;
        if (*at != ',')
            return !*at;
    }
}

/* -- scopes ----------------------------------------------------------------------------------- */

static void judge_numbers(const struct judging *judging)
{
    const bool is_ordered = is_named(judging, "uid") || is_named(judging, "pid");

    if (is_named(judging, "pid") && !strcmp(judging->values, "new") && strpbrk(judging->sign, "=!"))
        return;
    if (!is_ordered && strpbrk(judging->sign, "<>"))
        refuse(judging, "invalid filter expression: %.40s", judging->text + judging->name);
    else if (!are_numbers(judging->values, is_ordered))
        refuse(judging, "invalid filter value %.40s", judging->values);
}

static bool has_long_value(const char *values)
{
    for (const char *at = values; *at; at += at[0] == ',') {
        const size_t size = strcspn(at, ",");

        if (size > NAME_BYTES)
            return true;
        at += size;
    }
    return false;
}

static void judge_names(const struct judging *judging)
{
    if (strpbrk(judging->sign, "<>"))
        refuse(judging, "unsupported operator %s", judging->sign);
    else if (strchr(judging->values, '*'))
        note(judging, "taken, and '*' is a letter there: never equal");
    else if (has_long_value(judging->values))
        note(judging, "taken, and a name of more than 15 bytes is never equal");
}

static void judge_paths(const struct judging *judging)
{
    const char *path = strchr(judging->values, ':');

    path = path ? path + 1 : judging->values;
    if (strpbrk(judging->sign, "<>"))
        refuse(judging, "unsupported operator %s", judging->sign);
    else if (*path != '/')
        refuse(judging, "invalid filter value %.40s", judging->values);
    else if (strchr(judging->values, '*'))
        note(judging, "taken, and '*' is a letter there: never equal");
}

static void judge_container(const struct judging *judging)
{
    if (!*judging->sign || !strcmp(judging->values, "new"))
        return;
    if (!strcmp(judging->values, "started") && judging->version == MRL_TRACEE_MAIN)
        return;
    if (!strcmp(judging->values, "started"))
        refuse(judging, "container id not found: started");
    else
        note(judging, "taken if exactly one container that is there at its start has an id that "
                      "begins so; else it does not start");
}

static const struct {
    const char *names[5];
    void (*judge)(const struct judging *judging);
    bool is_alone; /* also without an operator */
} scopes[] = {
    { { "uid", "pid", "mntns", "pidns", "tree" }, judge_numbers, false },
    { { "uts", "comm" }, judge_names, false },
    { { "exec", "executable", "bin", "binary" }, judge_paths, false },
    { { "container" }, judge_container, true },
    { { "not-container", "follow", "global" }, NULL, true },
};

static bool is_in(const struct judging *judging, const char *const names[5])
{
    for (unsigned int i = 0; i < 5 && names[i]; i++)
        if (is_named(judging, names[i]))
            return true;
    return false;
}

static void judge_scope(const struct judging *judging)
{
    for (size_t i = 0; i < COUNT(scopes); i++) {
        if (!is_in(judging, scopes[i].names) || (!*judging->sign && !scopes[i].is_alone))
            continue;
        if (scopes[i].judge)
            scopes[i].judge(judging);
        return;
    }
    refuse(judging, "scope %.64s is not valid", judging->text);
}

/* -- events ----------------------------------------------------------------------------------- */

static bool is_set(const char *text)
{
    for (unsigned int bit = 0; mrl_set_name(bit); bit++)
        if (!strcmp(mrl_set_name(bit), text))
            return true;
    return false;
}

static void judge_event(const struct judging *judging)
{
    const char *text = judging->text;
    const struct mrl_event_def *def = mrl_event_def__find(text, NULL);

    if (strpbrk(text, SIGNS "*.") || (def && !def->is_syscall) ||
        (judging->version == MRL_TRACEE_V0_23 && (strpbrk(text, ",-") || is_set(text))))
        refuse(judging, "event %.64s is not valid", text);
    else if (judging->version == MRL_TRACEE_MAIN && is_set(text))
        refuse(judging, "invalid event to trace: %.64s", text);
    else if (!def && !is_set(text) && !strpbrk(text, ",-"))
        note(judging, "taken, if Tracee has this event");
}

/* Sets are words of their own, until main wants tag= before them. */
static void judge_line(const struct judging *judging)
{
    const char *const result = strstr(judging->text, ".data.returnValue");
    const bool is_main = judging->version == MRL_TRACEE_MAIN;

    if (!strncmp(judging->text, "tag=", 4) && !is_main)
        refuse(judging, "it has no tag=: a set is its name alone");
    else if (is_set(judging->text) && is_main)
        refuse(judging, "invalid event to trace: %.64s", judging->text);
    else if (result && !is_main)
        refuse(judging, "invalid event data field: returnValue");
}

/* -- filters ---------------------------------------------------------------------------------- */

static void judge_retval(const struct judging *judging)
{
    const char *first = strchr(judging->text, '='), *next;
    char number[24] = "", *end;

    if (!first) {
        refuse(judging, "retval must have value: %.64s", judging->text);
        return;
    }
    next = strchr(first + 1, '=');
    snprintf(number, sizeof(number), "%.*s", next ? (int)(next - first - 1) : 23, first + 1);
    strtoll(number, &end, 10);
    if (!*number)
        refuse(judging, "retval cannot be empty");
    else if (*end || end == number)
        refuse(judging, "retval must be an integer: %.40s", number);
    else if (!strcmp(judging->sign, "!="))
        note(judging, "taken, and matches nothing where it stands alone: its last rule is no");
}

static bool has_field(const struct judging *judging, const char *name, size_t size)
{
    const struct mrl_event_def *def = mrl_event_def__find(judging->event, NULL);

    if (judging->version == MRL_TRACEE_MAIN && size == 11 && !memcmp(name, "returnValue", 11))
        return true;
    for (unsigned int i = 0; def && i < def->field_count; i++)
        if (strlen(def->fields[i].name) == size && !memcmp(def->fields[i].name, name, size))
            return true;
    return false;
}

/* Its check of files knows = and != only, and says something else of the others. */
static void judge_data(const struct judging *judging)
{
    const char *name = judging->text + 5;
    const size_t size = judging->name - 5;

    const bool is_compared = strpbrk(judging->sign, "<>") != NULL;

    if ((is_compared && !judging->sign[1]) || (!is_compared && size && !*judging->values))
        refuse(judging, "data %.*s value can't be empty", (int)size, name);
    else if (is_compared)
        refuse(judging, "event %.40s does not have data %.*s%c", judging->event, (int)size, name,
               judging->sign[0]);
    else if (!size)
        refuse(judging, "data name can't be empty");
    else if (!has_field(judging, name, size))
        refuse(judging, "event %.40s does not have data %.*s", judging->event, (int)size, name);
}

static const char *const numbers[] = {
    "timestamp",       "processorId", "p",       "pid",          "processId",     "tid",
    "threadId",        "ppid",        "hostTid", "hostPid",      "uid",           "userId",
    "parentProcessId", "mntns",       "pidns",   "hostThreadId", "hostProcessId", "mountNamespace",
    "pidNamespace",    "cgroupId",
};
static const char *const texts[] = { "processName", "comm", "hostName", "syscall", "containerId" };
static const char *const looked_up[] = { "containerImage", "containerName", "podName",
                                         "podNamespace", "podUid" };
static const char *const ignored[] = { "containerImageDigest", "podSandbox" };

/* ≤ v0.24.1 does not look at the value. */
static void judge_presence(const struct judging *judging)
{
    if (judging->version != MRL_TRACEE_MAIN)
        note(judging, is_named(judging, "host")
                          ? "taken; the value is not looked at: in no container"
                          : "taken; the value is not looked at: in any container");
    else if (strcmp(judging->values, "started") != 0 || is_named(judging, "host"))
        refuse(judging, "invalid filter expression: %.64s", judging->text);
}

static void judge_text(const struct judging *judging)
{
    if (strpbrk(judging->sign, "<>"))
        refuse(judging, "unsupported operator %s", judging->sign);
    else if ((is_named(judging, "comm") || is_named(judging, "processName") ||
              is_named(judging, "hostName")) &&
             has_long_value(judging->values))
        note(judging, "taken, and a name of more than 15 bytes is never equal");
}

static void judge_context(const struct judging *judging)
{
    if (!*judging->sign)
        refuse(judging, "invalid filter operator: %.64s", judging->text);
    else if (is_named(judging, "container") || is_named(judging, "host"))
        judge_presence(judging);
    else if (is_named(judging, "hostParentProcessId"))
        note(judging, "taken, and compares hostProcessId");
    else if (is_any_of(judging, numbers, COUNT(numbers))) {
        if (!are_numbers(judging->values, false))
            refuse(judging, "invalid filter value %.40s", judging->values);
    } else if (is_any_of(judging, texts, COUNT(texts)))
        judge_text(judging);
    else if (is_any_of(judging, looked_up, COUNT(looked_up)))
        note(judging, "taken; decided before the runtime has answered, so that a container's first "
                      "calls do not match");
    else if (is_any_of(judging, ignored, COUNT(ignored)))
        note(judging, "taken; the value is never looked at: in any container");
    else
        refuse(judging, "invalid event scope field: %.*s", (int)judging->name, judging->text);
}

static void judge_filter(const struct judging *judging)
{
    if (!*judging->sign)
        refuse(judging, "invalid filter operator: %.64s", judging->text);
    else if (!strncmp(judging->text, "retval", 6))
        judge_retval(judging);
    else if (!strncmp(judging->text, "data.", 5) || !strncmp(judging->text, "args.", 5))
        judge_data(judging);
    else if (isspace((unsigned char)*judging->values))
        refuse(judging, "invalid flag value: %.64s", judging->values);
    else
        judge_context(judging);
}

/* -- several on one field --------------------------------------------------------------------- */

enum { ASKS_LESS = 1, ASKS_MORE = 2, REFUSES = 4 };

static unsigned int sign_of(const struct judging *judging)
{
    switch (*judging->sign) {
    case '<':
        return ASKS_LESS;
    case '>':
        return ASKS_MORE;
    default:
        return *judging->sign == '!' ? REFUSES : 0;
    }
}

static struct mrl_tracee_asked *asked_of(struct mrl_tracee_before *before,
                                         const struct judging *judging)
{
    unsigned int i = 0;

    while (i < before->count && (before->asked[i].size != judging->name ||
                                 memcmp(before->asked[i].name, judging->text, judging->name) != 0))
        i++;
    if (i == MRL_TRACEE_FIELDS_MAX)
        return NULL;
    if (i == before->count)
        before->asked[before->count++] =
            (struct mrl_tracee_asked){ .name = judging->text, .size = judging->name };
    return &before->asked[i];
}

/* Its numbers pass by any limit that holds, before it looks at what is refused; later versions have
 * a range, and look at what is refused first. */
void mrl_tracee__judge_beside(enum mrl_tracee version,
                              struct mrl_tracee_before *before,
                              const char *text,
                              struct mrl_tracee_says *ret_says)
{
    const struct judging judging = take_apart(version, "", text, ret_says);
    const unsigned int sign = sign_of(&judging);
    struct mrl_tracee_asked *asked = sign ? asked_of(before, &judging) : NULL;
    unsigned int both;

    if (!asked)
        return;
    both = asked->signs | sign;
    if (version != MRL_TRACEE_V0_23 || both == asked->signs)
        return;
    asked->signs = both;
    if ((both & ASKS_LESS) && (both & ASKS_MORE) && sign != REFUSES)
        note(&judging, "either of '<' and '>' on one field is enough");
    else if ((both & REFUSES) && both != REFUSES)
        note(&judging, "a limit that holds passes what '!=' refuses");
}

/* -- together --------------------------------------------------------------------------------- */

void mrl_tracee__judge(enum mrl_tracee version,
                       enum mrl_tracee_place place,
                       const char *event,
                       const char *text,
                       struct mrl_tracee_says *ret_says)
{
    static void (*const each[])(const struct judging *) = {
        [MRL_TRACEE_IN_SCOPE] = judge_scope,
        [MRL_TRACEE_IN_EVENT] = judge_event,
        [MRL_TRACEE_IN_FILTER] = judge_filter,
        [MRL_TRACEE_ON_LINE] = judge_line,
    };
    const struct judging judging = take_apart(version, event, text, ret_says);

    each[place](&judging);
}

void mrl_tracee__judge_form(enum mrl_tracee version,
                            bool is_plain,
                            const char *file,
                            struct mrl_tracee_says *ret_says)
{
    const size_t size = strlen(file);
    const struct judging judging = take_apart(version, "", file, ret_says);

    if (version == MRL_TRACEE_MAIN)
        return;
    if (is_plain)
        refuse(&judging, "apiVersion not supported");
    else if (size > 5 && !strcmp(file + size - 5, ".json"))
        note(&judging,
             "read where it is named, and passed over in a directory: it ends with .json");
}
