/* SPDX-License-Identifier: Apache-2.0 */
/* The generated skeleton of the probes, after the types of the settings in it. */
#ifndef MRL_PROBE_SKELETON_H
#define MRL_PROBE_SKELETON_H

#include <abi/config.h>
#include <abi/record.h>

#include "mrelease.skel.h"

#endif
