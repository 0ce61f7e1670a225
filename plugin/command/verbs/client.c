// SPDX-License-Identifier: Apache-2.0
/* The verbs of a gRPC client: stream, metrics, health. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/run/grpc_module.h"
#include "grpc/common/module.h"

static int stop_requested;

static void on_signal(int number)
{
    (void)number;
    __atomic_store_n(&stop_requested, 1, __ATOMIC_RELAXED);
}

/* -- options ---------------------------------------------------------------------------------- */

struct client_options {
    struct mrl_grpc_peer peer;
    struct mrl_grpc_subscription subscription;
    const char *service;
    bool json, watches;
};

static int set_server(void *target, const char *value, struct mrl_error *error)
{
    if (strncmp(value, "unix:", 5) != 0 && strncmp(value, "tcp:", 4) != 0)
        return mrl_error__set(error, -EINVAL, "'%.64s': it is unix:PATH or tcp:HOST:PORT", value);
    ((struct client_options *)target)->peer.server = value;
    return 0;
}

/* An option that is kept as it is written. */
#define TEXT_SETTER(function, member)                                             \
    static int function(void *target, const char *value, struct mrl_error *error) \
    {                                                                             \
        (void)error;                                                              \
        ((struct client_options *)target)->member = value;                        \
        return 0;                                                                 \
    }

TEXT_SETTER(set_ca, peer.ca)
TEXT_SETTER(set_cert, peer.cert)
TEXT_SETTER(set_key, peer.key)
TEXT_SETTER(set_mask, subscription.mask)
TEXT_SETTER(set_service, service)

static int set_timeout(void *target, const char *value, struct mrl_error *error)
{
    uint64_t ns;
    int err = mrl_parse_duration(value, &ns, error);

    if (!err && (ns < 1000000 || ns > 3600 * UINT64_C(1000000000)))
        err = mrl_error__set(error, -EINVAL, "'%.64s' is not between 1ms and 1h", value);
    if (!err)
        ((struct client_options *)target)->peer.timeout_ms = (int)(ns / 1000000);
    return err;
}

static int set_format(void *target, const char *value, struct mrl_error *error)
{
    const char *names[32];
    unsigned int count, used = 0;
    const struct mrl_format *all = mrl_format__all(&count);

    for (unsigned int i = 0; i < count && used < 32; i++) {
        if (all[i].binary)
            continue;
        names[used++] = all[i].name;
        if (!strcmp(all[i].name, value)) {
            ((struct client_options *)target)->subscription.format =
                all[i].alias_of ? all[i].alias_of : all[i].name;
            return 0;
        }
    }
    return mrl_error__unknown(error, "format", value, names, used);
}

static int set_policy(void *target, const char *value, struct mrl_error *error)
{
    struct mrl_grpc_subscription *subscription = &((struct client_options *)target)->subscription;

    if (subscription->policy_count == MRL_GRPC_POLICIES_MAX)
        return mrl_error__set(error, -EINVAL, "more than %d policies", MRL_GRPC_POLICIES_MAX);
    subscription->policies[subscription->policy_count++] = value;
    return 0;
}

static int set_count(void *target, const char *value, struct mrl_error *error)
{
    return mrl_parse_count(value, &((struct client_options *)target)->subscription.count, error);
}

static int set_wait(void *target, const char *value, struct mrl_error *error)
{
    (void)value;
    (void)error;
    ((struct client_options *)target)->subscription.waits = true;
    return 0;
}

static int set_metrics_format(void *target, const char *value, struct mrl_error *error)
{
    static const char *const words[] = { "table", "json" };

    ((struct client_options *)target)->json = !strcmp(value, words[1]);
    return strcmp(value, words[0]) != 0 && strcmp(value, words[1]) != 0
               ? mrl_error__unknown(error, "format", value, words, 2)
               : 0;
}

static int set_watch(void *target, const char *value, struct mrl_error *error)
{
    (void)value;
    (void)error;
    ((struct client_options *)target)->watches = true;
    return 0;
}

static const struct mrl_option peer_rows[] = {
    { "server", 's', "ADDRESS", MRL_GRPC_DESTINATION,
      "The server: unix:PATH or tcp:HOST:PORT, Tracee's or our own.", set_server },
    { "ca", '\0', "FILE", NULL, "TLS, and who signed the server's certificate, in PEM.", set_ca },
    { "cert", '\0', "FILE", NULL, "Certificate to show to the server, in PEM.", set_cert },
    { "key", '\0', "FILE", NULL, "Its key.", set_key },
};

static const struct mrl_option stream_rows[] = {
    { "format", '\0', "FORMAT", "json-v1beta1",
      "A format of 'run'. json-v1beta1 shows all that the server sends, of any event; the others what the "
      "API carries of mrelease's own events, and 0 for what it does not.",
      set_format },
    { "mask", '\0', "PATHS", NULL,
      "Fields to send, separated by commas, as name,workload.process.pid; by default all.",
      set_mask },
    { "policy", '\0', "NAME", NULL, "Only events of this policy. May be repeated.", set_policy },
    { "count", 'n', "N", NULL, "End after N events.", set_count },
    { "wait", '\0', NULL, NULL, "Wait for a server that is not there yet.", set_wait },
};

static const struct mrl_option metrics_rows[] = {
    { "timeout", '\0', "TIME", "5s", "How long to wait for the answer.", set_timeout },
    { "format", '\0', "table|json", "table", "How to print them.", set_metrics_format },
};

static const struct mrl_option health_rows[] = {
    { "timeout", '\0', "TIME", "5s", "How long to wait for the answer; not with --watch.",
      set_timeout },
    { "service", '\0', "NAME", NULL, "A service; by default the server as a whole.", set_service },
    { "watch", '\0', NULL, NULL, "Print each change, until a signal ends it.", set_watch },
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

    options->peer.server = MRL_GRPC_DESTINATION;
    options->peer.stop = &stop_requested;
    options->peer.timeout_ms = 5000;
    options->subscription.format = "json-v1beta1";
    options->service = "";
    if (mrl_arguments__parse(verb, argc, argv, groups, 2, ret_status) < 0)
        return NULL;
    if (what_is_wrong(&options->peer)) {
        *ret_status = mrl_usage_error(verb, what_is_wrong(&options->peer));
        return NULL;
    }
    mrl_grpc_module__begin(say, NULL, NULL);
    client = mrl_grpc_module__client(&error);
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

static int stream(const struct mrl_verb *verb, int argc, char **argv)
{
    struct client_options options = { 0 };
    struct mrl_error error = { "" };
    int status;
    const struct mrl_grpc_client *client =
        prepare(verb, argc, argv, stream_rows, sizeof(stream_rows) / sizeof(stream_rows[0]),
                &options, &status);

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

    return client ? end(client->metrics(&options.peer, options.json, &error), &error) : status;
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
