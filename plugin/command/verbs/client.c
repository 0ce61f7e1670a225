// SPDX-License-Identifier: Apache-2.0
/* The verbs of a gRPC client, which is a side program: stream, metrics, health. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "side/grpc/common/verbs.h"
#include "sinks/grpc_options.h"

/* -- options ---------------------------------------------------------------------------------- */

enum { TABLE, JSON, PROMETHEUS };

struct client_options {
    struct mrl_grpc_peer peer;
    struct mrl_grpc_subscription subscription;
    const char *service;
    uint64_t timeout_ns;
    int metrics_format;
    bool watches;
};

static const char *const metrics_formats[] = {
    [TABLE] = "table", [JSON] = "json", [PROMETHEUS] = "prometheus", NULL
};

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
        if (!formats[i].binary && !formats[i].extras && !index--)
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

static const char *what_is_wrong(const struct mrl_grpc_peer *peer)
{
    if (!peer->cert != !peer->key)
        return "--cert and --key come together";
    if (peer->cert && !peer->ca)
        return "--cert wants --ca";
    return peer->ca && strncmp(peer->server, "tcp:", 4) != 0 ? "--ca: TLS is of tcp:HOST:PORT"
                                                             : NULL;
}

/* Reads the arguments. Returns false when it ends with `*ret_status`. */
static bool prepare(const struct mrl_verb *verb,
                    int argc,
                    char **argv,
                    const struct mrl_option *rows,
                    unsigned int count,
                    struct client_options *options,
                    int *ret_status)
{
    struct mrl_option_group groups[] = { { rows, count, options },
                                         { peer_rows, PEER_ROWS, options } };

    if (mrl_arguments__parse(verb, argc, argv, groups, 2, ret_status) < 0)
        return false;
    if (!what_is_wrong(&options->peer))
        return true;
    *ret_status = mrl_usage_error(verb, what_is_wrong(&options->peer));
    return false;
}

static void add(const char **words, enum mrl_client_word word, const char *text)
{
    words[word] = text ? text : "";
}

/* Becomes the client. Returns only when that is not possible. */
static int become(const struct mrl_verb *verb,
                  const struct client_options *options,
                  const char *format,
                  bool flag)
{
    const char *arguments[MRL_CLIENT_WORDS_MAX + 2], **words = arguments + 1;
    char path[PATH_MAX], timeout[24], count[24];
    struct mrl_error error;
    unsigned int policies = options->subscription.policy_count;

    if (mrl_side__find("grpc", NULL, path, sizeof(path), &error)) {
        mrl_say("%s", error.text);
        return MRL_EXIT_FAILED;
    }
    snprintf(timeout, sizeof(timeout), "%" PRIu64, options->timeout_ns / 1000000);
    snprintf(count, sizeof(count), "%" PRIu64, options->subscription.count);
    arguments[0] = path;
    add(words, MRL_CLIENT_VERB, verb->name);
    add(words, MRL_CLIENT_SERVER, options->peer.server);
    add(words, MRL_CLIENT_CA, options->peer.ca);
    add(words, MRL_CLIENT_CERT, options->peer.cert);
    add(words, MRL_CLIENT_KEY, options->peer.key);
    add(words, MRL_CLIENT_TIMEOUT_MS, timeout);
    add(words, MRL_CLIENT_FORMAT, format);
    add(words, MRL_CLIENT_MASK, options->subscription.mask);
    add(words, MRL_CLIENT_COUNT, count);
    add(words, MRL_CLIENT_FLAG, flag ? "1" : "");
    add(words, MRL_CLIENT_SERVICE, options->service);
    memcpy(words + MRL_CLIENT_POLICIES, options->subscription.policies, policies * sizeof(*words));
    words[MRL_CLIENT_POLICIES + policies] = NULL;
    execv(path, (char *const *)(uintptr_t)arguments);
    mrl_say("%s: %s", path, strerror(errno));
    return MRL_EXIT_FAILED;
}

/* Encoders are known by formats, not by their aliases. */
static const char *resolve_alias(const char *name)
{
    unsigned int count;
    const struct mrl_format *formats = mrl_format__all(&count);

    for (unsigned int i = 0; name && i < count; i++)
        if (!strcmp(formats[i].name, name) && formats[i].alias_of)
            return formats[i].alias_of;
    return name;
}

#define PREPARE(rows) \
    prepare(verb, argc, argv, rows, sizeof(rows) / sizeof(rows[0]), &options, &status)

static int stream(const struct mrl_verb *verb, int argc, char **argv)
{
    struct client_options options = { 0 };
    int status;

    return PREPARE(stream_rows) ? become(verb, &options, resolve_alias(options.subscription.format),
                                         options.subscription.waits)
                                : status;
}

static int metrics(const struct mrl_verb *verb, int argc, char **argv)
{
    struct client_options options = { 0 };
    int status;

    return PREPARE(metrics_rows)
               ? become(verb, &options, metrics_formats[options.metrics_format], false)
               : status;
}

static int health(const struct mrl_verb *verb, int argc, char **argv)
{
    struct client_options options = { 0 };
    int status;

    return PREPARE(health_rows) ? become(verb, &options, NULL, options.watches) : status;
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
