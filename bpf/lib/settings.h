/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space fixed before the load; one definition per object. */
#ifndef MRL_LIB_SETTINGS_H
#define MRL_LIB_SETTINGS_H

#include "abi/record.h"

/* In .rodata, which the verifier reads as constants: what the settings switch off is not loaded. */
const volatile struct mrl_settings settings;

#endif
