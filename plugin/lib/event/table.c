// SPDX-License-Identifier: Apache-2.0
/* The event table and the kinds table as data, expanded from their .def files, and look-ups in
 * them. */
#include <mrelease/event.h>
#include <stddef.h>
#include <string.h>

#include "event/about.h"
#include "event/kind.h"
#include "event/raw.h"

const struct mrl_kind mrl_kinds[MRL_KIND_COUNT] = {
#define MRL_KIND(symbol, storage_, unit_, bits_, v0_23, v0_24, protobuf_, falco_) \
    [MRL_KIND_##symbol] = {                                                       \
        .name = #symbol,                                                          \
        .storage = MRL_STORAGE_##storage_,                                        \
        .unit = MRL_UNIT_##unit_,                                                 \
        .bits = bits_,                                                            \
        .type_v0_23 = v0_23,                                                      \
        .type_v0_24 = v0_24,                                                      \
        .protobuf = protobuf_,                                                    \
        .falco = falco_,                                                          \
    },
#include "event/kinds.def"
};

#define TAG_K      MRL_TAG_K
#define TAG_U      MRL_TAG_U
#define TAG_TOCTOU MRL_TAG_TOCTOU
#define TAG_OPT    MRL_TAG_OPT

/* An empty entry ends each array, so that an event without fields has one too. */
#define F(kind_, name_, tags_, from, doc_) { name_, &mrl_kinds[MRL_KIND_##kind_], tags_, doc_ },
#define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, protobuf, version, sets, \
                          lane, reads, about, doc, fields)                                    \
    static const struct mrl_field fields_##symbol[] = { fields{ NULL, NULL, 0, NULL } };
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, syscall, about, doc, fields) \
    static const struct mrl_field fields_##symbol[] = { fields{ NULL, NULL, 0, NULL } };
#include <abi/events.def>
#undef F

#define ARG(n)                         MRL_FROM_ARGUMENT(n)
#define TARGET(member)                 MRL_FROM_MEMBER(MRL_FROM_TARGET, struct mrl_target, member)
#define VIA(name)                      MRL_FROM_VALUE_OF(name)
#define F(kind, name, tags, from, doc) from
#define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, protobuf, version, sets, \
                          lane, reads, about, doc, fields)                                    \
    static const struct mrl_from from_##symbol[] = { fields{ 0 } };
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, syscall, about, doc, fields) \
    static const struct mrl_from from_##symbol[] = { fields{ 0 } };
#include <abi/events.def>

static const struct mrl_from *const sources[] = {
#define MRL_SYSCALL_EVENT(symbol, ...) from_##symbol,
#define MRL_OWN_EVENT(symbol, ...)     from_##symbol,
#include <abi/events.def>
};

#define ECS(category, type) .ecs_category = (category), .ecs_type = (type)
#define OCSF(class, class_name, activity, activity_name, type)                         \
    .ocsf_class = #class, .ocsf_class_name = (class_name), .ocsf_activity = #activity, \
    .ocsf_activity_name = (activity_name), .ocsf_type = #type
static const struct mrl_about abouts[] = {
#define MRL_ABOUT(symbol, group_, series_, severity_, failure, result_, title_, sentence_, \
                  phrase_, ecs, ocsf)                                                      \
    [MRL_ABOUT_##symbol] = {                                                               \
        .name = #symbol,                                                                   \
        .group = group_,                                                                   \
        .series = MRL_SERIES_##series_,                                                    \
        .severity = { MRL_SEVERITY_##severity_, MRL_SEVERITY_##failure },                  \
        .result = result_,                                                                 \
        .title = title_,                                                                   \
        .sentence = sentence_,                                                             \
        .phrase = phrase_,                                                                 \
        ecs,                                                                               \
        ocsf,                                                                              \
    },
#include "event/about.def"
};

static const unsigned char about_of[] = {
#define MRL_SYSCALL_EVENT(symbol, syscall, x86_64, arm64, i386, arm, protobuf, version, sets, \
                          lane, reads, about, ...)                                            \
    MRL_##about,
#define MRL_OWN_EVENT(symbol, name, id, version, sets, lane, syscall, about, ...) MRL_##about,
#include <abi/events.def>
};

#if defined(__x86_64__)
#    define NATIVE_NR(x86_64, arm64) x86_64
#elif defined(__aarch64__)
#    define NATIVE_NR(x86_64, arm64) arm64
#else
#    error "only x86-64 and arm64 have rows in the event table"
#endif

#define SET_DEFAULT         MRL_SET_DEFAULT
#define SET_SYSCALLS        MRL_SET_SYSCALLS
#define SET_PROC            MRL_SET_PROC
#define SET_PROC_MEM        MRL_SET_PROC_MEM
#define OF_READS_NOTHING    MRL_OF_NOTHING
#define OF_READS_TARGET     MRL_OF_TARGET
#define OF_READS_LOCKS      MRL_OF_LOCKS
#define HAS_RECORD(lane)    (MRL_##lane == MRL_LANE_NONE ? MRL_OF_NOTHING : MRL_OF_RECORD)
#define IS(lane)            (MRL_OF_EVERY | HAS_RECORD(lane))
#define FIELD_COUNT(symbol) (sizeof(fields_##symbol) / sizeof(fields_##symbol[0]) - 1)

static const struct mrl_event_def events[] = {
#define MRL_SYSCALL_EVENT(symbol, syscall_, x86_64, arm64, i386, arm, protobuf_, version_, sets_, \
                          lane_, reads, about, doc_, f)                                           \
    {                                                                                             \
        .index = MRL_EVENT_##symbol,                                                              \
        .name = #syscall_,                                                                        \
        .syscall = #syscall_,                                                                     \
        .is_syscall = true,                                                                       \
        .id = NATIVE_NR(x86_64, arm64),                                                           \
        .id_x86_64 = x86_64,                                                                      \
        .id_arm64 = arm64,                                                                        \
        .nr_i386 = i386,                                                                          \
        .nr_arm = arm,                                                                            \
        .protobuf_id = protobuf_,                                                                 \
        .version = version_,                                                                      \
        .sets = sets_,                                                                            \
        .doc = doc_,                                                                              \
        .fields = fields_##symbol,                                                                \
        .field_count = FIELD_COUNT(symbol),                                                       \
        .lane = MRL_##lane_,                                                                      \
        .is = IS(lane_) | OF_##reads,                                                             \
    },
#define MRL_OWN_EVENT(symbol, name_, id_, version_, sets_, lane_, syscall_, about, doc_, f) \
    {                                                                                       \
        .index = MRL_EVENT_##symbol,                                                        \
        .name = name_,                                                                      \
        .syscall = syscall_,                                                                \
        .id = id_,                                                                          \
        .id_x86_64 = id_,                                                                   \
        .id_arm64 = id_,                                                                    \
        .nr_i386 = -1,                                                                      \
        .nr_arm = -1,                                                                       \
        .protobuf_id = id_,                                                                 \
        .version = version_,                                                                \
        .sets = sets_,                                                                      \
        .doc = doc_,                                                                        \
        .fields = fields_##symbol,                                                          \
        .field_count = FIELD_COUNT(symbol),                                                 \
        .lane = MRL_##lane_,                                                                \
        .is = IS(lane_),                                                                    \
    },
#include <abi/events.def>
};

static const char *const tag_names[] = { "K", "U", "TOCTOU", "OPT" };
static const char *const set_names[] = { "default", "syscalls", "proc", "proc_mem" };

unsigned int mrl_event_def__count(void)
{
    return MRL_EVENT_COUNT;
}

const struct mrl_event_def *mrl_event_def__at(unsigned int index)
{
    return &events[index];
}

const struct mrl_from *mrl_event_def__from(unsigned int index)
{
    return sources[index];
}

enum mrl_about_index mrl_event_def__about_index(unsigned int index)
{
    return (enum mrl_about_index)about_of[index];
}

const struct mrl_about *mrl_event_def__about(unsigned int index)
{
    return &abouts[about_of[index]];
}

const struct mrl_event_def *mrl_event_def__find(const char *name, struct mrl_error *error)
{
    const char *names[MRL_EVENT_COUNT];

    for (unsigned int i = 0; i < MRL_EVENT_COUNT; i++) {
        if (!strcmp(events[i].name, name))
            return &events[i];
        names[i] = events[i].name;
    }
    mrl_error__unknown(error, "event", name, names, MRL_EVENT_COUNT);
    return NULL;
}

const char *mrl_tag_name(unsigned int bit)
{
    return bit < sizeof(tag_names) / sizeof(tag_names[0]) ? tag_names[bit] : NULL;
}

const char *mrl_set_name(unsigned int bit)
{
    return bit < sizeof(set_names) / sizeof(set_names[0]) ? set_names[bit] : NULL;
}
