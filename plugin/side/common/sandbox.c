// SPDX-License-Identifier: Apache-2.0
/* The steps into the sandbox, in the order in which one takes no right that a later one needs. */
#include "side/common/sandbox.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "side/common/landlock.h"
#include "side/common/sandbox_calls.h"

/* What the kernel lacks, one after the other. */
struct lacks {
    struct mrl_error *line;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add_lack(struct lacks *lacks,
                                                           const char *format,
                                                           ...)
{
    char *text = lacks->line ? lacks->line->text : NULL;
    va_list arguments;

    if (text && lacks->used + 2 < sizeof(lacks->line->text)) {
        if (lacks->used)
            lacks->used += (size_t)sprintf(text + lacks->used, "; ");
        va_start(arguments, format);
        vsnprintf(text + lacks->used, sizeof(lacks->line->text) - lacks->used, format, arguments);
        va_end(arguments);
        lacks->used = strlen(text);
    }
    lacks->used += !lacks->used; /* also where nobody listens */
}

int mrl_sandbox__add_path(struct mrl_sandbox *sandbox, const char *path, unsigned int rights)
{
    char *copy = sandbox->path_count < MRL_SANDBOX_PATHS ? strdup(path) : NULL;

    if (!copy)
        return sandbox->path_count < MRL_SANDBOX_PATHS ? -ENOMEM : -ENOSPC;
    sandbox->paths[sandbox->path_count++] = (struct mrl_sandbox_path){ copy, rights };
    return 0;
}

void mrl_sandbox__done(struct mrl_sandbox *sandbox)
{
    while (sandbox->path_count)
        free(sandbox->paths[--sandbox->path_count].path);
}

/* -- limits, and who the process is ----------------------------------------------------------- */

static int limit(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now))
        return -errno;
    now.rlim_max = now.rlim_max < most ? now.rlim_max : most;
    now.rlim_cur = now.rlim_cur < now.rlim_max ? now.rlim_cur : now.rlim_max;
    return setrlimit(resource, &now) ? -errno : 0;
}

static int set_limits(const struct mrl_sandbox *sandbox)
{
    int err = limit(RLIMIT_CORE, 0);

    if (!err && sandbox->data_bytes)
        err = limit(RLIMIT_DATA, sandbox->data_bytes);
    if (!err && sandbox->files_max)
        err = limit(RLIMIT_NOFILE, sandbox->files_max);
    return err;
}

static int change_to(const struct passwd *user)
{
    return setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
                   setresuid(user->pw_uid, user->pw_uid, user->pw_uid)
               ? -errno
               : 0;
}

/* A container of root's may lack CAP_SETUID and CAP_SETGID. Root it then stays, but without a
 * capability, and with all else that holds it. */
static int become(const char *name, struct lacks *lacks)
{
    struct passwd row, *user = NULL;
    char room[16 * 1024];
    int err;

    if (geteuid())
        return 0; /* it is somebody already */
    if (getpwnam_r(name, &row, room, sizeof(room), &user) || !user) {
        add_lack(lacks, "there is no user '%s'", name);
        return 0;
    }
    err = change_to(user);
    if (err == -EPERM)
        add_lack(lacks, "no right to become user '%s' (CAP_SETUID, CAP_SETGID)", name);
    return err == -EPERM ? 0 : err;
}

/* -- capabilities ----------------------------------------------------------------------------- */

/* Sets those of this thread to what it has of `capabilities`. */
static int keep_only(uint64_t capabilities)
{
    cap_t now = cap_get_proc(), kept = cap_init();
    int err = now && kept ? 0 : -ENOMEM;

    for (cap_value_t i = 0; !err && i < cap_max_bits(); i++) {
        cap_flag_value_t has = CAP_CLEAR;

        if (!(capabilities & (1ULL << i)) || cap_get_flag(now, i, CAP_PERMITTED, &has) || !has)
            continue;
        if (cap_set_flag(kept, CAP_PERMITTED, 1, &i, CAP_SET) ||
            cap_set_flag(kept, CAP_EFFECTIVE, 1, &i, CAP_SET))
            err = -errno;
    }
    if (!err && cap_set_proc(kept))
        err = -errno;
    cap_free(now);
    cap_free(kept);
    return err;
}

/* What no exec can bring back. Without CAP_SETPCAP the bounding set stays, and no_new_privs does
 * as much. */
static int empty_bounds(void)
{
    for (cap_value_t i = 0; i < cap_max_bits(); i++)
        if (cap_drop_bound(i) && errno != EPERM)
            return -errno;
    return 0;
}

static int drop_capabilities(uint64_t kept)
{
    /* A kernel without ambient capabilities has none to clear. */
    if (cap_reset_ambient() && errno != EINVAL)
        return -errno;
    return keep_only(kept);
}

static int set_effective(cap_t set)
{
    return cap_set_proc(set) ? -errno : 0;
}

int mrl_sandbox__without_capabilities(int (*act)(void *context), void *context)
{
    cap_t before = cap_get_proc(), none = before ? cap_dup(before) : NULL;
    int result = none ? 0 : -ENOMEM, err;

    if (!result && cap_clear_flag(none, CAP_EFFECTIVE))
        result = -errno;
    if (!result)
        result = set_effective(none);
    if (!result) {
        result = act(context);
        err = set_effective(before);
        result = err ? err : result;
    }
    cap_free(before);
    cap_free(none);
    return result;
}

void mrl_sandbox__name_capabilities(uint64_t capabilities, char *text, size_t size)
{
    size_t used = 0;

    snprintf(text, size, "none");
    for (cap_value_t i = 0; i < cap_max_bits() && used < size; i++) {
        char *name = capabilities & (1ULL << i) ? cap_to_name(i) : NULL;

        if (!name)
            continue;
        for (char *letter = name; *letter; letter++)
            *letter = (char)toupper((unsigned char)*letter);
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", name);
        cap_free(name);
    }
}

/* -- all of it -------------------------------------------------------------------------------- */

static int enter_landlock(const struct mrl_sandbox *sandbox, struct lacks *lacks)
{
    int err = mrl_landlock__enter(sandbox);

    if (err == -EOPNOTSUPP)
        add_lack(lacks, "no Landlock: this kernel has none, or a filter refuses it");
    return err == -EOPNOTSUPP ? 0 : err;
}

static int refuse_calls(const struct mrl_sandbox *sandbox, struct lacks *lacks)
{
    int err = mrl_sandbox_calls__refuse_others(sandbox->calls);

    if (err == -EOPNOTSUPP)
        add_lack(lacks, "no seccomp: this kernel has none, or a filter refuses it");
    return err == -EOPNOTSUPP ? 0 : err;
}

static int fail(struct mrl_error *error, const char *step, int err)
{
    if (error)
        snprintf(error->text, sizeof(error->text), "%s: %s", step, strerror(-err));
    return err;
}

int mrl_sandbox__enter(const struct mrl_sandbox *sandbox, struct mrl_error *missing)
{
    struct lacks lacks = { .line = missing };
    int err;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return fail(missing, "no_new_privs", -errno);
    err = set_limits(sandbox);
    if (err)
        return fail(missing, "limits", err);
    err = empty_bounds();
    if (err)
        return fail(missing, "bounding set", err);
    if (sandbox->user && (err = become(sandbox->user, &lacks)))
        return fail(missing, sandbox->user, err);
    /* After the name of the user was looked up in files that are out of reach from here on. */
    err = enter_landlock(sandbox, &lacks);
    if (err)
        return fail(missing, "Landlock", err);
    err = drop_capabilities(sandbox->capabilities);
    if (err)
        return fail(missing, "capabilities", err);
    /* After the user, of which a change sets it as well. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return fail(missing, "dumpable", -errno);
    err = refuse_calls(sandbox, &lacks);
    if (err)
        return fail(missing, "seccomp", err);
    return lacks.used > 0;
}

int mrl_sandbox__enter_reader(const char *below, struct mrl_error *missing)
{
    struct mrl_sandbox sandbox = { .calls = MRL_CALLS_READ };
    int err = 0;

    if (below) {
        sandbox.capabilities = 1ULL << CAP_DAC_READ_SEARCH;
        err = mrl_sandbox__add_path(&sandbox, below, MRL_PATH_READ);
    }
    err = err ? fail(missing, "paths", err) : mrl_sandbox__enter(&sandbox, missing);
    mrl_sandbox__done(&sandbox);
    return err;
}
