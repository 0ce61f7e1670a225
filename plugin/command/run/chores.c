// SPDX-License-Identifier: Apache-2.0
#include "command/run/chores.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#include "base/clock.h"
#include "base/thread.h"
#include "command/command.h"
#include "command/options/say.h"

enum {
    PROVE_S = 15,      /* so often, */
    PROVE_ASKED_S = 2, /* or where somebody asks for health */
    FILE_S = 5,
    PATH_BYTES = 4096,
};

static struct {
    struct mrl_run_sides *run;
    const struct mrl_session_options *options;
    uint64_t policy_mounts; /* as they were last; 0: there are none */
    const char *file;
    pthread_t thread;
    bool has_thread;
    sem_t end;
    int file_err; /* that was said; 0: it works */
} chores;

/* -- the file --------------------------------------------------------------------------------- */

/* Not those of the process: who collects it has such of its own, and refuses two. */
static int write_rows(FILE *to)
{
    struct mrl_metrics *metrics;
    int err = mrl_run_sides__collect(chores.run, false, &metrics);

    if (err)
        return err;
    mrl_metrics__print(metrics, MRL_METRICS_PROMETHEUS, to);
    mrl_metrics__free(metrics);
    return ferror(to) ? -EIO : 0;
}

/* A new file: the directory may be another's, who might have put a link or a FIFO there. */
static FILE *make_file(const char *path)
{
    int fd;
    FILE *to;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    to = fd < 0 ? NULL : fdopen(fd, "w");
    if (fd >= 0 && !to)
        close(fd);
    return to;
}

/* Under another name first, that ends otherwise: a reader never sees half of it. */
static int write_file(void)
{
    char path[PATH_BYTES];
    FILE *to;
    int err;

    snprintf(path, sizeof(path), "%.4000s.new", chores.file);
    to = make_file(path);
    if (!to)
        return -errno;
    errno = 0;
    err = write_rows(to);
    /* Who reads it is another user. */
    if (!err && fchmod(fileno(to), 0644))
        err = -errno;
    if (fclose(to) && !err)
        err = -errno;
    if (!err && rename(path, chores.file))
        err = -errno;
    if (err)
        unlink(path);
    return err;
}

/* A failure is said once, and that it is over. */
static void renew_file(void)
{
    const int err = write_file();

    if (err && err != chores.file_err)
        mrl_say_at(MRL_LOG_WARNING, "--metrics-file %.256s: %s: tried again every %d s",
                   chores.file, strerror(-err), FILE_S);
    else if (!err && chores.file_err)
        mrl_say("--metrics-file %.256s: works again", chores.file);
    chores.file_err = err;
}

/* -- the probes ------------------------------------------------------------------------------- */

static void prove(void)
{
    struct mrl_run_sides *run = chores.run;

    pthread_mutex_lock(&run->lock);
    if (run->plugin)
        mrl_plugin__prove(run->plugin);
    pthread_mutex_unlock(&run->lock);
}

/* -- policies --------------------------------------------------------------------------------- */

static void look_at_policies(void)
{
    struct mrl_run_sides *run = chores.run;
    const uint64_t mounts =
        mrl_policy_mounts__look(chores.options->policies, chores.options->policy_count);

    if (!mounts || mounts == chores.policy_mounts)
        return;
    chores.policy_mounts = mounts;
    atomic_store(&run->policies_changed, true);
    pthread_mutex_lock(&run->lock);
    if (run->plugin)
        mrl_plugin__interrupt(run->plugin);
    pthread_mutex_unlock(&run->lock);
}

/* -- the thread ------------------------------------------------------------------------------- */

static bool is_over(void)
{
    struct timespec next;

    /* By no clock that anybody sets. */
    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec++;
    while (sem_clockwait(&chores.end, CLOCK_MONOTONIC, &next))
        if (errno == ETIMEDOUT)
            return false;
    return true;
}

static void *do_chores(void *context)
{
    unsigned int since_proof = 0;

    (void)context;
    for (unsigned int second = 0;; second++) {
        if (chores.file && second % FILE_S == 0)
            renew_file();
        if (is_over())
            break;
        if (chores.policy_mounts)
            look_at_policies();
        if (++since_proof >= PROVE_S ||
            (since_proof >= PROVE_ASKED_S && atomic_exchange(&chores.run->health.asked, false))) {
            prove();
            since_proof = 0;
        }
    }
    if (chores.file)
        renew_file();
    return NULL;
}

void mrl_chores__start(struct mrl_run_sides *run, const struct mrl_session_options *options)
{
    const bool follows = options->policy_mounts && mrl_session_options__may_reload(options);

    if (!run->sides && !options->metrics_file && !follows)
        return;
    chores.run = run;
    chores.options = options;
    chores.policy_mounts = follows ? options->policy_mounts : 0;
    chores.file = options->metrics_file;
    chores.file_err = 0;
    sem_init(&chores.end, 0, 0);
    chores.has_thread = !mrl_thread__start(&chores.thread, 0, do_chores, NULL);
    if (!chores.has_thread)
        mrl_say_at(MRL_LOG_WARNING, "no thread: probes are not proven again, nor metrics written");
}

void mrl_chores__stop(void)
{
    if (!chores.has_thread)
        return;
    sem_post(&chores.end);
    pthread_join(chores.thread, NULL);
    sem_destroy(&chores.end);
    chores.has_thread = false;
}
