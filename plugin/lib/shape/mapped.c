// SPDX-License-Identifier: Apache-2.0
/* Plans followed: an event in its shape. */
#include "shape/mapped.h"

static void put_task(void *context,
                     const struct mrl_task *task,
                     unsigned int piece,
                     struct mrl_writer *writer)
{
    struct mrl_mapped *encoder = context;
    struct mrl_run run = { .mapping = encoder->base.ops->mapping,
                           .telling = &encoder->telling,
                           .writer = writer,
                           .date = &encoder->task_date,
                           .limit = writer->at + MRL_TASK_TEXT_BYTES - MRL_TASK_FIXED_BYTES };

    (void)task;
    if (!piece)
        mrl_steps__take(&encoder->of_task.steps, &run);
}

void mrl_mapped__put(struct mrl_encoder *base,
                     const struct mrl_event *event,
                     struct mrl_writer *writer)
{
    struct mrl_mapped *encoder = (struct mrl_mapped *)base;
    const struct mrl_plan *plan = &encoder->plans[event->def->index];
    struct mrl_run run = { .mapping = encoder->base.ops->mapping,
                           .telling = &encoder->telling,
                           .tasks = &encoder->tasks,
                           .writer = writer,
                           .date = &encoder->event_date,
                           .limit = writer->at + MRL_EVENT_TEXT_MAX - MRL_TASK_TEXT_BYTES -
                                    plan->fixed_bytes };

    encoder->telling.def = event->def;
    encoder->telling.event = event;
    encoder->telling.sentence = &plan->sentence;
    mrl_steps__take(&plan->steps, &run);
}

/* The object of the task is the same in all events that have one. */
static const struct mrl_event_def *any_with_task(void)
{
    unsigned int i = 0;

    while (!(mrl_event_def__at(i)->is & MRL_OF_RECORD))
        i++;
    return mrl_event_def__at(i);
}

static int make_plans(struct mrl_mapped *encoder, const struct mrl_encoder_options *options)
{
    struct mrl_plan_options all = { .mapping = encoder->base.ops->mapping,
                                    .telling = &encoder->telling,
                                    .extras = options->extras,
                                    .of_task = true };
    int err = mrl_plan__make(&all, any_with_task(), &encoder->of_task);

    all.of_task = false;
    for (unsigned int i = 0; !err && i < mrl_event_def__count(); i++)
        err = mrl_plan__make(&all, mrl_event_def__at(i), &encoder->plans[i]);
    return err;
}

int mrl_mapped__init(struct mrl_encoder *base, const struct mrl_encoder_options *options)
{
    struct mrl_mapped *encoder = (struct mrl_mapped *)base;
    int err;

    encoder->tasks.put = put_task;
    encoder->tasks.context = encoder;
    encoder->tasks.with_executable = encoder->tasks.with_names = true;
    encoder->telling.host = options->host;
    encoder->telling.say = mrl_sentence__say;
    err = make_plans(encoder, options);
    encoder->telling.host = NULL; /* borrowed for this long */
    return err;
}

void mrl_mapped__done(struct mrl_encoder *base)
{
    struct mrl_mapped *encoder = (struct mrl_mapped *)base;

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++)
        mrl_plan__done(&encoder->plans[i]);
    mrl_plan__done(&encoder->of_task);
    mrl_task_texts__done(&encoder->tasks);
}
