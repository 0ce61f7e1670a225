// SPDX-License-Identifier: Apache-2.0
/* The texts of --events and --scope that ask for values, as conditions of a filter. */
#include "filter/parse.h"

#include <errno.h>
#include <string.h>

static const char *const operators[] = {
    [MRL_EQUAL] = "=",       [MRL_NOT_EQUAL] = "!=", [MRL_LESS] = "<",
    [MRL_LESS_EQUAL] = "<=", [MRL_GREATER] = ">",    [MRL_GREATER_EQUAL] = ">=",
};

#define SIGNS        "=!<>"
#define LIKE         "like 'mlock.retval<0' or 'mlock.data.len=4096'"
#define FILTER       "a filter, " LIKE
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int split_subject(struct mrl_expression *expression,
                         const char *text,
                         const char *what,
                         struct mrl_error *error)
{
    char *at = expression->subject;

    for (expression->part_count = 0; at; expression->part_count++) {
        char *part = at;

        at = strchr(at, '.');
        if (at)
            *at++ = '\0';
        if (expression->part_count == MRL_EXPRESSION_PARTS || !*part)
            return mrl_error__set(error, -EINVAL, "'%.64s' is not %s", text, what);
        if (mrl_is_padded(part, strlen(part)))
            return mrl_error__set(
                error, -EINVAL, "'%.64s' has a blank where none belongs: it is not %s", text, what);
        expression->parts[expression->part_count] = part;
    }
    return 0;
}

int mrl_expression__split(struct mrl_expression *expression,
                          const char *text,
                          const char *what,
                          struct mrl_error *error)
{
    size_t size = strcspn(text, SIGNS), sign_size = strspn(text + size, SIGNS);
    char sign[8] = "";
    unsigned int i = 0;

    if (size >= sizeof(expression->subject))
        return mrl_error__set(error, -EINVAL, "'%.64s...' is not %s", text, what);
    memcpy(expression->subject, text, size);
    expression->subject[size] = '\0';
    expression->values = text + size + sign_size;
    memcpy(sign, text + size, sign_size < sizeof(sign) ? sign_size : sizeof(sign) - 1);
    while (i < COUNT(operators) && strcmp(operators[i], sign) != 0)
        i++;
    if (*sign && i == COUNT(operators))
        return mrl_error__unknown(error, "operator", sign, operators, COUNT(operators));
    if (*sign)
        expression->comparison = (enum mrl_comparison)i;
    return split_subject(expression, text, what, error);
}

/* -- conditions ------------------------------------------------------------------------------- */

static int check_operator(const struct mrl_filter_field *field,
                          const struct mrl_expression *expression,
                          struct mrl_error *error)
{
    enum mrl_comparison comparison = expression->comparison;

    if (field->type == MRL_FILTER_PRESENCE && comparison != MRL_NO_OPERATOR)
        return mrl_error__set(error, -EINVAL, "'%s' stands alone, without '%s'", field->name,
                              operators[comparison]);
    if (field->type != MRL_FILTER_PRESENCE && comparison == MRL_NO_OPERATOR)
        return mrl_error__set(error, -EINVAL, "'%s' needs an operator and a value, like %s=...",
                              field->name, field->name);
    if (comparison > MRL_NOT_EQUAL && comparison != MRL_NO_OPERATOR &&
        !(field->flags & MRL_FILTER_ORDERED))
        return mrl_error__set(error, -EINVAL,
                              "operator '%s' does not fit %s: use = or !=", operators[comparison],
                              field->name);
    return 0;
}

/* Some fields are of containers alone. */
static int ask_container(struct mrl_filter *filter,
                         struct mrl_condition_of of,
                         struct mrl_error *error)
{
    const struct mrl_filter_field *container =
        mrl_filter_fields__find(MRL_FILTER_IN_SCOPE, "container", error);

    return mrl_condition__on(filter, container, of)
               ? 0
               : mrl_error__set(error, -ENOMEM, "out of memory");
}

int mrl_condition__add_expression(struct mrl_filter *filter,
                                  const struct mrl_filter_field *field,
                                  struct mrl_condition_of of,
                                  const struct mrl_expression *expression,
                                  struct mrl_error *error)
{
    struct mrl_condition *condition;
    int err = check_operator(field, expression, error);

    if (!err && (field->flags & MRL_FILTER_IN_CONTAINER))
        err = ask_container(filter, of, error);
    if (err)
        return err;
    condition = mrl_condition__on(filter, field, of);
    if (!condition)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    return field->type == MRL_FILTER_PRESENCE
               ? 0
               : mrl_condition__add_values(condition, expression, error);
}

bool mrl_expression__asks_started(const struct mrl_expression *expression)
{
    return expression->comparison == MRL_EQUAL && !strcmp(expression->values, "started");
}

int mrl_condition__add_started(struct mrl_filter *filter,
                               const struct mrl_filter_field *container,
                               struct mrl_condition_of of,
                               struct mrl_error *error)
{
    static const struct mrl_filter_field starting = {
        .name = "container",
        .type = MRL_FILTER_NUMBER,
        .flags = MRL_FILTER_IN_SCOPE | MRL_FILTER_ORDERED | MRL_FILTER_NARROW,
        .offset = (int)offsetof(struct mrl_event, container_starting),
        .size = sizeof(uint32_t),
        .other_offset = MRL_FILTER_NOWHERE,
        .value = MRL_FILTER_NOWHERE,
        .subject = MRL_SUBJECT_NONE,
    };
    struct mrl_condition *condition =
        mrl_condition__on(filter, container, of) ? mrl_condition__on(filter, &starting, of) : NULL;

    if (!condition)
        return mrl_error__set(error, -ENOMEM, "out of memory");
    mrl_condition__add_limit(condition, true, 1); /* less than 1 */
    return 0;
}

/* -- EVENT.… ---------------------------------------------------------------------------------- */

bool mrl_condition__is(const char *text)
{
    return strpbrk(text, SIGNS ".") != NULL;
}

enum section { DATA, ARGS, SCOPE, CONTEXT, RETVAL, SECTION_COUNT };

static const char *const sections[] = { "data", "args", "scope", "context", "retval" };

/* The field that the parts behind the event's name mean. */
static int find_field(const struct mrl_expression *expression,
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
    if (found->offset == (int)offsetof(struct mrl_event, def)) {
        ret_field->words = &def->syscall; /* the one that makes the event */
        ret_field->word_count = 1;
    }
    return 0;
}

/* What stands in an event's place in Tracee. */
static const struct {
    const char *word, *said;
} other_choices[] = {
    { "tag", "'tag' chooses whole sets: write tag=SET" },
    { "threat", "'threat' chooses events of signatures: there are none here" },
};

static const struct mrl_event_def *find_event(const char *name, struct mrl_error *error)
{
    const struct mrl_event_def *def;

    for (size_t i = 0; i < COUNT(other_choices); i++) {
        if (strcmp(other_choices[i].word, name) != 0)
            continue;
        mrl_error__set(error, -EINVAL, "%s", other_choices[i].said);
        return NULL;
    }
    def = mrl_event_def__find(name, error);
    if (!def || (mrl_event_list__choosable() & (1U << def->index)))
        return def;
    mrl_error__set(error, -EINVAL, "'%s' cannot be filtered: it %s", name,
                   def->index == MRL_EVENT_SENSOR_STATE ? "is about the sensor itself"
                                                        : "stands for what is missing");
    return NULL;
}

int mrl_condition__add(struct mrl_filter *filter,
                       uint64_t policy,
                       const char *text,
                       uint32_t *events,
                       struct mrl_error *error)
{
    struct mrl_expression expression = { .comparison = MRL_NO_OPERATOR };
    const struct mrl_event_def *def;
    struct mrl_filter_field field = { .name = NULL };
    struct mrl_condition_of of;
    int err = mrl_expression__split(&expression, text, FILTER, error);

    if (err)
        return err;
    def = find_event(expression.parts[0], error);
    if (!def)
        return -EINVAL;
    if (expression.part_count == 1)
        return mrl_error__set(error, -EINVAL, "'%.64s' is not " FILTER, text);
    err = find_field(&expression, def, &field, error);
    if (err)
        return err;
    *events |= 1U << def->index;
    of = (struct mrl_condition_of){ 1U << def->index, policy };
    if (field.type == MRL_FILTER_PRESENCE && !(field.flags & MRL_FILTER_ABSENT) &&
        mrl_expression__asks_started(&expression))
        return mrl_condition__add_started(filter, &field, of, error);
    return mrl_condition__add_expression(filter, &field, of, &expression, error);
}
