/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin ABI of Falco, as far as this plugin uses it: structures and numbers of API 3.1.0
 * (Falco 0.36), to which every later 3.x only added behind. Nothing newer is read, because a host
 * does not say which version it is.
 */
#ifndef MRL_FALCO_ABI_H
#define MRL_FALCO_ABI_H

#include <stdint.h>

#define MRL_FALCO_API "3.1.0"

enum falco_rc {
    FALCO_TIMEOUT = -1,
    FALCO_SUCCESS = 0,
    FALCO_FAILURE = 1,
    FALCO_EOF = 2,
    FALCO_NOT_SUPPORTED = 3,
};

enum falco_schema { FALCO_SCHEMA_NONE = 0, FALCO_SCHEMA_JSON = 1 };

enum falco_type {
    FALCO_UINT64 = 8,
    FALCO_STRING = 9,
    FALCO_RELTIME = 20,
    FALCO_ABSTIME = 21,
    FALCO_BOOL = 25,
};

typedef uint32_t falco_bool;

enum {
    FALCO_PLUGIN_EVENT = 322, /* PPME_PLUGINEVENT_E: a plugin's id, and a payload */
    FALCO_PARAMETERS = 2,
    FALCO_PAYLOAD_OFFSET = 38,
};

/** Before the payload of each event; packed, at no particular alignment. */
struct falco_event {
    uint64_t ts;  /* ns since the epoch */
    uint64_t tid; /* the host's business */
    uint32_t len; /* of the whole event */
    uint16_t type;
    uint32_t nparams;
} __attribute__((packed));

/** A whole event up to its payload. */
struct falco_plugin_event {
    struct falco_event head;
    uint32_t id_size;
    uint32_t payload_size;
    uint32_t plugin_id; /* 0: the host fills it in */
} __attribute__((packed));

_Static_assert(sizeof(struct falco_event) == 26, "Falco's ABI");
_Static_assert(sizeof(struct falco_plugin_event) == FALCO_PAYLOAD_OFFSET, "Falco's ABI");

/** An event that the host asks about. */
struct falco_event_input {
    const struct falco_event *evt;
    uint64_t evtnum;
    const char *evtsrc;
};

/** What init() is given. There is more behind it in newer hosts. */
struct falco_init_input {
    const char *config;
    void *owner;
    const char *(*get_owner_last_error)(void *owner);
    const void *tables;
};

/** A question, and room for the answer. */
struct falco_extract_field {
    union {
        const char **str;
        uint64_t *u64;
        uint32_t *u32;
        falco_bool *boolean;
        void *buf;
    } res;
    uint64_t res_len; /* values found */
    uint32_t field_id;
    const char *field;
    const char *arg_key;
    uint64_t arg_index;
    falco_bool arg_present;
    uint32_t ftype;
    falco_bool flist;
};

/** There is more behind it. */
struct falco_extract_input {
    void *owner;
    const char *(*get_owner_last_error)(void *owner);
    uint32_t num_fields;
    struct falco_extract_field *fields;
};

enum falco_metric_type { FALCO_MONOTONIC = 0, FALCO_NON_MONOTONIC = 1 };
enum falco_metric_value { FALCO_METRIC_U64 = 2 };

struct falco_metric {
    const char *name;
    uint32_t type; /* enum falco_metric_type */
    union {
        uint64_t u64;
        double real;
    } value;
    uint32_t value_type; /* enum falco_metric_value */
};

#ifdef __LP64__
_Static_assert(sizeof(struct falco_extract_field) == 64, "Falco's ABI");
_Static_assert(sizeof(struct falco_metric) == 32, "Falco's ABI");
#endif

/** An opened stream. */
struct falco_instance;

/** One of the plugin. */
struct falco_state;

/*
 * The functions, which a host finds by their names. What they return is the plugin's, and valid
 * until the next call of the same function with the same state.
 */
#define FALCO_EXPORT __attribute__((visibility("default")))

FALCO_EXPORT const char *plugin_get_required_api_version(void);
FALCO_EXPORT const char *plugin_get_version(void);
FALCO_EXPORT const char *plugin_get_name(void);
FALCO_EXPORT const char *plugin_get_description(void);
FALCO_EXPORT const char *plugin_get_contact(void);
FALCO_EXPORT const char *plugin_get_init_schema(int *ret_type);
FALCO_EXPORT struct falco_state *plugin_init(const struct falco_init_input *input, int *rc);
FALCO_EXPORT void plugin_destroy(struct falco_state *state);
FALCO_EXPORT const char *plugin_get_last_error(struct falco_state *state);
FALCO_EXPORT struct falco_metric *plugin_get_metrics(struct falco_state *state, uint32_t *count);

FALCO_EXPORT uint32_t plugin_get_id(void);
FALCO_EXPORT const char *plugin_get_event_source(void);
FALCO_EXPORT const char *plugin_list_open_params(struct falco_state *state, int *rc);
FALCO_EXPORT struct falco_instance *plugin_open(struct falco_state *state,
                                                const char *params,
                                                int *rc);
FALCO_EXPORT void plugin_close(struct falco_state *state, struct falco_instance *instance);
FALCO_EXPORT int plugin_next_batch(struct falco_state *state,
                                   struct falco_instance *instance,
                                   uint32_t *count,
                                   struct falco_event ***events);
FALCO_EXPORT const char *plugin_get_progress(struct falco_state *state,
                                             struct falco_instance *instance,
                                             uint32_t *permyriad);
FALCO_EXPORT const char *plugin_event_to_string(struct falco_state *state,
                                                const struct falco_event_input *input);

FALCO_EXPORT const char *plugin_get_fields(void);
FALCO_EXPORT const char *plugin_get_extract_event_sources(void);
FALCO_EXPORT int plugin_extract_fields(struct falco_state *state,
                                       const struct falco_event_input *input,
                                       const struct falco_extract_input *wanted);

#endif
