/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Side programs: sinks that speak to a network or need a large library live in a program of their
 * own, libexec/mrelease/NAME. So nothing of theirs is mapped into the process that holds the
 * probes, and what befalls them befalls nobody else: one that dies, hangs or grows beyond its bound
 * is ended and started again. Whoever embeds the library may have them, or do without: sinks that
 * name a program then cannot be opened.
 */
#ifndef MRELEASE_SIDE_H
#define MRELEASE_SIDE_H

#include <mrelease/declare.h>
#include <mrelease/error.h>
#include <mrelease/metrics.h>
#include <mrelease/names.h>
#include <mrelease/plugin.h>
#include <mrelease/sink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

MRL_BEGIN_DECLARATIONS

/** Those who start and watch side programs. */
struct mrl_sides;

/** What a client of a side program asks for. */
enum mrl_wish_kind { MRL_WISH_ENABLE, MRL_WISH_DISABLE, MRL_WISH_LOG_LEVEL };

struct mrl_wish {
    enum mrl_wish_kind kind;
    unsigned int event;       /**< table index; of MRL_WISH_ENABLE and _DISABLE */
    enum mrl_log_level level; /**< of MRL_WISH_LOG_LEVEL */
    int64_t by_uid, by_pid;   /**< who asks, as the kernel says; MRL_NOBODY: it cannot say */
    const char *by;           /**< the same in words: "user 0 (process 4711)" */
};

enum { MRL_HEALTH_TEXT_MAX = 120, MRL_HEALTH_CHECKS_MAX = 8 };

/** One thing that is looked at when somebody asks whether the run is well. */
struct mrl_health_check {
    char name[16];
    char text[MRL_HEALTH_TEXT_MAX]; /**< what was found, for people */
    bool is_well;
    /** Where it is not well, nothing but a restart helps; else the run is not ready, and that is
     * all. */
    bool is_of_life;
};

/** How a run is. Ready: all of `checks` are well. A loss is no matter of health. */
struct mrl_health {
    unsigned int count;
    struct mrl_health_check checks[MRL_HEALTH_CHECKS_MAX];
};

/** What side programs need of the process that starts them. All functions may be called on any
 * thread; those that are NULL are not called. */
struct mrl_sides_options {
    /** sizeof(struct mrl_sides_options): lets the struct grow. */
    size_t size;
    /** Where the programs are; NULL: beside the program that runs, in ../libexec/mrelease. */
    const char *directory;
    /** What a program does about its sandbox: "on", "off", or "require": it ends where the kernel
     * lacks a part of it. NULL: "on". Borrowed. */
    const char *sandbox;
    void (*log)(void *context, enum mrl_log_level level, const char *text);
    /** The registry of the run, new. Errors: -ENODEV not yet, or no more; of
     * mrl_metrics__collect(). */
    int (*metrics)(void *context, struct mrl_metrics **ret_metrics);
    /** How the run is; fills in the zeroed `*ret_health`. `is_asked`: by somebody, and not only
     * once in a second. Does not wait. */
    void (*health)(void *context, bool is_asked, struct mrl_health *ret_health);
    /** Fulfils a wish of somebody who may have it. -errno, with a line. */
    int (*fulfil)(void *context, const struct mrl_wish *wish, struct mrl_error *error);
    /** What became of a wish: `err` 0, it is so now; -EACCES, who asked may not; of fulfil(). To be
     * told whatever the log level. Of a flood of wishes that are refused, the first of a second. */
    void (*wished)(void *context, const struct mrl_wish *wish, int err, const char *why);
    /** A side program has died, or was ended; `detail` as of mrl_plugin__tell(). */
    void (*died)(void *context, const char *detail);
    void *context;
    /** A directory: a program whose name is a socket there is not started, but reached by it; a
     * service manager listens there, and starts it in a service of its own for each connection.
     * Root, or the user of this process, must be who listens. NULL: none. */
    const char *sockets;
    /** A container has names, or why it has none: one that was asked for (mrl_sides__ask_names(),
     * whose number `ask` is), or 0: one that runs. All is borrowed. */
    void (*named)(void *context, uint32_t ask, const struct mrl_container_names *names);
    /** No program is started, and so no starter: those in `sockets` alone are reached, also when
     * they come later. For a process that has threads already. */
    bool joins_only;
};

/**
 * Forks the starter, the one process that executes programs, unless options.joins_only. To be
 * called before any thread is started and anything is opened. `*ret_sides` is new. Errors: as
 * socketpair() and fork(), with a line.
 */
int mrl_sides__start(const struct mrl_sides_options *options,
                     struct mrl_error *error,
                     struct mrl_sides **ret_sides);

/** Finds the side program called `name`; `directory` as of mrl_sides_options. Error: -ENOENT it is
 * not installed, with a line. */
int mrl_side__find(
    const char *name, const char *directory, char *path, size_t size, struct mrl_error *error);

/** The sink of a row: itself, or one that feeds its side program, which lives as long as `sides`.
 * NULL: out of memory, or too many. */
const struct mrl_sink_ops *mrl_sides__sink(struct mrl_sides *sides, const struct mrl_sink_ops *row);

/**
 * The service of metrics and health: no sink of events, and no output names it. Opened as a sink,
 * by mrl_sides__sink(), it serves until it is closed, and nothing is to be written to it. Its
 * destination is "tcp:HOST:PORT", "unix:PATH" or "systemd[:NAME]". Static.
 */
const struct mrl_sink_ops *mrl_sides__metrics(void);

/**
 * The service of names: it asks the runtimes of this host. Opened as that of metrics; its options
 * are a struct mrl_names_options, and its destination is "". Static.
 */
const struct mrl_sink_ops *mrl_sides__names(void);

/** A container to ask for. */
struct mrl_names_question {
    uint32_t ask; /**< any number but 0, which the answers have */
    enum mrl_runtime hint;
    const char *id; /**< 12 to 64 hexadecimal digits and '-' */
};

/**
 * Asks the service of names, a sink of mrl_sides__names(), for containers; up to 256 at a time. The
 * answers come by mrl_sides_options.named: each container once or more often. Does not wait for
 * anybody. Any thread. Errors, of all of them: -ENOLINK the side program is not there, -EAGAIN it
 * is behind, -EINVAL an id is none.
 */
int mrl_sides__ask_names(struct mrl_sink *sink,
                         const struct mrl_names_question *questions,
                         unsigned int count);

/**
 * Waits until the programs of all sinks that were opened are open, or one cannot be: they start
 * while the caller does other things. Then there is no thread of theirs, until mrl_sides__ready():
 * what a process gives up, threads that run already may keep. After that, sinks that are opened
 * later are waited for while the others go on. Errors: of a program's open(), with a
 * line; -ECHILD it has ended. Whoever does not call it, learns that from the log.
 */
int mrl_sides__await(struct mrl_sides *sides, struct mrl_error *error);

/** The side programs that are open, each once, and how often they were started; up to `most`.
 * Returns how many. Any thread. */
unsigned int mrl_sides__lives(struct mrl_sides *sides,
                              struct mrl_side_life *ret_lives,
                              unsigned int most);

/** The probes are proven: events will come. Starts a thread for each sink that is open, so that
 * until here there need be none; before it, nothing may be written. May be called again. */
void mrl_sides__ready(struct mrl_sides *sides);

/** Ends the threads of all sinks, until mrl_sides__ready() is called again: a process that gives up
 * rights must be alone, for what threads hold they keep. Their programs go on. */
void mrl_sides__rest(struct mrl_sides *sides);

/** The end is near: what dies now is not started again, and what hangs is not waited for. Any
 * thread. */
void mrl_sides__hurry(struct mrl_sides *sides);

/** Ends the starter, and with it whatever it started. After the sinks were closed. NULL is
 * allowed. */
void mrl_sides__free(struct mrl_sides *sides);

MRL_END_DECLARATIONS

#endif
