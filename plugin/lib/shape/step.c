// SPDX-License-Identifier: Apache-2.0
#include "shape/step.h"

#include "enrich/entity.h"

#define ROUNDING_NS UINT64_C(100000000) /* of entity ids: as Tracee's main branch has them */

/* -- values ----------------------------------------------------------------------------------- */

static void put_signed(struct mrl_run *run,
                       const struct mrl_step *step,
                       const struct mrl_value *value)
{
    (void)step;
    mrl_put_signed(run->writer, value->number);
}

static void put_unsigned(struct mrl_run *run,
                         const struct mrl_step *step,
                         const struct mrl_value *value)
{
    (void)step;
    mrl_put_unsigned(run->writer, value->unsigned_number);
}

static void put_entity(struct mrl_run *run,
                       const struct mrl_step *step,
                       const struct mrl_value *value)
{
    (void)step;
    mrl_put_unsigned(run->writer,
                     mrl_entity_id(value->entity.host_pid, value->entity.start_ns, ROUNDING_NS));
}

/* Not within a character. */
static size_t cut(struct mrl_text text, size_t most)
{
    size_t size = text.size < most ? text.size : most;

    while (size && size < text.size && (text.bytes[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* In a flat shape nothing stands around a value. */
static void put_quote(struct mrl_run *run)
{
    if (!run->mapping->separator)
        mrl_put_char(run->writer, '"');
}

/* No text of a record is longer than there is room; one from a stranger may be. */
static void put_text(struct mrl_run *run,
                     const struct mrl_step *step,
                     const struct mrl_value *value)
{
    size_t room = run->limit > run->writer->at ? (size_t)(run->limit - run->writer->at) / 6 : 0;
    struct mrl_text text = value->text;

    if (text.size > room)
        text.size = room;
    if (step->most)
        text.size = cut(text, step->most);
    run->mapping->put_text(run->writer, text);
}

static const mrl_form_fn numbers[MRL_STORAGE_COUNT] = {
    [MRL_STORAGE_SIGNED] = put_signed,
    [MRL_STORAGE_UNSIGNED] = put_unsigned,
    [MRL_STORAGE_ENTITY] = put_entity,
};

/* A number as text. */
static void put_quoted(struct mrl_run *run,
                       const struct mrl_step *step,
                       const struct mrl_value *value)
{
    put_quote(run);
    numbers[step->told.field->kind->storage](run, step, value);
    put_quote(run);
}

static void put_date(struct mrl_run *run,
                     const struct mrl_step *step,
                     const struct mrl_value *value)
{
    (void)step;
    put_quote(run);
    mrl_put_rfc3339(run->writer, run->date, value->unsigned_number);
    put_quote(run);
}

static void put_ms(struct mrl_run *run, const struct mrl_step *step, const struct mrl_value *value)
{
    (void)step;
    mrl_put_unsigned(run->writer, value->unsigned_number / 1000000);
}

static void put_truth(struct mrl_run *run,
                      const struct mrl_step *step,
                      const struct mrl_value *value)
{
    (void)step;
    if (value->unsigned_number)
        mrl_put_literal(run->writer, "true");
    else
        mrl_put_literal(run->writer, "false");
}

static void put_severity(struct mrl_run *run,
                         const struct mrl_step *step,
                         const struct mrl_value *value)
{
    (void)step;
    mrl_put_unsigned(run->writer,
                     run->mapping->severities[value->unsigned_number - MRL_SEVERITY_ERROR]);
}

/* Of words that need no escapes. A flat shape has no lists. */
static void put_list(struct mrl_run *run,
                     const struct mrl_step *step,
                     const struct mrl_value *value)
{
    const char *at = value->text.bytes, *end = at + value->text.size;

    if (run->mapping->separator) {
        put_text(run, step, value);
        return;
    }
    mrl_put_char(run->writer, '[');
    while (at < end && run->writer->at + MRL_POLICY_NAME_MAX + 3 < run->limit) {
        const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;

        mrl_put_char(run->writer, '"');
        mrl_put_bytes(run->writer, at, (size_t)(stop - at));
        mrl_put_bytes(run->writer, "\",", comma ? 2 : 1);
        at = comma ? comma + 1 : end;
    }
    if (run->writer->at[-1] == ',')
        run->writer->at--;
    mrl_put_char(run->writer, ']');
}

mrl_form_fn mrl_form__put(enum mrl_form form, const struct mrl_kind *kind)
{
    static const mrl_form_fn others[MRL_FORM_COUNT] = {
        [MRL_FORM_DATE] = put_date,   [MRL_FORM_MS] = put_ms,
        [MRL_FORM_TRUTH] = put_truth, [MRL_FORM_SEVERITY] = put_severity,
        [MRL_FORM_LIST] = put_list,
    };

    if (form == MRL_FORM_TEXT)
        return kind->storage == MRL_STORAGE_TEXT ? put_text : put_quoted;
    return others[form] ? others[form] : numbers[kind->storage];
}

/* -- steps ------------------------------------------------------------------------------------ */

static void put_otherwise(struct mrl_run *run, const char *word)
{
    run->mapping->put_text(run->writer, (struct mrl_text){ word, strlen(word) });
}

/* What is known, and yet not said. */
static enum mrl_known pick(const struct mrl_step *step, const struct mrl_value *value)
{
    if (step->drops_empty)
        return value->text.size ? MRL_KNOWN : MRL_NONE; // NOLINT: a text's step
    return step->told.field->kind->storage == MRL_STORAGE_UNSIGNED &&
                   value->unsigned_number > INT64_MAX // NOLINT: a number's
               ? MRL_NONE
               : MRL_KNOWN;
}

void mrl_step__tell(struct mrl_run *run, const struct mrl_step *step)
{
    struct mrl_value room;
    const struct mrl_value *value;
    enum mrl_known known = mrl_told_look(&step->told, run->telling, &room, &value);

    if (known == MRL_KNOWN && step->is_picky)
        known = pick(step, value);
    if (known == MRL_KNOWN) {
        step->put(run, step, value);
    } else if (known == MRL_UNKNOWN && step->otherwise) {
        put_otherwise(run, step->otherwise);
    } else if (known == MRL_UNKNOWN && step->says_null) {
        mrl_put_literal(run->writer, "null");
    } else {
        run->writer->at -= step->key_size;
        return;
    }
    if (step->label_size)
        mrl_put_bytes(run->writer, run->text + step->text + step->text_size, step->label_size);
    mrl_put_char(run->writer, step->separator);
}

/* An object without members goes as well. */
void mrl_step__close(struct mrl_run *run, const struct mrl_step *step)
{
    struct mrl_writer *writer = run->writer;

    if (writer->at[-1] == '{') {
        writer->at -= step->key_size;
        return;
    }
    writer->at[-1] = '}';
    mrl_put_char(writer, ',');
}

void mrl_step__end(struct mrl_run *run, const struct mrl_step *step)
{
    (void)step;
    if (run->mapping->separator)
        run->writer->at--;
    else
        run->writer->at[-1] = '}';
    mrl_put_char(run->writer, '\n');
}

void mrl_step__task(struct mrl_run *run, const struct mrl_step *step)
{
    struct mrl_task_text text = mrl_task_texts__get(run->tasks, run->telling->event);

    (void)step;
    mrl_put_bytes(run->writer, text.bytes, text.piece_sizes[0]);
}

void mrl_steps__take(const struct mrl_steps *steps, struct mrl_run *run)
{
    run->text = steps->text;
    for (unsigned int i = 0; i < steps->count; i++) {
        const struct mrl_step *step = &steps->at[i];

        mrl_put_bytes(run->writer, steps->text + step->text, step->text_size);
        if (step->act)
            step->act(run, step);
    }
}
