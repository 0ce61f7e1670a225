// SPDX-License-Identifier: Apache-2.0
/*
 * The documents of a policy file: which form they have, and what stands in them. What it means is
 * for translate.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/policy/reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define API  "tracee.aquasec.com/v1beta1"
#define KIND "Policy"
#define FORM "'apiVersion: " API "', 'kind: " KIND "'"

/* Deep enough for what an API server adds to an object in a list. */
enum { DEPTH_MAX = 40 };

/* -- a rule ----------------------------------------------------------------------------------- */

static int take_event(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    return mrl_policy_reader__take_line(reader, value, "event", &reader->rule->event);
}

static int take_filters(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    return mrl_policy_reader__take_lines(reader, value, "filters", &reader->rule->filters);
}

static int take_rule_actions(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    return mrl_policy_reader__take_lines(reader, value, "actions", &reader->rule->actions);
}

static const struct mrl_policy_key rule_keys[] = { { "event", take_event },
                                                   { "filters", take_filters },
                                                   { "actions", take_rule_actions } };

static int read_rule(struct mrl_policy_reader *reader, const yaml_node_t *node)
{
    static const struct mrl_policy_level level = { rule_keys, COUNT(rule_keys) };
    struct mrl_written_policy *policy = reader->policy;
    struct mrl_policy_rule *list;

    if (node->type != YAML_MAPPING_NODE)
        return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, node->start_mark,
                                      "a rule is written '- event: NAME', with filters: below it");
    list = reallocarray(policy->rules, policy->rule_count + 1, sizeof(*list));
    if (!list)
        return -ENOMEM;
    policy->rules = list;
    reader->rule = &list[policy->rule_count++];
    *reader->rule = (struct mrl_policy_rule){ .event = { .line = node->start_mark.line + 1,
                                                         .column = node->start_mark.column + 1 } };
    return mrl_policy_reader__mapping(reader, node, &level);
}

static int take_rules(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    int err = 0;

    if (mrl_yaml__is_null(value))
        return 0;
    if (value->type == YAML_MAPPING_NODE)
        return mrl_policy_reader__say(
            reader, MRL_POLICY_FAULT, value->start_mark,
            "rules: this is a mapping, and a list is wanted: begin each rule with '- event:'");
    if (value->type != YAML_SEQUENCE_NODE)
        return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, value->start_mark,
                                      "rules: a list is wanted: begin each rule with '- event:'");
    for (yaml_node_item_t *item = value->data.sequence.items.start;
         !err && item < value->data.sequence.items.top; item++) {
        const yaml_node_t *rule = mrl_yaml__node(&reader->yaml, *item);

        if (reader->policy->rule_count == MRL_POLICY_ITEMS_MAX)
            return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, rule->start_mark,
                                          "more than %d rules", MRL_POLICY_ITEMS_MAX);
        err = read_rule(reader, rule);
    }
    return err;
}

/* -- a policy --------------------------------------------------------------------------------- */

static int take_name(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    return mrl_policy_reader__take_line(reader, value, "name", &reader->policy->name);
}

static int take_scope(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    return mrl_policy_reader__take_lines(reader, value, "scope", &reader->policy->scopes);
}

static int take_actions(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    return mrl_policy_reader__take_lines(reader, value, "defaultActions", &reader->policy->actions);
}

/* The second half is the API server's. */
static const struct mrl_policy_key metadata_keys[] = {
    { "name", take_name },
    { "annotations", NULL },
    { "labels", NULL },
    { "creationTimestamp", NULL },
    { "deletionGracePeriodSeconds", NULL },
    { "deletionTimestamp", NULL },
    { "finalizers", NULL },
    { "generateName", NULL },
    { "generation", NULL },
    { "managedFields", NULL },
    { "namespace", NULL },
    { "ownerReferences", NULL },
    { "resourceVersion", NULL },
    { "selfLink", NULL },
    { "uid", NULL },
};

static const struct mrl_policy_key spec_keys[] = { { "scope", take_scope },
                                                   { "rules", take_rules },
                                                   { "defaultActions", take_actions } };

static int take_metadata(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    static const struct mrl_policy_level level = { metadata_keys, COUNT(metadata_keys) };

    return mrl_policy_reader__keys(reader, value, "metadata", &level);
}

static int take_spec(struct mrl_policy_reader *reader, yaml_node_t *value)
{
    static const struct mrl_policy_level level = { spec_keys, COUNT(spec_keys) };

    return mrl_policy_reader__keys(reader, value, "spec", &level);
}

static const struct mrl_policy_key object_keys[] = { { "apiVersion", NULL },
                                                     { "kind", NULL },
                                                     { "metadata", take_metadata },
                                                     { "spec", take_spec },
                                                     { "status", NULL } };

static const struct mrl_policy_key plain_keys[] = {
    { "type", NULL },
    { "name", take_name },
    { "description", NULL },
    { "version", NULL },
    { "scope", take_scope },
    { "rules", take_rules },
    { "defaultActions", take_actions },
};

static int read_policy(struct mrl_policy_reader *reader, const yaml_node_t *root, bool is_plain)
{
    static const struct mrl_policy_level object = { object_keys, COUNT(object_keys) },
                                         plain = { plain_keys, COUNT(plain_keys) };
    const unsigned int faults = reader->set->faults;
    int err;

    if (reader->set->count == MRL_POLICIES_MAX)
        return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, root->start_mark,
                                      "more than %d policies, which is as many as there may be",
                                      MRL_POLICIES_MAX);
    reader->policy = mrl_policy_set__add(reader->set, reader->yaml.name);
    if (!reader->policy)
        return -ENOMEM;
    reader->policy->line = root->start_mark.line + 1;
    reader->policy->column = root->start_mark.column + 1;
    reader->policy->is_plain = is_plain;
    err = mrl_policy_reader__mapping(reader, root, is_plain ? &plain : &object);
    /* What could not be read would only bring about further faults. */
    return err || reader->set->faults != faults
               ? err
               : mrl_written_policy__translate(reader->set, reader->policy);
}

/* -- which form it has ------------------------------------------------------------------------ */

static const yaml_node_t *value_of(struct mrl_policy_reader *reader,
                                   const yaml_node_t *node,
                                   const char *key)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *name = mrl_yaml__node(&reader->yaml, pair->key);

        if (name->type == YAML_SCALAR_NODE && !strcmp((const char *)name->data.scalar.value, key))
            return mrl_yaml__node(&reader->yaml, pair->value);
    }
    return NULL;
}

/* "": it is not there, or no text. */
static const char *text_of(struct mrl_policy_reader *reader,
                           const yaml_node_t *node,
                           const char *key)
{
    const yaml_node_t *value = value_of(reader, node, key);

    return value && value->type == YAML_SCALAR_NODE ? (const char *)value->data.scalar.value : "";
}

static bool has(struct mrl_policy_reader *reader, const yaml_node_t *node, const char *key)
{
    return value_of(reader, node, key);
}

static int refuse_old(struct mrl_policy_reader *reader,
                      const yaml_node_t *root,
                      const char *version)
{
    return mrl_policy_reader__say(
        reader, MRL_POLICY_FAULT, root->start_mark,
        "a policy as Tracee %s had it. Now it is " FORM
        ", 'metadata: {name: NAME}' and 'spec:', and below that 'scope: [global]', "
        "'defaultActions: [log]' and 'rules:', each '- event: NAME' with 'filters: [...]'; "
        "'!container' is 'not-container'",
        version);
}

/* v0.15 had one action where v0.16 has a list. */
static int refuse_without_kind(struct mrl_policy_reader *reader, const yaml_node_t *root)
{
    if (has(reader, root, "defaultAction"))
        return refuse_old(reader, root, "v0.15");
    if (has(reader, root, "rules") || has(reader, root, "scope"))
        return refuse_old(reader, root, "v0.15 and v0.16");
    return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, root->start_mark,
                                  "no policy: it begins with " FORM ", or with 'type: policy'");
}

static bool is_plain_type(const char *type)
{
    type += strspn(type, " \t");
    return !strncasecmp(type, "policy", 6) && !type[6 + strspn(type + 6, " \t")];
}

static int read_object(struct mrl_policy_reader *reader, const yaml_node_t *root);

static int read_list(struct mrl_policy_reader *reader, const yaml_node_t *root)
{
    const yaml_node_t *items = value_of(reader, root, "items");
    int err = 0;

    if (!items || items->type != YAML_SEQUENCE_NODE || reader->is_listed)
        return mrl_policy_reader__say(
            reader, MRL_POLICY_FAULT, root->start_mark,
            "a list of policies holds them below 'items:', and no other list");
    reader->is_listed = true;
    for (yaml_node_item_t *item = items->data.sequence.items.start;
         !err && item < items->data.sequence.items.top; item++)
        err = read_object(reader, mrl_yaml__node(&reader->yaml, *item));
    reader->is_listed = false;
    return err;
}

static int read_object(struct mrl_policy_reader *reader, const yaml_node_t *root)
{
    const char *api, *kind, *type;

    if (root->type != YAML_MAPPING_NODE)
        return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, root->start_mark,
                                      "no policy: it begins with " FORM ", or with 'type: policy'");
    api = text_of(reader, root, "apiVersion");
    kind = text_of(reader, root, "kind");
    type = text_of(reader, root, "type");
    if (!strcmp(kind, "List") || !strcmp(kind, KIND "List"))
        return read_list(reader, root);
    if (!strcmp(kind, "TraceePolicy") || !strncmp(api, "aquasecurity.github.io/", 23))
        return refuse_old(reader, root, "v0.17");
    if (!strcmp(api, API) && !strcmp(kind, KIND))
        return read_policy(reader, root, false);
    if (has(reader, root, "apiVersion") || has(reader, root, "kind"))
        return mrl_policy_reader__say(
            reader, MRL_POLICY_FAULT, root->start_mark,
            "'apiVersion: %.64s' and 'kind: %.64s' are no policy: wanted are " FORM, api, kind);
    if (!has(reader, root, "type"))
        return refuse_without_kind(reader, root);
    if (!is_plain_type(type))
        return mrl_policy_reader__say(reader, MRL_POLICY_FAULT, root->start_mark,
                                      "'type: %.64s' is no policy: 'type: policy' is", type);
    return read_policy(reader, root, true);
}

/* A document without anything but comments is none. */
static int read_document(void *context, yaml_node_t *root, unsigned int number)
{
    struct mrl_policy_reader *reader = context;

    (void)number;
    if (mrl_yaml__is_null(root))
        return 0;
    reader->documents++;
    return read_object(reader, root);
}

int mrl_written_policy__parse(struct mrl_policy_set *set,
                              const char *file,
                              const char *bytes,
                              size_t size)
{
    struct mrl_error error = { "" };
    struct mrl_policy_reader reader = {
        .yaml = { .name = file,
                  .bytes = bytes,
                  .size = size,
                  .depth_max = DEPTH_MAX,
                  .error = &error },
        .set = set,
    };
    int err = mrl_yaml__each(&reader.yaml, read_document, &reader);

    if (err == -EINVAL) /* of libyaml: it says where by itself */
        return mrl_policy_set__note(set, MRL_POLICY_FAULT, error.text);
    if (!err && !reader.documents)
        err = mrl_policy_set__say(set, MRL_POLICY_FAULT, file, 1, 1, "there is no policy in it");
    return err;
}
