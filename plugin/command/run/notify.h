/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager is told: sd_notify(3), of which the protocol is a datagram of lines. */
#ifndef MRL_COMMAND_RUN_NOTIFY_H
#define MRL_COMMAND_RUN_NOTIFY_H

/** Connects to the manager that $NOTIFY_SOCKET names, and takes the variables away from children.
 * Without one, all below do nothing. Before the sandbox; one thread. */
void mrl_notify__open(void);

/** Tells it lines, such as "READY=1\nSTATUS=…". Any thread. */
__attribute__((format(printf, 1, 2))) void mrl_notify__say(const char *format, ...);

/** "I am alive", when it is due. Any thread; cheap when it is not. */
void mrl_notify__ping(void);

/** How often ping() wants to be called, in ms; -1: never. */
int mrl_notify__ping_ms(void);

#endif
