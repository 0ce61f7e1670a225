// SPDX-License-Identifier: Apache-2.0
/* The texts of --events and --scope that ask for values, as conditions of a filter. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"

enum { PARTS_MAX = 3, SUBJECT_BYTES = 128 };

enum comparison { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, NO_OPERATOR };

static const char *const operators[] = {
    [EQUAL] = "=",       [NOT_EQUAL] = "!=", [LESS] = "<",
    [LESS_EQUAL] = "<=", [GREATER] = ">",    [GREATER_EQUAL] = ">=",
};

#define SIGNS        "=!<>"
#define LIKE         "like 'mlock.retval<0' or 'mlock.data.len=4096'"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A text taken apart: what it is about, and how that compares to which values. */
struct expression {
    char subject[SUBJECT_BYTES];
    char *parts[PARTS_MAX]; /* of the subject */
    unsigned int part_count;
    enum comparison comparison;
    const char *values; /* "" without an operator */
};

static bool is_padded(const char *text, size_t size)
{
    return !size || isspace((unsigned char)text[0]) || isspace((unsigned char)text[size - 1]);
}

static int split_subject(struct expression *expression, const char *text, struct mrl_error *error)
{
    char *at = expression->subject;

    for (expression->part_count = 0; at; expression->part_count++) {
        char *part = at;

        at = strchr(at, '.');
        if (at)
            *at++ = '\0';
        if (expression->part_count == PARTS_MAX || is_padded(part, strlen(part)))
            return mrl_error__set(error, -EINVAL, "'%.64s' is not a filter, " LIKE, text);
        expression->parts[expression->part_count] = part;
    }
    return 0;
}

static int split(const char *text, struct expression *expression, struct mrl_error *error)
{
    size_t size = strcspn(text, SIGNS), sign_size = strspn(text + size, SIGNS);
    char sign[8] = "";
    unsigned int i = 0;

    if (size >= sizeof(expression->subject))
        return mrl_error__set(error, -EINVAL, "'%.64s…' is not a filter, " LIKE, text);
    memcpy(expression->subject, text, size);
    expression->subject[size] = '\0';
    expression->values = text + size + sign_size;
    memcpy(sign, text + size, sign_size < sizeof(sign) ? sign_size : sizeof(sign) - 1);
    while (i < COUNT(operators) && strcmp(operators[i], sign) != 0)
        i++;
    if (*sign && i == COUNT(operators))
        return mrl_error__unknown(error, "operator", sign, operators, COUNT(operators));
    if (*sign)
        expression->comparison = (enum comparison)i;
    return split_subject(expression, text, error);
}

/* -- values ----------------------------------------------------------------------------------- */

static const char *type_name(const struct mrl_filter_field *field)
{
    static const char *const names[2][2] = { { "a number from 0 to 2^64-1", "a number of 64 bits" },
                                             { "a number from 0 to 2^32-1",
                                               "a number of 32 bits" } };

    return names[(field->flags & MRL_FILTER_NARROW) != 0][(field->flags & MRL_FILTER_SIGNED) != 0];
}

/* Decimal, or hexadecimal behind 0x; a '-' in front. The field says what is in range. */
static int parse_key(const struct mrl_filter_field *field,
                     const char *text,
                     uint64_t *ret_key,
                     struct mrl_error *error)
{
    bool negative = text[0] == '-', is_signed = field->flags & MRL_FILTER_SIGNED;
    bool narrow = field->flags & MRL_FILTER_NARROW;
    const char *digits = text + negative;
    int base = digits[0] == '0' && (digits[1] | ' ') == 'x' ? 16 : 10;
    unsigned long long number, limit = narrow ? UINT32_MAX : UINT64_MAX;
    char *end;

    digits += base == 16 ? 2 : 0;
    if (is_signed)
        limit = limit / 2 + negative;
    errno = 0;
    number = strtoull(digits, &end, base);
    if (!isxdigit((unsigned char)*digits) || *end || errno || number > limit ||
        (negative && number && !is_signed))
        return mrl_error__set(error, -EINVAL, "'%.64s' is no value of %s: it is %s", text,
                              field->name, type_name(field));
    number = negative ? 0 - number : number;
    *ret_key = is_signed ? number ^ (1ULL << 63) : number;
    return 0;
}

/* Two limits of a kind: the wider one holds, as in Tracee. */
static void add_limit(struct mrl_condition *condition, bool is_max, uint64_t key)
{
    if (is_max && (!condition->has_max || key > condition->max))
        condition->max = key;
    if (!is_max && (!condition->has_min || key < condition->min))
        condition->min = key;
    condition->has_max |= is_max;
    condition->has_min |= !is_max;
}

/* `value` steals nothing: its text is copied. */
static int add_value(struct mrl_condition *condition,
                     struct mrl_filter_value value,
                     struct mrl_error *error)
{
    struct mrl_filter_value *values =
        realloc(condition->values, (condition->value_count + 1) * sizeof(*values));

    if (values)
        condition->values = values;
    if (values && value.text)
        value.text = strndup(value.text, value.size);
    if (!values || (value.how != MRL_FILTER_KEY && !value.text))
        return mrl_error__set(error, -ENOMEM, "out of memory");
    condition->has_texts |= value.how != MRL_FILTER_KEY;
    values[condition->value_count++] = value;
    return 0;
}

static int add_number(struct mrl_condition *condition,
                      enum comparison comparison,
                      const char *text,
                      struct mrl_error *error)
{
    struct mrl_filter_value value = { .refused = comparison == NOT_EQUAL };
    int err = parse_key(&condition->field, text, &value.key, error);

    if (err)
        return err;
    if (comparison == LESS && !value.key)
        return mrl_error__set(error, -EINVAL, "nothing is less than '%.64s' in %s", text,
                              condition->field.name);
    if (comparison != EQUAL && comparison != NOT_EQUAL)
        add_limit(condition, comparison == LESS || comparison == LESS_EQUAL, value.key);
    if (comparison == LESS || comparison == GREATER)
        return 0;
    return add_value(condition, value, error);
}

/* What '*' at its ends makes of a text. */
static struct mrl_filter_value pattern_of(char *text)
{
    size_t size = strlen(text);
    bool ends = text[0] == '*', begins = text[size - 1] == '*';
    struct mrl_filter_value value = { .text = text, .size = size, .how = MRL_FILTER_EXACT };

    if (ends) {
        value.text++;
        value.size--;
    }
    if (begins)
        value.size--;
    if (ends || begins)
        value.how =
            ends && begins ? MRL_FILTER_CONTAINS : (ends ? MRL_FILTER_ENDS : MRL_FILTER_BEGINS);
    return value;
}

static int add_text(struct mrl_condition *condition,
                    enum comparison comparison,
                    char *text,
                    struct mrl_error *error)
{
    const struct mrl_filter_field *field = &condition->field;
    struct mrl_filter_value value;

    if (!strcmp(text, "*") || !strcmp(text, "**"))
        return mrl_error__set(error, -EINVAL, "'%s' is no value of %s: it fits everything", text,
                              field->name);
    value = pattern_of(text);
    value.refused = comparison == NOT_EQUAL;
    if (field->flags & MRL_FILTER_PREFIX)
        value.how = MRL_FILTER_BEGINS;
    if (field->type == MRL_FILTER_TEXT && field->size && value.size > field->size)
        return mrl_error__set(error, -EINVAL, "'%.64s' is no value of %s, which holds %u bytes",
                              text, field->name, field->size);
    if (field->type == MRL_FILTER_NUMBER && value.text[strspn(value.text, "-0123456789*")])
        return mrl_error__set(error, -EINVAL, "'%.64s' is no value of %s: it is %s", text,
                              field->name, type_name(field));
    return add_value(condition, value, error);
}

static int add_one(struct mrl_condition *condition,
                   enum comparison comparison,
                   char *text,
                   struct mrl_error *error)
{
    const struct mrl_filter_field *field = &condition->field;
    bool is_pattern = (field->flags & MRL_FILTER_PATTERNS) && strchr(text, '*') &&
                      (comparison == EQUAL || comparison == NOT_EQUAL);

    if (field->type == MRL_FILTER_TEXT || is_pattern)
        return add_text(condition, comparison, text, error);
    return add_number(condition, comparison, text, error);
}

static int add_values(struct mrl_condition *condition,
                      const struct expression *expression,
                      struct mrl_error *error)
{
    const char *at = expression->values;
    int err = 0;

    for (size_t size; !err; at += size + 1) {
        char *text;

        size = strcspn(at, ",");
        if (is_padded(at, size))
            return mrl_error__set(error, -EINVAL, "%s lacks a value in '%.64s'",
                                  condition->field.name, expression->values);
        text = strndup(at, size);
        err = text ? add_one(condition, expression->comparison, text, error)
                   : mrl_error__set(error, -ENOMEM, "out of memory");
        free(text);
        if (!at[size])
            break;
    }
    return err;
}

/* -- conditions ------------------------------------------------------------------------------- */

/* The condition on this field of these events, as it is so far. NULL without memory. */
static struct mrl_condition *condition_on(struct mrl_filter *filter,
                                          const struct mrl_filter_field *field,
                                          uint32_t events)
{
    struct mrl_condition *conditions;

    for (unsigned int i = 0; i < filter->condition_count; i++) {
        struct mrl_condition *condition = &filter->conditions[i];

        if (condition->events == events && condition->field.type == field->type &&
            condition->field.flags == field->flags && condition->field.offset == field->offset &&
            condition->field.other_offset == field->other_offset &&
            condition->field.value == field->value)
            return condition;
    }
    conditions =
        realloc(filter->conditions, (filter->condition_count + 1) * sizeof(*filter->conditions));
    if (!conditions)
        return NULL;
    filter->conditions = conditions;
    conditions += filter->condition_count++;
    *conditions = (struct mrl_condition){ .field = *field, .events = events };
    return conditions;
}

static int check_operator(const struct mrl_filter_field *field,
                          const struct expression *expression,
                          struct mrl_error *error)
{
    enum comparison comparison = expression->comparison;

    if (field->type == MRL_FILTER_PRESENCE && comparison != NO_OPERATOR)
        return mrl_error__set(error, -EINVAL, "'%s' stands alone, without '%s'", field->name,
                              operators[comparison]);
    if (field->type != MRL_FILTER_PRESENCE && comparison == NO_OPERATOR)
        return mrl_error__set(error, -EINVAL, "'%s' needs an operator and a value, like %s=…",
                              field->name, field->name);
    if (comparison > NOT_EQUAL && comparison != NO_OPERATOR && !(field->flags & MRL_FILTER_ORDERED))
        return mrl_error__set(error, -EINVAL,
                              "operator '%s' does not fit %s: use = or !=", operators[comparison],
                              field->name);
    return 0;
}

static int add_condition(struct mrl_filter *filter,
                         const struct mrl_filter_field *field,
                         uint32_t events,
                         const struct expression *expression,
                         struct mrl_error *error)
{
    struct mrl_condition *condition;
    int err = check_operator(field, expression, error);

    if (err)
        return err;
    condition = condition_on(filter, field, events);
    if (!condition)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    return field->type == MRL_FILTER_PRESENCE ? 0 : add_values(condition, expression, error);
}

/* -- EVENT.… ---------------------------------------------------------------------------------- */

bool mrl_condition__is(const char *text)
{
    return strpbrk(text, SIGNS ".") != NULL;
}

enum section { DATA, ARGS, SCOPE, CONTEXT, RETVAL, SECTION_COUNT };

static const char *const sections[] = { "data", "args", "scope", "context", "retval" };

/* The field that the parts behind the event's name mean. */
static int find_field(const struct expression *expression,
                      const struct mrl_event_def *def,
                      struct mrl_filter_field *ret_field,
                      struct mrl_error *error)
{
    const char *name = expression->parts[2];
    const struct mrl_filter_field *found;
    unsigned int section = 0;

    while (section < SECTION_COUNT && strcmp(sections[section], expression->parts[1]) != 0)
        section++;
    if (section == SECTION_COUNT)
        return mrl_error__unknown(error, "part of an event", expression->parts[1], sections,
                                  SECTION_COUNT);
    if ((section == RETVAL) != (expression->part_count == 2))
        return mrl_error__set(
            error, -EINVAL, section == RETVAL ? "'%s' has no fields" : "which field of '%s'? " LIKE,
            expression->parts[1]);
    if (section == DATA || section == ARGS)
        return mrl_filter_fields__of_data(def, name, ret_field, error);
    found = section == RETVAL ? &mrl_filter_retval
                              : mrl_filter_fields__find(MRL_FILTER_IN_EVENT, name, error);
    if (!found)
        return -EINVAL;
    *ret_field = *found;
    return 0;
}

static const struct mrl_event_def *find_event(const char *name, struct mrl_error *error)
{
    const struct mrl_event_def *def = mrl_event_def__find(name, error);

    if (!def || (mrl_event_list__choosable() & (1U << def->index)))
        return def;
    mrl_error__set(error, -EINVAL, "'%s' cannot be filtered: it stands for what is missing", name);
    return NULL;
}

int mrl_condition__add(struct mrl_filter *filter,
                       const char *text,
                       uint32_t *events,
                       struct mrl_error *error)
{
    struct expression expression = { .comparison = NO_OPERATOR };
    const struct mrl_event_def *def;
    struct mrl_filter_field field = { .name = NULL };
    int err = split(text, &expression, error);

    if (err)
        return err;
    def = find_event(expression.parts[0], error);
    if (!def)
        return -EINVAL;
    if (expression.part_count == 1)
        return mrl_error__set(error, -EINVAL, "'%.64s' is not a filter, " LIKE, text);
    err = find_field(&expression, def, &field, error);
    if (err)
        return err;
    *events |= 1U << def->index;
    return add_condition(filter, &field, 1U << def->index, &expression, error);
}

/* -- scopes ----------------------------------------------------------------------------------- */

/* container=ID: the beginning of an id. */
static struct mrl_filter_field field_of_container(void)
{
    return (struct mrl_filter_field){
        .name = "container",
        .type = MRL_FILTER_TEXT,
        .flags = MRL_FILTER_IN_SCOPE | MRL_FILTER_PREFIX,
        .offset = (int)offsetof(struct mrl_event, container_id),
        .other_offset = MRL_FILTER_NOWHERE,
        .value = MRL_FILTER_NOWHERE,
        .subject = MRL_SUBJECT_NONE,
    };
}

/* pid=new, pid!=new: begun at start_ns or later; before. */
static int add_new(struct mrl_filter *filter,
                   enum comparison comparison,
                   uint64_t start_ns,
                   struct mrl_error *error)
{
    const struct mrl_filter_field field = {
        .name = "new",
        .type = MRL_FILTER_NUMBER,
        .flags = MRL_FILTER_IN_SCOPE | MRL_FILTER_ORDERED | MRL_FILTER_BOOT_TIME,
        .offset = (int)offsetof(struct mrl_event, process_start_ns),
        .size = sizeof(((struct mrl_event *)0)->process_start_ns),
        .other_offset = MRL_FILTER_NOWHERE,
        .value = MRL_FILTER_NOWHERE,
        .subject = MRL_SUBJECT_START,
    };
    struct mrl_condition *condition;

    if (comparison != EQUAL && comparison != NOT_EQUAL)
        return mrl_error__set(error, -EINVAL, "pid=new or pid!=new");
    if (!start_ns)
        return mrl_error__set(error, -EINVAL,
                              "pid: 'new' means nothing in a replay: nobody knows since when");
    condition = condition_on(filter, &field, mrl_event_list__choosable());
    if (!condition)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    add_limit(condition, comparison == NOT_EQUAL, start_ns - (comparison == EQUAL));
    return 0;
}

static int add_container(struct mrl_filter *filter,
                         const struct expression *expression,
                         struct mrl_error *error)
{
    const struct mrl_filter_field field = field_of_container();

    if (!strcmp(expression->values, "new") || !strcmp(expression->values, "started"))
        return mrl_error__set(error, -EINVAL,
                              "container: '%s' is not known here: use container, not-container or "
                              "container=ID",
                              expression->values);
    if (strchr(expression->values, '*'))
        return mrl_error__set(error, -EINVAL,
                              "'%.64s' is no value of container: the beginning of an id is",
                              expression->values);
    return add_condition(filter, &field, mrl_event_list__choosable(), expression, error);
}

int mrl_condition__add_scope(struct mrl_filter *filter,
                             const char *text,
                             uint64_t start_ns,
                             struct mrl_error *error)
{
    const struct mrl_filter_field *field;
    struct expression expression = { .comparison = NO_OPERATOR };
    int err = split(text, &expression, error);

    if (err)
        return err;
    if (expression.part_count != 1)
        return mrl_error__set(error, -EINVAL, "'%.64s' is not a scope, like 'uid=0' or 'container'",
                              text);
    field = mrl_filter_fields__find(MRL_FILTER_IN_SCOPE, expression.parts[0], error);
    if (!field)
        return -EINVAL;
    if (!strcmp(field->name, "container") && expression.comparison != NO_OPERATOR)
        return add_container(filter, &expression, error);
    if (field->subject == MRL_SUBJECT_HOST_TASK && !strcmp(expression.values, "new"))
        return add_new(filter, expression.comparison, start_ns, error);
    return add_condition(filter, field, mrl_event_list__choosable(), &expression, error);
}
