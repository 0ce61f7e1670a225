// SPDX-License-Identifier: Apache-2.0
/* Which library this is. */
#include <mrelease/mrelease.h>

#include <bpf/libbpf.h>

const char *mrl_version(void)
{
    return MRL_VERSION;
}

const char *mrl_source_id(void)
{
    return MRL_SOURCE_ID;
}

const char *mrl_libbpf_version(void)
{
    const char *version = libbpf_version_string();

    return *version == 'v' ? version + 1 : version;
}
