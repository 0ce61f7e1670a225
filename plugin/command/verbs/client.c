// SPDX-License-Identifier: Apache-2.0
/* The verbs of a gRPC client: stream, metrics, health. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/run/module.h"
#include "grpc/common/verbs.h"
#include "sinks/grpc.h"

static int stop_requested;

static void on_signal(int number)
{
    (void)number;
    __atomic_store_n(&stop_requested, 1, __ATOMIC_RELAXED);
}

/* -- options ---------------------------------------------------------------------------------- */

enum { TABLE, JSON };

struct client_options {
    struct mrl_grpc_peer peer;
    struct mrl_grpc_subscription subscription;
    const char *service;
    uint64_t timeout_ns;
    int metrics_format;
    bool watches;
};

static const char *const metrics_formats[] = { [TABLE] = "table", [JSON] = "json", NULL };

static int check_server(void *member, const char *value, struct mrl_error *error)
{
    (void)member;
    if (!strncmp(value, "unix:", 5) || !strncmp(value, "tcp:", 4))
        return 0;
    return mrl_error__set(error, -EINVAL, "'%.64s': it is unix:PATH or tcp:HOST:PORT", value);
}

/* The formats that are lines. */
static const char *format_word(unsigned int index)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; i < count; i++)
        if (!formats[i].binary && !index--)
            return formats[i].name;
    return NULL;
}

#define AT(member) offsetof(struct client_options, member)

static const struct mrl_option peer_rows[] = {
    { .name = "server",
      .letter = 's',
      .type = MRL_OPTION_TEXT,
      .offset = AT(peer.server),
      .parse = check_server,
      .value = "ADDRESS",
      .preset = MRL_GRPC_DESTINATION,
      .doc = "The server: unix:PATH or tcp:HOST:PORT, Tracee's or our own." },
    { .name = "ca",
      .type = MRL_OPTION_PATH,
      .offset = AT(peer.ca),
      .doc = "TLS, and who signed the server's certificate, in PEM." },
    { .name = "cert",
      .type = MRL_OPTION_PATH,
      .offset = AT(peer.cert),
      .doc = "Certificate to show to the server, in PEM." },
    { .name = "key", .type = MRL_OPTION_PATH, .offset = AT(peer.key), .doc = "Its key." },
};

static const struct mrl_option stream_rows[] = {
    { .name = "format",
      .type = MRL_OPTION_WORD,
      .offset = AT(subscription.format),
      .word = format_word,
      .value = "FORMAT",
      .preset = "json-v1beta1",
      .doc = "A format of 'run'. json-v1beta1 shows all that the server sends, of any event; the "
             "others what the API carries of mrelease's own events, and 0 for what it does not." },
    { .name = "mask",
      .type = MRL_OPTION_TEXT,
      .offset = AT(subscription.mask),
      .value = "PATHS",
      .doc = "Fields to send, separated by commas, as name,workload.process.pid; by default all." },
    { .name = "policy",
      .type = MRL_OPTION_TEXT,
      .offset = AT(subscription.policies),
      .many = MRL_GRPC_POLICIES_MAX,
      .counter = AT(subscription.policy_count),
      .value = "NAME",
      .doc = "Only events of this policy. May be repeated." },
    { .name = "count",
      .letter = 'n',
      .type = MRL_OPTION_COUNT,
      .offset = AT(subscription.count),
      .doc = "End after N events." },
    { .name = "wait",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(subscription.waits),
      .doc = "Wait for a server that is not there yet." },
};

#define TIMEOUT_ROW(text)                                                                         \
    {                                                                                             \
        .name = "timeout", .type = MRL_OPTION_DURATION, .offset = AT(timeout_ns), .min = 1000000, \
        .max = 3600 * UINT64_C(1000000000), .preset = "5s", .doc = text,                          \
    }

static const struct mrl_option metrics_rows[] = {
    TIMEOUT_ROW("How long to wait for the answer."),
    { .name = "format",
      .type = MRL_OPTION_CHOICE,
      .offset = AT(metrics_format),
      .words = metrics_formats,
      .preset = "table",
      .doc = "How to print them." },
};

static const struct mrl_option health_rows[] = {
    TIMEOUT_ROW("How long to wait for the answer; not with --watch."),
    { .name = "service",
      .type = MRL_OPTION_TEXT,
      .offset = AT(service),
      .value = "NAME",
      .doc = "A service; by default the server as a whole." },
    { .name = "watch",
      .type = MRL_OPTION_SWITCH,
      .offset = AT(watches),
      .doc = "Print each change, until a signal ends it." },
};

enum { PEER_ROWS = sizeof(peer_rows) / sizeof(peer_rows[0]) };

/* -- running ---------------------------------------------------------------------------------- */

static void say(void *context, enum mrl_log_level level, const char *text)
{
    (void)context;
    mrl_say("%s%s", level == MRL_LOG_WARNING ? "warning: " : "", text);
}

static const char *what_is_wrong(const struct mrl_grpc_peer *peer)
{
    if (!peer->cert != !peer->key)
        return "--cert and --key come together";
    if (peer->cert && !peer->ca)
        return "--cert wants --ca";
    return peer->ca && strncmp(peer->server, "tcp:", 4) != 0 ? "--ca: TLS is of tcp:HOST:PORT"
                                                             : NULL;
}

/* Reads the arguments, and loads the module. NULL: it ends with `*ret_status`. */
static const struct mrl_grpc_client *prepare(const struct mrl_verb *verb,
                                             int argc,
                                             char **argv,
                                             const struct mrl_option *rows,
                                             unsigned int count,
                                             struct client_options *options,
                                             int *ret_status)
{
    struct mrl_option_group groups[] = { { rows, count, options },
                                         { peer_rows, PEER_ROWS, options } };
    const struct sigaction action = { .sa_handler = on_signal };
    const struct mrl_grpc_client *client;
    struct mrl_error error;

    options->peer.stop = &stop_requested;
    options->service = "";
    if (mrl_arguments__parse(verb, argc, argv, groups, 2, ret_status) < 0)
        return NULL;
    options->peer.timeout_ms = (int)(options->timeout_ns / 1000000);
    if (what_is_wrong(&options->peer)) {
        *ret_status = mrl_usage_error(verb, what_is_wrong(&options->peer));
        return NULL;
    }
    mrl_modules__begin(say, NULL, NULL);
    client = mrl_module__offers("grpc", &error);
    if (!client) {
        mrl_say("%s", error.text);
        *ret_status = MRL_EXIT_FAILED;
        return NULL;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return client;
}

static int end(int err, const struct mrl_error *error)
{
    if (!err || err == -ECANCELED)
        return MRL_EXIT_OK;
    mrl_say("%s", error->text);
    return MRL_EXIT_FAILED;
}

/* The server's side of the module knows formats, not their aliases. */
static const char *resolve_alias(const char *name)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; name && i < count; i++)
        if (!strcmp(formats[i].name, name) && formats[i].alias_of)
            return formats[i].alias_of;
    return name;
}

static int stream(const struct mrl_verb *verb, int argc, char **argv)
{
    struct client_options options = { 0 };
    struct mrl_error error = { "" };
    int status;
    const struct mrl_grpc_client *client =
        prepare(verb, argc, argv, stream_rows, sizeof(stream_rows) / sizeof(stream_rows[0]),
                &options, &status);

    options.subscription.format = resolve_alias(options.subscription.format);
    return client ? end(client->stream(&options.peer, &options.subscription, &error), &error)
                  : status;
}

static int metrics(const struct mrl_verb *verb, int argc, char **argv)
{
    struct client_options options = { 0 };
    struct mrl_error error = { "" };
    int status;
    const struct mrl_grpc_client *client =
        prepare(verb, argc, argv, metrics_rows, sizeof(metrics_rows) / sizeof(metrics_rows[0]),
                &options, &status);

    return client
               ? end(client->metrics(&options.peer, options.metrics_format == JSON, &error), &error)
               : status;
}

static int health(const struct mrl_verb *verb, int argc, char **argv)
{
    struct client_options options = { 0 };
    struct mrl_error error = { "" };
    bool serves = false;
    int status;
    const struct mrl_grpc_client *client =
        prepare(verb, argc, argv, health_rows, sizeof(health_rows) / sizeof(health_rows[0]),
                &options, &status);

    if (!client)
        return status;
    status = end(client->health(&options.peer, options.service, options.watches, &serves, &error),
                 &error);
    return status == MRL_EXIT_OK && !serves && !options.watches ? MRL_EXIT_FAILED : status;
}

const struct mrl_verb mrl_verb_stream = {
    .name = "stream",
    .operands = "",
    .doc = "Print the events of a gRPC server, over its restarts.",
    .run = stream,
};

const struct mrl_verb mrl_verb_metrics = {
    .name = "metrics",
    .operands = "",
    .doc = "Print the counters of a gRPC server.",
    .run = metrics,
};

const struct mrl_verb mrl_verb_health = {
    .name = "health",
    .operands = "",
    .doc = "Print whether a gRPC server serves; exit status 0 where it does.",
    .run = health,
};
