/* SPDX-License-Identifier: Apache-2.0 */
/**
 * mrelease as a library: open a plugin, take batches of events, encode them, close.
 *
 *     struct mrl_plugin *plugin;
 *     struct mrl_error error;
 *     if (mrl_plugin__open(NULL, &error, &plugin) < 0)
 *         …error.text says why…
 *     while ((count = mrl_plugin__next_batch(plugin, 100, &batch)) >= 0)
 *         …
 *     mrl_plugin__close(plugin);
 *
 * Errors. Fallible functions return 0 or a count, or -errno, and leave their ret_… arguments
 * untouched on failure. Functions that take a struct mrl_error put one line of text there; NULL is
 * allowed.
 *
 * Ownership. A pointer argument is borrowed until the function returns, and a returned pointer
 * belongs to the object it came from, unless the comment says new, steals or copies.
 *
 * Threads. A plugin belongs to one thread at a time; what may be called from another says so. Two
 * plugins in one process do not know of each other.
 */
#ifndef MRELEASE_MRELEASE_H
#define MRELEASE_MRELEASE_H

#include <mrelease/declare.h>
#include <mrelease/encode.h>
#include <mrelease/error.h>
#include <mrelease/event.h>
#include <mrelease/extra.h>
#include <mrelease/item.h>
#include <mrelease/metrics.h>
#include <mrelease/names.h>
#include <mrelease/option.h>
#include <mrelease/pipeline.h>
#include <mrelease/plugin.h>
#include <mrelease/side.h>
#include <mrelease/sink.h>

MRL_BEGIN_DECLARATIONS

/** Version of the library that runs, as MAJOR.MINOR.PATCH. */
const char *mrl_version(void);

/** Identity of the source it was built from (git), or "unknown". */
const char *mrl_source_id(void);

/** Version of the libbpf that is loaded, as MAJOR.MINOR. */
const char *mrl_libbpf_version(void);

MRL_END_DECLARATIONS

#endif
