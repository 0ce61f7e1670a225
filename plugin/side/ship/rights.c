// SPDX-License-Identifier: Apache-2.0
#include "side/ship/rights.h"

#include <errno.h>
#include <execinfo.h>
#include <libgen.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side/common/sandbox.h"

enum { DATA_BYTES = 104 * 1024 * 1024, FILES_MAX = 256 };

/* What libc reads to find a host. */
static const char *const files[] = { "/etc/hosts",     "/etc/resolv.conf", "/etc/nsswitch.conf",
                                     "/etc/host.conf", "/etc/gai.conf",    "/etc/services" };

/* Where resolv.conf leads to a file that a program writes anew, its directory: the new file is
 * another one. A path in /etc stays that file. */
static int add_resolver(struct mrl_sandbox *sandbox)
{
    char path[PATH_MAX];

    if (!realpath("/etc/resolv.conf", path) || !strncmp(path, "/etc/", 5))
        return 0;
    return mrl_sandbox__add_path(sandbox, dirname(path), MRL_PATH_READ);
}

/* Modules of nsswitch.conf are loaded by the first look-up, and by no later one. */
static void load_modules(void)
{
    struct addrinfo *found = NULL;
    void *frame;

    if (!getaddrinfo("localhost", NULL, NULL, &found))
        freeaddrinfo(found);
    backtrace(&frame, 1);
}

const struct mrl_host_identity *mrl_ship__host(void)
{
    static struct mrl_host_identity host;

    if (!*host.name)
        mrl_host_identity__read(&host);
    return &host;
}

int mrl_ship__keep_rights(struct mrl_sandbox *ret_sandbox)
{
    int err = 0;

    *ret_sandbox = (struct mrl_sandbox){
        .calls = MRL_CALLS_MESSAGES | MRL_CALLS_NET | MRL_CALLS_READ,
#ifndef MRL_SANITIZED
        .data_bytes = DATA_BYTES,
#endif
        .files_max = FILES_MAX,
        .user = geteuid() ? NULL : "nobody",
    };
    load_modules();
    mrl_ship__host();
    for (size_t i = 0; !err && i < sizeof(files) / sizeof(files[0]); i++)
        err = mrl_sandbox__add_path(ret_sandbox, files[i], MRL_PATH_READ);
    return err ? err : add_resolver(ret_sandbox);
}
