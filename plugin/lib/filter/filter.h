/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters: which events are wanted by which policies, and under which conditions. Made from the
 * texts of --events and --scope, which are one policy without a name, or from those of several
 * policies; asked in user space with decoded events, and in part by the probes (abi/rule.h). One
 * filter belongs to one plugin; it does not change once it is made, and any thread may ask it.
 */
#ifndef MRL_FILTER_FILTER_H
#define MRL_FILTER_FILTER_H

#include <abi/record.h>
#include <abi/rule.h>
#include <mrelease/event.h>
#include <mrelease/plugin.h>

enum mrl_filter_type {
    MRL_FILTER_NUMBER,
    MRL_FILTER_TEXT,
    MRL_FILTER_PRESENCE, /* stands alone, without an operator: there is such a text, or none */
    MRL_FILTER_UNKNOWN,  /* a name of Tracee's for what is not known here */
};

/** mrl_filter_field.flags */
enum {
    MRL_FILTER_IN_EVENT = 1 << 0,      /* EVENT.scope.NAME */
    MRL_FILTER_IN_SCOPE = 1 << 1,      /* --scope NAME */
    MRL_FILTER_SIGNED = 1 << 2,        /* numbers */
    MRL_FILTER_NARROW = 1 << 3,        /* numbers of 32 bits */
    MRL_FILTER_ORDERED = 1 << 4,       /* also < <= > >= */
    MRL_FILTER_PATTERNS = 1 << 5,      /* numbers whose decimal text may be matched: 5* */
    MRL_FILTER_ABSENT = 1 << 6,        /* presence: wanted is that there is none */
    MRL_FILTER_NONEMPTY = 1 << 7,      /* text: an empty one is refused, whatever is asked */
    MRL_FILTER_PREFIX = 1 << 8,        /* text: each value is the beginning of a wanted one */
    MRL_FILTER_BOOT_TIME = 1 << 9,     /* a time since the epoch, compared as since boot */
    MRL_FILTER_PATH = 1 << 10,         /* text: an absolute path */
    MRL_FILTER_CONTAINER_ID = 1 << 11, /* text: what the id of a container looks like */
    MRL_FILTER_IN_CONTAINER = 1 << 12, /* also asks that there is a container */
    MRL_FILTER_EXECUTABLE = 1 << 13,   /* text: [host:|MNTNS:]/PATH, with '*' at its end alone */
    MRL_FILTER_BOOLEAN = 1 << 14,      /* numbers: true and false */
};

enum {
    MRL_FILTER_NOWHERE = -1,
    MRL_FILTER_ID_BYTES = 64, /* the longest id of a container */
};

/** What a condition can be about. All texts are static. */
struct mrl_filter_field {
    const char *name, *other_name; /* other_name: a synonym, or NULL */
    enum mrl_filter_type type;
    unsigned int flags;
    int offset, other_offset; /* into struct mrl_event; other: either may match */
    unsigned int size;        /* bytes of a number there; of a text, the longest: 0 any */
    int value;                /* index into mrl_event.values in place of the offsets */
    enum mrl_subject subject; /* how the kernel knows it */
    const char *const *words; /* of a text, all that it can be; NULL: anything */
    unsigned int word_count;
    const char *doc;
};

/** The rows of EVENT.scope.NAME and --scope NAME. Static. */
const struct mrl_filter_field *mrl_filter_fields__all(unsigned int *ret_count);

/**
 * The row called `name` among those with `flag` (MRL_FILTER_IN_…). NULL, with a line in `error`,
 * when there is none or when it is not known here.
 */
const struct mrl_filter_field *mrl_filter_fields__find(unsigned int flag,
                                                       const char *name,
                                                       struct mrl_error *error);

/** A field of an event's own data, as a row; "returnValue" is its result. -EINVAL. */
int mrl_filter_fields__of_data(const struct mrl_event_def *def,
                               const char *name,
                               struct mrl_filter_field *ret_field,
                               struct mrl_error *error);

/** The row of EVENT.retval. */
extern const struct mrl_filter_field mrl_filter_retval;

/** How a value is compared. */
enum mrl_filter_how {
    MRL_FILTER_KEY, /* a number, as mrl_rule_key() makes it */
    MRL_FILTER_EXACT,
    MRL_FILTER_BEGINS,
    MRL_FILTER_ENDS,
    MRL_FILTER_CONTAINS,
};

struct mrl_filter_value {
    bool refused; /* behind != */
    enum mrl_filter_how how;
    uint64_t key;
    char *text; /* owned */
    size_t size;
    uint32_t mount_namespace; /* in which alone it fits; 0: in all */
};

/** Whether a text is what a value that is no key asks for. */
bool mrl_filter_value__fits(const struct mrl_filter_value *value, const char *bytes, size_t size);

/** All that was asked of one field of some events. */
struct mrl_condition {
    struct mrl_filter_field field;
    uint32_t events;
    uint64_t policies; /* whose condition it is, a bit each */
    bool has_min, has_max;
    bool has_texts;    /* among the values */
    uint64_t min, max; /* keys, exclusive */
    struct mrl_filter_value *values;
    unsigned int value_count;
};

struct mrl_filter {
    uint32_t events;                    /* chosen by any policy, a bit per table index */
    bool wants_executable;              /* the probes have to read it */
    uint64_t policies;                  /* all of them, a bit each */
    uint64_t chosen_by[MRL_EVENTS_MAX]; /* per table index: the policies that name the event */
    struct mrl_policies *names;         /* NULL: one policy, without a name */
    struct mrl_condition *conditions;
    unsigned int condition_count;
};

/** What there was when the sensor started. Zeroed: nobody knows, as in a replay. */
struct mrl_start {
    uint64_t boot_ns;         /* CLOCK_BOOTTIME from which a process is new */
    uint64_t cgroup_id;       /* of the newest cgroup; those to come have larger numbers */
    uint32_t mount_namespace; /* of the host; 0: it could not be read */
};

/** The texts that a filter is made from; borrowed until mrl_filter__new() returns. */
struct mrl_filter_texts {
    const char *const *events, *const *scopes;
    unsigned int event_count, scope_count;
    uint32_t preset; /* events when no text chooses any; 0: the default set */
    struct mrl_start start;
};

/** A new filter. Errors: -EINVAL with the nearest word; -EDOM conditions that never hold, for no
 * call is like that; -ENOMEM. */
int mrl_filter__new(const struct mrl_filter_texts *texts,
                    struct mrl_error *error,
                    struct mrl_filter **ret_filter);

/**
 * A new filter of 1 to MRL_POLICIES_MAX policies; policy n of the array is bit n. Errors as above,
 * with the policy's name; -EINVAL too many, or a name that is none or is there twice.
 */
int mrl_filter__of_policies(const struct mrl_policy_texts *policies,
                            unsigned int count,
                            const struct mrl_start *start,
                            struct mrl_error *error,
                            struct mrl_filter **ret_filter);

/** NULL is allowed. */
void mrl_filter__free(struct mrl_filter *filter);

/** The policies that want an event at all. One that none of them names was enabled later, and is of
 * all. */
static inline uint64_t mrl_filter__wanted_by(const struct mrl_filter *filter, unsigned int event)
{
    return filter->chosen_by[event] ? filter->chosen_by[event] : filter->policies;
}

/** Those of the policies that want the event and whose conditions on it all hold; 0: nobody wants
 * it. Conditions are on what has a record: events_lost and sensor_state always pass. */
uint64_t mrl_filter__match(const struct mrl_filter *filter, const struct mrl_event *event);

/** Whether any policy wants the event. */
static inline bool mrl_filter__accepts(const struct mrl_filter *filter,
                                       const struct mrl_event *event)
{
    return mrl_filter__match(filter, event) != 0;
}

/**
 * The conditions that the kernel can decide, but for those on events that it has to send in any
 * case, since a policy wants them and has no condition that it can decide. Returns how many it
 * cannot: those are left to mrl_filter__match(), which asks all of them anyway.
 */
unsigned int mrl_filter__rules(const struct mrl_filter *filter, struct mrl_rules *ret_rules);

/* -- within the filter ------------------------------------------------------------------------ */

/** Whether a text of --events is a condition and no list. */
bool mrl_condition__is(const char *text);

/** Adds "EVENT.data.FIELD=…" and the like to a policy, and its event to `*events`. -EINVAL,
 * -ENOMEM. */
int mrl_condition__add(struct mrl_filter *filter,
                       uint64_t policy,
                       const char *text,
                       uint32_t *events,
                       struct mrl_error *error);

/** Adds what --scope takes. -EINVAL, -ENOMEM. */
int mrl_condition__add_scope(struct mrl_filter *filter,
                             uint64_t policy,
                             const char *text,
                             const struct mrl_start *start,
                             struct mrl_error *error);

/** -EINVAL where conditions of one policy that must all hold never do together. */
int mrl_conditions__agree(const struct mrl_filter *filter,
                          uint64_t policy,
                          struct mrl_error *error);

/** What several policies ask alike is one condition of all of them. */
void mrl_conditions__merge(struct mrl_filter *filter);
void mrl_condition__done(struct mrl_condition *condition);

/** "tag=SET,…": chooses the events of sets, as Tracee spells it. `sets` is behind "tag=". -EINVAL.
 */
int mrl_event_list__add_sets(const char *sets, uint32_t *in, struct mrl_error *error);

/** Adds a list of --events to those that are wanted and those that are left out. -EINVAL. */
int mrl_event_list__add(const char *list, uint32_t *in, uint32_t *out, struct mrl_error *error);

/** The bit of sensor_state, which no probe raises. */
#define MRL_STATES (1U << MRL_EVENT_SENSOR_STATE)

/** The events of a set; those that probes may watch; these and what a list may name beside them. */
uint32_t mrl_event_list__set(unsigned int set);
uint32_t mrl_event_list__choosable(void);
uint32_t mrl_event_list__nameable(void);

#endif
