// SPDX-License-Identifier: Apache-2.0
#include "command/options/tracee_words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define NO_ARTEFACTS "not here: no files or memory are captured; --record FILE keeps the events"
#define NO_DETECTIONS \
    "not needed: there are no signatures here; rules for events are in docs/falco-rules.md"
#define NO_STORES \
    "not needed: nothing is kept of processes or of DNS; an event has its caller and its parent"
#define BY_HTTP "here --http ADDRESS, with /metrics, /healthz, /livez and /readyz"
#define NAMES   "here ids of containers are in each event, and names come from the runtimes' sockets"

/* One row per word: v0.23, v0.24 and main together. */
static const struct mrl_tracee_word rows[] = {
    { MRL_TRACEE_OPTION, "server", 0,
      "here --http ADDRESS for metrics and health, and --output grpc:ADDRESS" },
    { MRL_TRACEE_OPTION, "metrics", 0, BY_HTTP },
    { MRL_TRACEE_OPTION, "healthz", 0, BY_HTTP },
    { MRL_TRACEE_OPTION, "http-listen-addr", 0, BY_HTTP },
    { MRL_TRACEE_OPTION, "listen-addr", 0, BY_HTTP },
    { MRL_TRACEE_OPTION, "grpc-listen-addr", 0,
      "here --output grpc:tcp:HOST:PORT or grpc:unix:PATH" },
    { MRL_TRACEE_OPTION, "pprof", 0, "not needed: perf shows where a native program spends time" },
    { MRL_TRACEE_OPTION, "pyroscope", 0,
      "not needed: perf shows where a native program spends time" },
    { MRL_TRACEE_OPTION, "log", 'l', "here --log-level LEVEL and --log-format FORMAT" },
    { MRL_TRACEE_OPTION, "logging", 0, "here --log-level LEVEL and --log-format FORMAT" },
    { MRL_TRACEE_OPTION, "perf-buffer-size", 'b',
      "here --ring SIZE and --busy-ring SIZE, in bytes" },
    { MRL_TRACEE_OPTION, "buffers", 0,
      "here --ring SIZE and --busy-ring SIZE, and queue=SIZE of an output" },
    { MRL_TRACEE_OPTION, "blob-perf-buffer-size", 0, "not needed: no artefacts are captured" },
    { MRL_TRACEE_OPTION, "pipeline-channel-size", 0, "here queue=SIZE of an output" },
    { MRL_TRACEE_OPTION, "cache", 0,
      "here queue=SIZE of an output, and spool=DIR where a destination may be away" },
    { MRL_TRACEE_OPTION, "capabilities", 'C',
      "not needed: all rights but what the kernel insists on are given up; see --sandbox" },
    { MRL_TRACEE_OPTION, "capture", 'c', NO_ARTEFACTS },
    { MRL_TRACEE_OPTION, "artifacts", 'a', NO_ARTEFACTS },
    { MRL_TRACEE_OPTION, "proctree", 't', NO_STORES },
    { MRL_TRACEE_OPTION, "dnscache", 0, NO_STORES },
    { MRL_TRACEE_OPTION, "stores", 0, NO_STORES },
    { MRL_TRACEE_OPTION, "containers", 0, NAMES },
    { MRL_TRACEE_OPTION, "no-containers", 0,
      "not needed: an id costs nothing, and names only where they are asked for" },
    { MRL_TRACEE_OPTION, "cri", 0, NAMES },
    { MRL_TRACEE_OPTION, "crs", 0, NAMES },
    { MRL_TRACEE_OPTION, "enrichment", 0,
      "here --extra EXTRAS; ids of containers are in each event, and addresses are plain numbers" },
    { MRL_TRACEE_OPTION, "signatures", 0, NO_DETECTIONS },
    { MRL_TRACEE_OPTION, "signatures-dir", 0, NO_DETECTIONS },
    { MRL_TRACEE_OPTION, "rego", 0, NO_DETECTIONS },
    { MRL_TRACEE_OPTION, "detectors", 0, NO_DETECTIONS },
    { MRL_TRACEE_OPTION, "runtime", 0, "here --install-path DIR, for tracee.pid alone" },
    { MRL_TRACEE_OPTION, "allow-high-capabilities", 0,
      "not needed: nothing is done with rights beyond those of the probes" },
    { MRL_TRACEE_OPTION, "filter", 'f', "here --events and --scope, as in Tracee since v0.16" },
    { MRL_TRACEE_OPTION, "trace", 0, "here --events and --scope, as in Tracee since v0.16" },
    { MRL_TRACEE_FORMAT, "table-verbose", 0, "here table,wide=true; all fields are in json" },
    { MRL_TRACEE_FORMAT, "gotemplate", 0, "not here: json, and jq behind it" },
    { MRL_TRACEE_FORMAT, "gob", 0, "not here: json, or capture by --record" },
    { MRL_TRACEE_FORMAT, "forward", 0, "here json:fluent://HOST:PORT" },
    { MRL_TRACEE_FORMAT, "webhook", 0, "here json:webhook+https://HOST/PATH" },
    { MRL_TRACEE_FORMAT, "sort-events", 0,
      "not needed: events of one CPU are in order, and have times" },
    { MRL_TRACEE_FORMAT, "option", 0,
      "here --extra: exe fills the path; arguments are numbers, and table shows them in words" },
    { MRL_TRACEE_FORMAT, "destinations", 0, "here one --output FORMAT:DEST for each" },
    { MRL_TRACEE_FORMAT, "streams", 0, "here one --output FORMAT:DEST for each" },
    { MRL_TRACEE_VERB, "list", 0, "here 'events'" },
    { MRL_TRACEE_VERB, "man", 0, "here 'help', and man mrelease" },
    { MRL_TRACEE_VERB, "analyze", 0,
      "not here: there are no signatures; 'explain' and 'replay' look at events" },
};

const struct mrl_tracee_word *mrl_tracee_word__at(unsigned int index)
{
    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

static const char *dashes_of(const struct mrl_tracee_word *row)
{
    return row->kind == MRL_TRACEE_OPTION ? "--" : "";
}

static int answer(const struct mrl_tracee_word *row, struct mrl_error *error)
{
    return mrl_error__set(error, -EINVAL, "Tracee's %s%s: %s", dashes_of(row), row->word,
                          row->answer);
}

/* A format may be followed by what belongs to it, as in gotemplate=FILE. */
static bool is_word(const struct mrl_tracee_word *row, const char *word)
{
    const size_t size = strlen(row->word);

    return !strncmp(row->word, word, size) &&
           (!word[size] || (row->kind == MRL_TRACEE_FORMAT && strchr("=.:,", word[size])));
}

int mrl_tracee_word__answer(enum mrl_tracee_word_kind kind,
                            const char *word,
                            struct mrl_error *error)
{
    const struct mrl_tracee_word *row;

    for (unsigned int i = 0; (row = mrl_tracee_word__at(i)); i++)
        if ((row->kind == kind || (kind == MRL_TRACEE_KEY && row->kind == MRL_TRACEE_OPTION)) &&
            is_word(row, word))
            return answer(row, error);
    return 0;
}

int mrl_tracee_word__answer_letter(char letter, struct mrl_error *error)
{
    const struct mrl_tracee_word *row;

    for (unsigned int i = 0; (row = mrl_tracee_word__at(i)); i++)
        if (row->letter && row->letter == letter)
            return mrl_error__set(error, -EINVAL, "Tracee's -%c: %s", letter, row->answer);
    return 0;
}
