// SPDX-License-Identifier: Apache-2.0
/* The verb ctl: asks a run that goes on, by its control socket. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/tame.h"
#include "base/words.h"
#include "command/command.h"
#include "command/options/say.h"
#include "command/options/usage.h"
#include "command/run/control_options.h"
#include "side/common/message.h"

enum { ANSWER_MS = 5000, RELOAD_MS = 150 * 1000 };

struct ctl_options {
    const char *path;
    int format;
};

static const char *const formats[] = { "text", "json", NULL };

#define AT(member) offsetof(struct ctl_options, member)

static const struct mrl_option rows[] = {
    { .name = "control",
      .type = MRL_OPTION_PATH,
      .offset = AT(path),
      .separator = '/',
      .value = "PATH",
      .doc = "The socket of the run. By default $RUNTIME_DIRECTORY/control, else "
             "/run/mrelease/control." },
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(format),
      .words = formats,
      .preset = "text",
      .doc = "How status and events print." },
};

/* -- asking ----------------------------------------------------------------------------------- */

static int dial(const char *path, struct mrl_error *error)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    int fd;

    if (!*path || strlen(path) >= sizeof(where.sun_path))
        return mrl_error__set(error, -EINVAL, "%.64s: no path of a socket", path);
    memcpy(where.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !connect(fd, (const struct sockaddr *)&where, sizeof(where)))
        return fd;
    mrl_error__set(error, -errno, "%s: %s%s", path, strerror(errno),
                   errno == ENOENT || errno == ECONNREFUSED
                       ? ": no sensor listens there (mrelease run --control)"
                       : "");
    if (fd >= 0)
        close(fd);
    return -EIO;
}

/* 0, or the -errno that the run answers; its text is in the message. */
static int ask(int fd,
               const struct mrl_side_request *request,
               char buffer[MRL_SIDE_MESSAGE_MAX + 1],
               struct mrl_side_message *ret_answer,
               struct mrl_error *error)
{
    const struct iovec part = { (void *)(uintptr_t)request, sizeof(*request) };
    struct pollfd answer = { .fd = fd, .events = POLLIN };
    int patience_ms = request->asked == MRL_SIDE_RELOAD ? RELOAD_MS : ANSWER_MS;
    int err = mrl_side_message__send(
        fd, (struct mrl_side_head){ .type = MRL_SIDE_REQUEST, .id = 1 }, &part, 1, NULL, 0);

    ret_answer->head.type = 0;
    if (!err && poll(&answer, 1, patience_ms) <= 0)
        return mrl_error__set(error, -ETIMEDOUT, "no answer within %d s", patience_ms / 1000);
    if (!err)
        err = mrl_side_message__receive(fd, buffer, 0, ret_answer);
    if (err != 1 || ret_answer->head.type != MRL_SIDE_ANSWER)
        return mrl_error__set(
            error, -EPROTO,
            "the sensor ended the conversation: it has too many, or is of another "
            "version");
    buffer[sizeof(struct mrl_side_head) + ret_answer->head.size] = '\0';
    return 0;
}

/* -- printing --------------------------------------------------------------------------------- */

static uint64_t get(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* Who answers chose it: it is tamed where it lies, as nobody else reads it. */
static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? mrl_tame((char *)(uintptr_t)text) : "?";
}

static void print_events(const json_t *status)
{
    const json_t *events = json_object_get(status, "events");

    printf("%-16s %-7s %12s %12s %9s %12s %6s\n", "EVENT", "WATCHED", "SEEN", "READ", "LOST",
           "FILTERED", "OWN");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);

        printf("%-16s %-7s %12" PRIu64 " %12" PRIu64 " %9" PRIu64 " %12" PRIu64 " %6" PRIu64 "\n",
               text_of(event, "name"),
               json_is_true(json_object_get(event, "watched")) ? "yes" : "no", get(event, "seen"),
               get(event, "read"), get(event, "lost"), get(event, "filtered"), get(event, "self"));
    }
}

/* Where there are any that have names. */
static void print_policies(const json_t *status)
{
    const json_t *policies = json_object_get(status, "policies");

    if (json_array_size(policies))
        printf("\n%-42s %12s\n", "POLICY", "MATCHED");
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const json_t *policy = json_array_get(policies, i);

        printf("%-42s %12" PRIu64 "\n", text_of(policy, "name"), get(policy, "matched"));
    }
}

/* "12 dropped (queue full 10, write failed 2)" */
static void print_dropped(const json_t *output)
{
    const json_t *dropped = json_object_get(output, "dropped");
    const uint64_t full = get(dropped, "queue_full"), failed = get(dropped, "write_failed");

    printf(", %" PRIu64 " dropped", full + failed);
    if (full + failed)
        printf(" (queue full %" PRIu64 ", write failed %" PRIu64 ")", full, failed);
    if (get(output, "rejected"))
        printf(", %" PRIu64 " rejected", get(output, "rejected"));
}

/* Of a destination that says what it took. */
static void print_sent(const json_t *output)
{
    const json_t *last = json_object_get(output, "last_success");

    if (!last)
        return;
    printf("  last acknowledged: %s",
           json_is_string(last) ? text_of(output, "last_success") : "never");
    if (get(output, "retries"))
        printf("; %" PRIu64 " sent again in %" PRIu64 " requests", get(output, "resent"),
               get(output, "retries"));
    printf("\n");
}

static void print_output(const json_t *output)
{
    const json_t *pending = json_object_get(output, "pending");
    const json_t *spool = json_object_get(output, "spool"), *side = json_object_get(output, "side");

    printf("%s%s\n  %" PRIu64 " delivered", text_of(output, "name"),
           json_is_true(json_object_get(output, "removed")) ? " (removed)" : "",
           get(output, "delivered"));
    print_dropped(output);
    printf("\n");
    if (get(pending, "room"))
        printf("  queue: %" PRIu64 " pending, %" PRIu64 " of %" PRIu64 " KiB\n",
               get(pending, "lines"), (get(pending, "bytes") + 1023) / 1024,
               get(pending, "room") / 1024);
    if (spool)
        printf("  spool: %" PRIu64 " pending, %" PRIu64 " KiB\n", get(spool, "pending"),
               get(spool, "bytes") / 1024);
    print_sent(output);
    if (side)
        printf("  side program %s: %s, %" PRIu64 " restarts\n", text_of(side, "program"),
               json_is_true(json_object_get(side, "lives")) ? "lives" : "is not there",
               get(side, "restarts"));
}

static void print_status(const json_t *status)
{
    const json_t *outputs = json_object_get(status, "outputs");

    printf("mrelease %s, process %" PRIu64 ", watches with %s (coverage %s) since %s\n",
           text_of(status, "version"), get(status, "pid"), text_of(status, "rung"),
           text_of(status, "coverage"), text_of(status, "since"));
    printf("log level %s\n\n", text_of(status, "log_level"));
    print_events(status);
    print_policies(status);
    printf("\n");
    for (size_t i = 0; i < json_array_size(outputs); i++)
        print_output(json_array_get(outputs, i));
}

static int print(const struct ctl_options *options,
                 const char *text,
                 const char *key,
                 void (*print_text)(const json_t *status))
{
    json_t *status = json_loads(text, 0, NULL);
    const json_t *part = key ? json_object_get(status, key) : status;

    if (!status) {
        mrl_say_error("the answer is no JSON");
        return MRL_EXIT_FAILED;
    }
    if (options->format)
        json_dumpf(part, stdout, JSON_INDENT(2));
    else
        print_text(status);
    if (options->format)
        putchar('\n');
    json_decref(status);
    return mrl_flush_stdout();
}

/* -- what may be asked ------------------------------------------------------------------------ */

static const struct action {
    const char *word;
    uint32_t asked;
    const char *operand; /* NULL: none */
    const char *doc;
} actions[] = {
    { "status", MRL_SIDE_STATUS, NULL, "What runs, what was counted, and how each output is." },
    { "events", MRL_SIDE_STATUS, NULL, "Which events are watched, and what was counted of each." },
    { "enable", MRL_SIDE_ENABLE, "EVENT",
      "Watch it, until a restart or a reload that changes the events." },
    { "disable", MRL_SIDE_DISABLE, "EVENT", "Leave it out, for as long." },
    { "log-level", MRL_SIDE_LOG_LEVEL, "LEVEL",
      "Say so much from now on: error, warning, info or debug." },
    { "reload", MRL_SIDE_RELOAD, NULL,
      "Read the configuration and open files anew, as SIGHUP does; print what was done." },
};

enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static const char *action_word(unsigned int index)
{
    return index < ACTIONS ? actions[index].word : NULL;
}

static void print_actions(void)
{
    char text[64];

    puts("\nRequests:");
    for (unsigned int i = 0; i < ACTIONS; i++) {
        snprintf(text, sizeof(text), "%s%s%s", actions[i].word, actions[i].operand ? " " : "",
                 actions[i].operand ? actions[i].operand : "");
        mrl_usage__print_text(text, actions[i].doc);
    }
}

static const struct action *find_action(const char *word, struct mrl_error *error)
{
    int index = mrl_words__find("request", word, action_word, error);

    return index < 0 ? NULL : &actions[index];
}

static const char *level_word(unsigned int index)
{
    return index <= MRL_LOG_DEBUG ? mrl_log_level__name((enum mrl_log_level)index) : NULL;
}

static int find_level(const char *word, uint32_t *ret_level, struct mrl_error *error)
{
    int index = mrl_words__find("log level", word, level_word, error);

    if (index >= 0)
        *ret_level = (uint32_t)index;
    return index < 0 ? index : 0;
}

/* The event or the level that is meant. */
static int read_operand(const struct action *action,
                        const char *word,
                        struct mrl_side_request *request,
                        struct mrl_error *error)
{
    const struct mrl_event_def *event;

    request->asked = action->asked;
    if (!action->operand)
        return word ? mrl_error__set(error, -EINVAL, "%s takes no operand", action->word) : 0;
    if (!word)
        return mrl_error__set(error, -EINVAL, "%s: which %s?", action->word,
                              action->asked == MRL_SIDE_LOG_LEVEL ? "level" : "event");
    if (action->asked == MRL_SIDE_LOG_LEVEL)
        return find_level(word, &request->argument, error);
    event = mrl_event_def__find(word, error);
    request->argument = event ? event->index : 0;
    return event ? 0 : -EINVAL;
}

static int show(const struct ctl_options *options,
                const struct action *action,
                const struct mrl_side_message *answer)
{
    if (answer->head.err) {
        mrl_say_error("%s", *answer->bytes ? answer->bytes : strerror(-answer->head.err));
        return MRL_EXIT_FAILED;
    }
    if (!strcmp(action->word, "events"))
        return print(options, answer->bytes, "events", print_events);
    if (action->asked == MRL_SIDE_STATUS)
        return print(options, answer->bytes, NULL, print_status);
    if (*answer->bytes) /* it is in the buffer of ask() */
        puts(mrl_tame((char *)(uintptr_t)answer->bytes));
    return mrl_flush_stdout();
}

static int run(const struct mrl_verb *verb, int argc, char **argv)
{
    struct ctl_options options = { .path = NULL };
    const struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    static char buffer[MRL_SIDE_MESSAGE_MAX + 1];
    char usual[MRL_CONTROL_PATH];
    struct mrl_side_request request = { 0 };
    struct mrl_side_message answer;
    struct mrl_error error = { "" };
    const struct action *action;
    int status, fd, err, operand = mrl_arguments__parse(verb, argc, argv, &group, 1, &status);

    if (operand < 0)
        return status;
    action = operand < argc ? find_action(argv[operand], &error) : NULL;
    if (!action)
        return mrl_usage_error(
            verb, operand < argc
                      ? error.text
                      : "what is asked? One of status, events, enable, disable, log-level, reload");
    if (read_operand(action, operand + 1 < argc ? argv[operand + 1] : NULL, &request, &error))
        return mrl_usage_error(verb, error.text);
    fd = dial(options.path ? options.path : mrl_control_options__default(usual), &error);
    err = fd < 0 ? fd : ask(fd, &request, buffer, &answer, &error);
    if (fd >= 0)
        close(fd);
    if (!err)
        return show(&options, action, &answer);
    mrl_say_error("%s", error.text);
    return MRL_EXIT_FAILED;
}

const struct mrl_verb mrl_verb_ctl = {
    .name = "ctl",
    .operands = "status|events|enable|disable|log-level|reload [EVENT|LEVEL]",
    .operands_max = 2,
    .operand_word = action_word,
    .doc = "Ask a run that goes on how it is, and change what it does.",
    .more_help = print_actions,
    .run = run,
};
