// SPDX-License-Identifier: Apache-2.0
/* The rows as bytes: a head, the texts, each with its NUL, and the rows. */
#include "deliver/metrics/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/metrics/families.h"
#include "deliver/metrics/rows.h"

struct head {
    uint32_t text_bytes, text_count, count;
};

struct packed {
    uint64_t value;
    struct mrl_origin origin;
    char padding[5];
};

ssize_t mrl_metrics__pack(const struct mrl_metrics *metrics, char *bytes, size_t size)
{
    struct head head = { 0, metrics->text_count, metrics->count };
    char *at = bytes + sizeof(head);

    for (unsigned int i = 0; i < metrics->text_count; i++)
        head.text_bytes += (uint32_t)strlen(metrics->texts[i]) + 1;
    if (sizeof(head) + head.text_bytes + metrics->count * sizeof(struct packed) > size)
        return -ENOSPC;
    memcpy(bytes, &head, sizeof(head));
    for (unsigned int i = 0; i < metrics->text_count; i++)
        at = stpcpy(at, metrics->texts[i]) + 1;
    for (unsigned int i = 0; i < metrics->count; i++, at += sizeof(struct packed)) {
        const struct packed row = { metrics->rows[i].value, metrics->origins[i], { 0 } };

        memcpy(at, &row, sizeof(row));
    }
    return at - bytes;
}

/* Points at the texts, which are as many as `head` says. */
static bool read_texts(struct mrl_metrics *metrics, const struct head *head)
{
    const char *at = metrics->own, *end = at + head->text_bytes;

    for (metrics->text_count = 0; metrics->text_count < head->text_count;) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));

        if (!stop)
            return false;
        metrics->texts[metrics->text_count++] = at;
        at = stop + 1;
    }
    return at == end;
}

static bool read_rows(struct mrl_metrics *metrics, const struct head *head, const char *at)
{
    unsigned int family_count;
    const struct mrl_metric_family *families = mrl_metric_families(&family_count);

    for (metrics->count = 0; metrics->count < head->count; at += sizeof(struct packed)) {
        struct packed row;

        memcpy(&row, at, sizeof(row));
        if (row.origin.family >= family_count ||
            !mrl_metrics__add(metrics, &families[row.origin.family], row.origin, row.value))
            return false;
    }
    return true;
}

int mrl_metrics__unpack(const char *bytes, size_t size, struct mrl_metrics **ret_metrics)
{
    struct mrl_metrics *metrics;
    struct head head;

    if (size < sizeof(head))
        return -EPROTO;
    memcpy(&head, bytes, sizeof(head));
    if (head.text_count > MRL_METRIC_TEXTS_MAX || head.count > MRL_METRIC_ROWS_MAX ||
        head.text_bytes > size ||
        size != sizeof(head) + head.text_bytes + head.count * sizeof(struct packed))
        return -EPROTO;
    metrics = malloc(sizeof(*metrics));
    if (!metrics)
        return -ENOMEM;
    metrics->own = malloc(head.text_bytes + 1U);
    if (metrics->own)
        memcpy(metrics->own, bytes + sizeof(head), head.text_bytes);
    if (!metrics->own || !read_texts(metrics, &head) ||
        !read_rows(metrics, &head, bytes + sizeof(head) + head.text_bytes)) {
        int err = metrics->own ? -EPROTO : -ENOMEM;

        mrl_metrics__free(metrics);
        return err;
    }
    *ret_metrics = metrics;
    return 0;
}
