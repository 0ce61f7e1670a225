// SPDX-License-Identifier: Apache-2.0
/* The verb version. */
#include <jansson.h>
#include <stdio.h>
#include <yaml.h>

#include "command/command.h"
#include "command/schema/dialect.h"

static void print_schemas(void)
{
    unsigned int count;
    const struct mrl_dialect *const *all = mrl_dialect__all(&count);

    for (unsigned int i = 0; i < count; i++)
        printf("schema   %s %u\n", all[i]->name, all[i]->version);
}

static int version(const struct mrl_verb *verb, int argc, char **argv)
{
    int status;

    if (mrl_arguments__parse(verb, argc, argv, NULL, 0, &status) < 0)
        return status;
    printf("mrelease %s\nsource   %s\nlibbpf   %s\njansson  %s\nlibyaml  %s\n", mrl_version(),
           mrl_source_id(), mrl_libbpf_version(), jansson_version_str(), yaml_get_version_string());
    print_schemas();
    return mrl_flush_stdout();
}

const struct mrl_verb mrl_verb_version = {
    .name = "version",
    .operands = "",
    .doc = "Print the versions of this program and of what it uses.",
    .run = version,
};
