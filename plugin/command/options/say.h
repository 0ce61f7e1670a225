/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on standard error, as a terminal, a file, journald or a collector of JSON wants them. */
#ifndef MRL_COMMAND_OPTIONS_SAY_H
#define MRL_COMMAND_OPTIONS_SAY_H

#include <mrelease/plugin.h>
#include <stdatomic.h>

/** The words of --log-format, in this order. */
enum mrl_log_format {
    MRL_LOG_AUTO, /**< JOURNAL where journald reads, TEXT on a terminal and in a file, else bare */
    MRL_LOG_TEXT, /**< the time, and the line */
    MRL_LOG_JSON, /**< an object per line: time, level, message */
    MRL_LOG_JOURNAL, /**< a priority, `<4>`, and the line: sd-daemon(3) */
    MRL_LOG_BARE,    /**< the line alone */
};

/** How lines are written from now on; until then they are bare. One thread. */
void mrl_say__set_format(enum mrl_log_format format);

/** Writes "mrelease: LEVEL: …", tamed, and a newline to standard error, in one piece. mrl_say(), of
 * command.h, is the same without the word, of what is news. */
__attribute__((format(printf, 2, 3))) void mrl_say_at(enum mrl_log_level level,
                                                      const char *format,
                                                      ...);

/** What a program that ends says of the reason: "mrelease: …". */
__attribute__((format(printf, 1, 2))) void mrl_say_error(const char *format, ...);

/** From now on this thread keeps what it says, until mrl_say__let_go(): for who holds a lock, since
 * whoever reads standard error may have stopped. Without memory, lines are written at once. */
void mrl_say__hold(void);

/** Writes what was kept, each line when standard error has room for it, and no more once `stop` is
 * set: a line that waits keeps all others from the terminal. */
void mrl_say__let_go(const atomic_bool *stop);

/** The word of a level. Static. */
const char *mrl_log_level__name(enum mrl_log_level level);

#endif
