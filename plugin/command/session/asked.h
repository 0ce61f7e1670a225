/* SPDX-License-Identifier: Apache-2.0 */
/* What the control socket asks of a run: its status, its side programs' wishes, its reload. */
#ifndef MRL_COMMAND_SESSION_ASKED_H
#define MRL_COMMAND_SESSION_ASKED_H

#include "command/session/control.h"
#include "command/session/reload.h"
#include "command/session/status.h"

/** Parts of a run, which outlive the socket. */
struct mrl_asked {
    struct mrl_reload *reload;
    struct mrl_run_sides *sides;
    struct mrl_status_source status;
};

/** Has the socket, where it is open, answer for these. */
void mrl_asked__listen(struct mrl_asked *asked, struct mrl_ctl *control);

#endif
