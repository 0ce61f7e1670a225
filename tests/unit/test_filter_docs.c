// SPDX-License-Identifier: Apache-2.0
/* docs/filters.md against the program: its tables are the tables of the filter. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "unit/unit.h"

#define PAGE MRL_TEST_DIR "/../docs/filters.md"

enum { PAGE_BYTES = 64 * 1024 };

static const char *read_page(void)
{
    static char page[PAGE_BYTES];
    FILE *file = fopen(PAGE, "re");
    size_t size;

    assert_non_null(file);
    size = fread(page, 1, sizeof(page) - 1, file);
    fclose(file);
    assert_in_range(size, 1, sizeof(page) - 2);
    page[size] = '\0';
    return page;
}

static void print_row(FILE *to, const struct mrl_filter_field *field)
{
    static const char *const types[] = { "number", "text", "alone" };
    const char *operators = field->type == MRL_FILTER_PRESENCE ? "" : " `=` `!=`";

    fprintf(to, "| `%s` |", field->name);
    if (field->other_name)
        fprintf(to, " `%s`", field->other_name);
    fprintf(to, " | %s |%s%s |%s | %s |\n", types[field->type], operators,
            field->flags & MRL_FILTER_ORDERED ? " `<` `<=` `>` `>=`" : "",
            field->subject != MRL_SUBJECT_NONE ? " yes" : "", field->doc);
}

static void assert_table(const char *heading, unsigned int flag)
{
    unsigned int count;
    const struct mrl_filter_field *fields = mrl_filter_fields__all(&count);
    char *table = NULL;
    size_t size;
    FILE *to = open_memstream(&table, &size);

    fprintf(to,
            "<!-- fields of %s -->\n| name | also | type | operators | kernel | is |\n"
            "|---|---|---|---|---|---|\n",
            heading);
    for (unsigned int i = 0; i < count; i++)
        if ((fields[i].flags & flag) && fields[i].type != MRL_FILTER_UNKNOWN)
            print_row(to, &fields[i]);
    fprintf(to, "<!-- end -->\n");
    fclose(to);
    if (!strstr(read_page(), table))
        fail_case("%s should hold:\n%s", PAGE, table);
    free(table);
}

static void filter_fields_are_those_of_the_page(void **state)
{
    (void)state;
    assert_table("EVENT.scope", MRL_FILTER_IN_EVENT);
    assert_table("--scope", MRL_FILTER_IN_SCOPE);
}

/* Wherever the lines of the page break. */
static bool page_says(const char *text)
{
    char *page = strdup(read_page());
    bool found;

    assert_non_null(page);
    for (char *at = page; (at = strchr(at, '\n'));)
        *at = ' ';
    found = strstr(page, text);
    free(page);
    return found;
}

static void filter_limits_are_those_of_the_page(void **state)
{
    char text[64];

    (void)state;
    snprintf(text, sizeof(text), "than %d values (%d names)", MRL_RULE_VALUES_MAX,
             MRL_NAME_RULE_NAMES_MAX);
    assert_true(page_says(text));
    snprintf(text, sizeof(text), "%d conditions on numbers and %d on names", MRL_RULES_MAX,
             MRL_NAME_RULES_MAX);
    assert_true(page_says(text));
}

static void filter_names_are_unique(void **state)
{
    unsigned int count;
    const struct mrl_filter_field *fields = mrl_filter_fields__all(&count);

    (void)state;
    for (unsigned int i = 0; i < count; i++) {
        unsigned int flag = fields[i].flags & (MRL_FILTER_IN_EVENT | MRL_FILTER_IN_SCOPE);
        bool known = fields[i].type != MRL_FILTER_UNKNOWN;

        assert_true(known == (mrl_filter_fields__find(flag, fields[i].name, NULL) == &fields[i]));
        if (fields[i].other_name)
            assert_true(known ==
                        (mrl_filter_fields__find(flag, fields[i].other_name, NULL) == &fields[i]));
        assert_true(!known || fields[i].doc[strlen(fields[i].doc) - 1] == '.');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_fields_are_those_of_the_page),
        cmocka_unit_test(filter_limits_are_those_of_the_page),
        cmocka_unit_test(filter_names_are_unique),
    };

    return cmocka_run_group_tests_name("filter_docs", tests, NULL, NULL);
}
