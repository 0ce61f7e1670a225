/* SPDX-License-Identifier: Apache-2.0 */
/* What a process keeps in its sandbox. */
#ifndef MRL_SIDE_PROFILE_H
#define MRL_SIDE_PROFILE_H

#include <stdint.h>

/** Groups of system calls. Every process has those for memory, threads, time and descriptors that
 * are open; all that no group names is refused with EPERM. sandbox_calls.c has the lists. */
enum {
    MRL_CALLS_READ = 1 << 0,     /**< open and list files */
    MRL_CALLS_WRITE = 1 << 1,    /**< make, rename, remove, lock files */
    MRL_CALLS_MESSAGES = 1 << 2, /**< on sockets that are open */
    MRL_CALLS_NET = 1 << 3,      /**< make sockets, listen, connect; with the two above */
    MRL_CALLS_BPF = 1 << 4,      /**< read and set what maps hold, and detach probes */
    MRL_CALLS_PROBES = 1 << 5,   /**< attach probes that are loaded, and prove them by a child */
    MRL_CALLS_PERF = 1 << 6,     /**< the same of probes that are perf events */
    MRL_CALLS_SERVE = 1 << 7,  /**< accept at sockets that are open, and pair them; with messages */
    MRL_CALLS_PROVE = 1 << 8,  /**< make the calls that are probed, by a child */
    MRL_CALLS_ACCEPT = 1 << 9, /**< accept at sockets that are open; with messages */
    MRL_CALLS_UNIX = 1 << 10,  /**< connect to sockets of this host; with messages */
};

/** What may be done below a path. */
enum {
    MRL_PATH_READ = 1 << 0,    /**< read files, list directories */
    MRL_PATH_WRITE = 1 << 1,   /**< write files that are there */
    MRL_PATH_MAKE = 1 << 2,    /**< make, cut, rename and remove files in a directory */
    MRL_PATH_SOCKETS = 1 << 3, /**< make and remove sockets in a directory */
};

struct mrl_sandbox_path {
    char *path;
    unsigned int rights;
};

enum { MRL_SANDBOX_PATHS = 64 };

/** What a process keeps. Zeroed: its open descriptors, and nothing else. */
struct mrl_sandbox {
    uint32_t calls;                                   /**< MRL_CALLS_… */
    struct mrl_sandbox_path paths[MRL_SANDBOX_PATHS]; /**< the only ones in reach */
    unsigned int path_count;
    uint64_t capabilities; /**< a bit for each that stays, where the process has it */
    /** Its name becomes that of the process, with its group and no others, where the process may;
     * NULL: it stays who it is. A user that is not there counts as missing. */
    const char *user;
    uint64_t data_bytes;    /**< RLIMIT_DATA; 0: as it is */
    unsigned int files_max; /**< RLIMIT_NOFILE; 0: as it is */
};

#endif
