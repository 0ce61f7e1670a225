// SPDX-License-Identifier: Apache-2.0
/* The verb schema: the JSON Schema of a dialect, made from the event table on the spot. */
#include "command/schema/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"

struct schema_options {
    const struct mrl_dialect *dialect;
    bool list;
};

static const struct mrl_option rows[] = {
    { .name = "dialect",
      .letter = 'd',
      .type = MRL_OPTION_OWN,
      .offset = offsetof(struct schema_options, dialect),
      .parse = mrl_dialect__parse,
      .word = mrl_dialect__name,
      .value = "DIALECT",
      .preset = "json-v0.23",
      .doc = "The dialect whose schema to print." },
    { .name = "list",
      .type = MRL_OPTION_SWITCH,
      .offset = offsetof(struct schema_options, list),
      .doc = "Print the dialects and the versions of their schemas, and exit." },
};

static void print_list(void)
{
    unsigned int count;
    const struct mrl_dialect *const *all = mrl_dialect__all(&count);
    char id[64];

    for (unsigned int i = 0; i < count; i++) {
        mrl_schema__id(all[i], id);
        printf("%-14s %-36s %s\n", all[i]->name, id, all[i]->doc);
    }
}

static int print_schema(const struct mrl_dialect *dialect)
{
    struct mrl_schema *schema;
    char *text = NULL;

    if (!mrl_schema__new(dialect, &schema)) {
        text = mrl_schema__text(schema);
        mrl_schema__free(schema);
    }
    if (!text) {
        mrl_say("out of memory");
        return -ENOMEM;
    }
    fputs(text, stdout);
    free(text);
    return 0;
}

static int schema(const struct mrl_verb *verb, int argc, char **argv)
{
    struct schema_options options = { .dialect = &mrl_dialect_v0_23 };
    struct mrl_option_group group = { rows, sizeof(rows) / sizeof(rows[0]), &options };
    int status;

    if (mrl_arguments__parse(verb, argc, argv, &group, 1, &status) < 0)
        return status;
    if (options.list)
        print_list();
    else if (print_schema(options.dialect))
        return MRL_EXIT_FAILED;
    return mrl_flush_stdout();
}

const struct mrl_verb mrl_verb_schema = {
    .name = "schema",
    .operands = "",
    .doc = "Print the JSON Schema of a dialect.",
    .run = schema,
};
