// SPDX-License-Identifier: Apache-2.0
/* A schema's life. */
#include "command/schema/schema.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Of all shapes of a dialect: a generous multiple of what the tables need today. */
enum { POOL_BYTES = 1 << 21 };

int mrl_schema__new(const struct mrl_dialect *dialect, struct mrl_schema **ret_schema)
{
    struct mrl_schema *schema = calloc(1, sizeof(*schema));
    struct mrl_shape_pool pool;
    struct mrl_shape *lines;

    if (schema)
        schema->memory = calloc(1, POOL_BYTES);
    if (!schema || !schema->memory) {
        free(schema);
        return -ENOMEM;
    }
    pool.dialect = dialect;
    pool.at = schema->memory;
    pool.end = pool.at + POOL_BYTES;
    lines = mrl_shape_pool__take(&pool, mrl_event_def__count() * sizeof(*lines));
    for (unsigned int i = 0; i < mrl_event_def__count(); i++)
        lines[i] = dialect->line_shape(&pool, mrl_event_def__at(i));
    schema->lines = lines;
    schema->dialect = dialect;
    *ret_schema = schema;
    return 0;
}

void mrl_schema__id(const struct mrl_dialect *dialect, char id[64])
{
    snprintf(id, 64, "urn:mrelease:schema:%s:%u", dialect->name, dialect->version);
}

void mrl_schema__free(struct mrl_schema *schema)
{
    if (!schema)
        return;
    free(schema->memory);
    free(schema);
}
