// SPDX-License-Identifier: Apache-2.0
#include "shape/step.h"

#include "enrich/entity.h"

#define ROUNDING_NS UINT64_C(100000000) /* of entity ids: as Tracee's main branch has them */

/* -- values ----------------------------------------------------------------------------------- */

static void put_number(struct mrl_writer *writer,
                       const struct mrl_told *told,
                       const struct mrl_value *value)
{
    switch (told->field->kind->storage) {
    case MRL_STORAGE_SIGNED:
        mrl_put_signed(writer, value->number);
        break;
    case MRL_STORAGE_ENTITY:
        mrl_put_unsigned(
            writer, mrl_entity_id(value->entity.host_pid, value->entity.start_ns, ROUNDING_NS));
        break;
    default:
        mrl_put_unsigned(writer, value->unsigned_number);
    }
}

static void put_text(struct mrl_run *run,
                     const struct mrl_told *told,
                     const struct mrl_value *value)
{
    struct mrl_writer *writer = run->writer;

    if (told->field->kind->storage == MRL_STORAGE_TEXT) {
        /* No text of a record is that long; one from a stranger may be. */
        size_t room = run->limit > writer->at ? (size_t)(run->limit - writer->at) / 6 : 0;
        struct mrl_text text = value->text;

        text.size = text.size < room ? text.size : room;
        mrl_put_json_string(writer, text);
        return;
    }
    mrl_put_char(writer, '"');
    put_number(writer, told, value);
    mrl_put_char(writer, '"');
}

static void put_value(struct mrl_run *run,
                      const struct mrl_step *step,
                      const struct mrl_value *value)
{
    struct mrl_writer *writer = run->writer;

    switch (step->form) {
    case MRL_FORM_TEXT:
        put_text(run, &step->told, value);
        break;
    case MRL_FORM_DATE:
        mrl_put_char(writer, '"');
        mrl_put_rfc3339(writer, run->date, value->unsigned_number);
        mrl_put_char(writer, '"');
        break;
    case MRL_FORM_MS:
        mrl_put_unsigned(writer, value->unsigned_number / 1000000);
        break;
    case MRL_FORM_TRUTH:
        if (value->unsigned_number)
            mrl_put_literal(writer, "true");
        else
            mrl_put_literal(writer, "false");
        break;
    default:
        put_number(writer, &step->told, value);
    }
}

/* -- steps ------------------------------------------------------------------------------------ */

void mrl_step__tell(struct mrl_run *run, const struct mrl_step *step)
{
    struct mrl_value value;
    enum mrl_known known = mrl_told__value(&step->told, run->telling, &value);

    if (known == MRL_KNOWN) {
        put_value(run, step, &value);
        mrl_put_char(run->writer, ',');
    } else if (known == MRL_UNKNOWN && run->mapping->says_unknown) {
        mrl_put_literal(run->writer, "null,");
    } else {
        run->writer->at -= step->key_size;
    }
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
    for (unsigned int i = 0; i < steps->count; i++) {
        const struct mrl_step *step = &steps->at[i];

        mrl_put_bytes(run->writer, steps->text + step->text, step->text_size);
        if (step->act)
            step->act(run, step);
    }
}
