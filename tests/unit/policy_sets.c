// SPDX-License-Identifier: Apache-2.0
#include "unit/policy_sets.h"

#include <stdio.h>
#include <string.h>

#include "unit/unit.h"

static void hear(void *context, enum mrl_policy_remark remark, const char *place, const char *text)
{
    char *said = context;
    const size_t used = strlen(said);

    snprintf(said + used, SAID_BYTES - used, "%s%s%s%s\n", remark == MRL_POLICY_FAULT ? "!" : "",
             place, *place ? ": " : "", text);
}

static void put_words(FILE *to, const char *const *words, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        fprintf(to, " %s", words[i]);
}

static void join(const struct mrl_policy_set *set, char *joined)
{
    FILE *to = fmemopen(joined, JOINED_BYTES, "w");

    assert_non_null(to);
    for (unsigned int i = 0; i < set->count; i++) {
        const struct mrl_policy_texts *texts = &set->texts[i];

        fprintf(to, "%s:", texts->name);
        put_words(to, texts->scopes, texts->scope_count);
        fputc(';', to);
        put_words(to, texts->events, texts->event_count);
        fputc('|', to);
    }
    fclose(to);
}

static void begin(struct test_policies *test)
{
    *test = (struct test_policies){ .said = "" };
    test->set.say = hear;
    test->set.context = test->said;
}

static void end(struct test_policies *test, int err, const struct mrl_error *error)
{
    assert_true(!err == !*error->text);
    test->err = err;
    if (!err)
        join(&test->set, test->joined);
}

void test_policies__parse(struct test_policies *test, enum mrl_tracee tracee, const char *text)
{
    struct mrl_error error = { "" };

    begin(test);
    test->set.tracee = tracee;
    end(test, mrl_policy_set__read_text(&test->set, "F", text, strlen(text), &error), &error);
}

void test_policies__read(struct test_policies *test, const char *path, bool is_again)
{
    struct mrl_error error = { "" };

    begin(test);
    test->set.is_again = is_again;
    end(test, mrl_policy_set__read(&test->set, &path, 1, &error), &error);
}

void test_policies__done(struct test_policies *test)
{
    mrl_policy_set__free(&test->set);
}
