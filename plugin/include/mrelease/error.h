/* SPDX-License-Identifier: Apache-2.0 */
/** One line of text about the last thing that failed. */
#ifndef MRELEASE_ERROR_H
#define MRELEASE_ERROR_H

#include <mrelease/declare.h>

MRL_BEGIN_DECLARATIONS

/** Room for one line, ended by a NUL, without a newline. Owned by the caller, usually on its stack.
 */
struct mrl_error {
    char text[512];
};

/**
 * Writes the text and returns `code` (a negative errno), so that `return mrl_error__set(…)` reads
 * well. Longer text is cut; a control character becomes '?'. `error` may be NULL. Any thread.
 */
__attribute__((format(printf, 3, 4))) int mrl_error__set(struct mrl_error *error,
                                                         int code,
                                                         const char *format,
                                                         ...);
#ifdef __clang_analyzer__ /* which cannot see what a function of another file returns */
#    define mrl_error__set(error, code, ...) (mrl_error__set(error, code, __VA_ARGS__), code)
#endif

/**
 * Says that `word` is not one of the `what` (for example "event"), and names the nearest that is:
 * "unknown event 'mlok': did you mean 'mlock'?"; where none is near, all are listed.
 * `words` is an array of `count` texts. Returns -EINVAL. Any thread.
 */
int mrl_error__unknown(struct mrl_error *error,
                       const char *what,
                       const char *word,
                       const char *const *words,
                       unsigned int count);

MRL_END_DECLARATIONS

#endif
