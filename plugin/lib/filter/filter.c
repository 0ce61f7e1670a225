// SPDX-License-Identifier: Apache-2.0
/*
 * A filter, asked with events. The conditions of a policy on different fields must all hold; what
 * it asks of one field is one condition, however many texts it took.
 */
#include "filter/filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_BYTES = 24 };

/* What a condition compares: the one member that its field's type says; or nothing. */
struct operand {
    bool absent;
    uint32_t mount_namespace; /* of the caller */
    uint64_t key;
    struct mrl_text text;
    char digits[NUMBER_BYTES]; /* what `text` then points to */
};

/* By size alone, since rows name members of struct mrl_event of several types. memcpy() is a plain
 * load here, and asks for no type that the member does not have. */
static uint64_t number_at(const struct mrl_event *event, int offset, unsigned int size)
{
    const char *at = (const char *)event + offset;
    uint64_t wide;
    uint32_t narrow;
    uint16_t small;

    if (size == sizeof(small)) {
        memcpy(&small, at, sizeof(small));
        return small;
    }
    if (size == sizeof(narrow)) {
        memcpy(&narrow, at, sizeof(narrow));
        return narrow;
    }
    memcpy(&wide, at, sizeof(wide));
    return wide;
}

static unsigned int key_flags(const struct mrl_filter_field *field)
{
    return (field->flags & MRL_FILTER_SIGNED ? MRL_RULE_SIGNED : 0U) |
           (field->flags & MRL_FILTER_NARROW ? MRL_RULE_NARROW : 0U);
}

static struct operand number_of(const struct mrl_filter_field *field,
                                const struct mrl_event *event,
                                int offset)
{
    struct operand operand = { .text = { "", 0 } };
    uint64_t number;

    if (field->value != MRL_FILTER_NOWHERE) {
        operand.absent = event->values[field->value].absent;
        number = event->values[field->value].unsigned_number;
    } else {
        number = number_at(event, offset, field->size);
    }
    /* The kernel, which may decide the same condition, knows times since boot only. */
    if ((field->flags & MRL_FILTER_BOOT_TIME) && event->host)
        number -= (uint64_t)event->host->boot_ns;
    operand.key = mrl_rule_key(key_flags(field), number);
    return operand;
}

static struct operand text_of(const struct mrl_filter_field *field, const struct mrl_event *event)
{
    struct operand operand = { .text = { "", 0 } };

    if (field->value != MRL_FILTER_NOWHERE) {
        operand.absent = event->values[field->value].absent;
        if (!operand.absent)
            operand.text = event->values[field->value].text;
    } else if (field->offset == (int)offsetof(struct mrl_event, def)) {
        operand.text = (struct mrl_text){ event->def->syscall, strlen(event->def->syscall) };
    } else {
        memcpy(&operand.text, (const char *)event + field->offset, sizeof(operand.text));
    }
    return operand;
}

/* A number as Tracee prints it: people write 5* and mean the text. */
static void print_number(const struct mrl_filter_field *field, struct operand *operand)
{
    int size;

    /* A key has its sign bit turned round (abi/rule.h): it is turned back. */
    if (field->flags & MRL_FILTER_SIGNED)
        size = snprintf(operand->digits, NUMBER_BYTES, "%" PRId64,
                        (int64_t)(operand->key ^ (1ULL << 63)));
    else
        size = snprintf(operand->digits, NUMBER_BYTES, "%" PRIu64, operand->key);
    operand->text = (struct mrl_text){ operand->digits, (size_t)size };
}

bool mrl_filter_value__fits(const struct mrl_filter_value *value, const char *bytes, size_t size)
{
    if (size < value->size)
        return false;
    switch (value->how) {
    case MRL_FILTER_BEGINS:
        return !memcmp(bytes, value->text, value->size);
    case MRL_FILTER_ENDS:
        return !memcmp(bytes + size - value->size, value->text, value->size);
    case MRL_FILTER_CONTAINS:
        return memmem(bytes, size, value->text, value->size) != NULL;
    default:
        return size == value->size && !memcmp(bytes, value->text, size);
    }
}

static bool fits(const struct mrl_filter_value *value, const struct operand *operand)
{
    if (operand->absent)
        return false;
    if (value->mount_namespace && value->mount_namespace != operand->mount_namespace)
        return false;
    if (value->how == MRL_FILTER_KEY)
        return operand->key == value->key;
    return mrl_filter_value__fits(value, operand->text.bytes, operand->text.size);
}

/* The order of mrl_rule_accepts(), with texts beside the numbers. */
static bool operand_is_wanted(const struct mrl_condition *condition, struct operand *operand)
{
    bool refuses = false, refused = false;

    /* Printed only for a condition that has a pattern: to print costs more than all comparisons. */
    if (condition->field.type == MRL_FILTER_NUMBER && condition->has_texts)
        print_number(&condition->field, operand);
    for (unsigned int i = 0; i < condition->value_count; i++) {
        const struct mrl_filter_value *value = &condition->values[i];
        bool does_fit = fits(value, operand);

        /* A wanted value decides at once; a refused one only when no wanted one fits, and so all
         * are looked at. */
        if (does_fit && !value->refused)
            return true;
        refuses |= value->refused;
        refused |= does_fit;
    }
    if (refused)
        return false;
    if (condition->has_min || condition->has_max)
        return !operand->absent && (!condition->has_min || operand->key > condition->min) &&
               (!condition->has_max || operand->key < condition->max);
    return refuses;
}

static bool condition_holds(const struct mrl_condition *condition, const struct mrl_event *event)
{
    const struct mrl_filter_field *field = &condition->field;
    struct operand operand;

    if (field->type == MRL_FILTER_NUMBER) {
        operand = number_of(field, event, field->offset);
        if (operand_is_wanted(condition, &operand))
            return true;
        if (field->other_offset == MRL_FILTER_NOWHERE)
            return false;
        /* Some words ask two members, and one of them is enough. */
        operand = number_of(field, event, field->other_offset);
        return operand_is_wanted(condition, &operand);
    }
    operand = text_of(field, event);
    operand.mount_namespace = event->mount_namespace;
    if (field->type == MRL_FILTER_PRESENCE)
        return field->flags & MRL_FILTER_ABSENT
                   ? event->lookup == MRL_LOOKUP_HOST && !operand.text.size
                   : operand.text.size > 0;
    /* Of a container that is not known nobody knows what its id is not, either. */
    if ((field->flags & MRL_FILTER_CONTAINER_ID) && event->lookup > MRL_LOOKUP_KNOWN)
        return false;
    if ((field->flags & MRL_FILTER_NONEMPTY) && !operand.text.size)
        return false;
    return operand_is_wanted(condition, &operand);
}

uint64_t mrl_filter__match(const struct mrl_filter *filter, const struct mrl_event *event)
{
    const uint32_t bit = 1U << event->def->index;
    uint64_t left = mrl_filter__wanted_by(filter, event->def->index);

    /* The bits first: what is asked of one event, or by policies that do not want it any more,
     * costs the others a test each. */
    for (unsigned int i = 0; left && i < filter->condition_count; i++) {
        const struct mrl_condition *condition = &filter->conditions[i];

        if (condition->events & bit && condition->policies & left &&
            !condition_holds(condition, event))
            left &= ~condition->policies;
    }
    return left;
}
