/* SPDX-License-Identifier: Apache-2.0 */
/* What every public header wraps its declarations in: C linkage, and visibility outside the
 * library. */
#ifndef MRELEASE_DECLARE_H
#define MRELEASE_DECLARE_H

#ifdef __cplusplus
#    define MRL_BEGIN_DECLARATIONS \
        extern "C" {               \
        _Pragma("GCC visibility push(default)")
#    define MRL_END_DECLARATIONS      \
        _Pragma("GCC visibility pop") \
        }
#else
#    define MRL_BEGIN_DECLARATIONS _Pragma("GCC visibility push(default)")
#    define MRL_END_DECLARATIONS   _Pragma("GCC visibility pop")
#endif

#endif
