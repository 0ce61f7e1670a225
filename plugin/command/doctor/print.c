// SPDX-License-Identifier: Apache-2.0
/* The report, for people and for programs. */
#include <mrelease/mrelease.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/utsname.h>

#include "command/doctor/doctor.h"
#include "command/options/wrap.h"

enum { LOW = 10, MEDIAN = 50, HIGH = 90 };

enum { BESIDE_WIDTH = 150, BELOW = 6 };

static struct utsname host(void)
{
    struct utsname names;

    uname(&names);
    return names;
}

/* Without what the message of a run says first. */
const char *mrl_setup__reason(const struct mrl_setup *setup)
{
    static const char lead[] = "no probe works here: ";
    const char *text = setup->why.text;
    size_t name = strlen(setup->rung->name);

    if (setup->works)
        return NULL;
    if (!strncmp(text, lead, sizeof(lead) - 1))
        text += sizeof(lead) - 1;
    if (!strncmp(text, setup->rung->name, name) && !strncmp(text + name, ": ", 2))
        text += name + 2;
    return text;
}

static bool is_alone(const struct mrl_setup *setup)
{
    return strcmp(setup->coverage, "all") != 0;
}

void mrl_setup__name(const struct mrl_setup *setup, char name[48])
{
    snprintf(name, 48, "%s%s%s", setup->rung->name, is_alone(setup) ? "" : " + ",
             is_alone(setup) ? "" : setup->rung->beside);
}

/* -- for people ------------------------------------------------------------------------------- */

static void print_tax(const struct mrl_samples *added_ns)
{
    char text[48] = "not timed";

    if (added_ns->count)
        snprintf(text, sizeof(text), "%+.0f ns (%+.0f to %+.0f)",
                 mrl_samples__percentile(added_ns, MEDIAN), mrl_samples__percentile(added_ns, LOW),
                 mrl_samples__percentile(added_ns, HIGH));
    printf("%-22s", text);
}

static void print_setup(const struct mrl_setup *setup)
{
    char name[48];

    mrl_setup__name(setup, name);
    printf("  %-16s ", name);
    if (!setup->works) {
        printf("no    %s\n", mrl_setup__reason(setup));
        return;
    }
    printf("yes   ");
    print_tax(&setup->added_ns);
    for (enum mrl_way_index way = 0; way < MRL_WAY_COUNT; way++)
        printf(" %-*s", way + 1 < MRL_WAY_COUNT ? 11 : 0, mrl_seen__name(setup->seen[way]));
    putchar('\n');
    if (*setup->unproven)
        printf("  %-16s a seccomp filter refuses these calls to this process, so that their being "
               "seen is not proven: %s\n",
               "", setup->unproven);
}

static void print_setups(const struct mrl_doctor *doctor)
{
    printf("Rungs in their order: what an unwatched getppid() pays, and which calls are seen\n"
           "  %-16s %-5s %-22s",
           "RUNG", "WORKS", "TAX (10 % to 90 %)");
    for (enum mrl_way_index way = 0; way < MRL_WAY_COUNT; way++)
        printf(" %-*s", way + 1 < MRL_WAY_COUNT ? 11 : 0, mrl_way__column(way));
    putchar('\n');
    for (unsigned int i = 0; i < doctor->setup_count; i++)
        print_setup(&doctor->setups[i]);
    if (doctor->bare_ns.count)
        printf("  getppid() without probes: %.0f ns (%.0f to %.0f); %u samples\n",
               mrl_samples__percentile(&doctor->bare_ns, MEDIAN),
               mrl_samples__percentile(&doctor->bare_ns, LOW),
               mrl_samples__percentile(&doctor->bare_ns, HIGH), doctor->bare_ns.count);
}

static void print_choices(const struct mrl_doctor *doctor)
{
    if (!doctor->choices[0].coverage)
        return;
    printf("\nmrelease run takes\n");
    for (unsigned int i = 0; i < MRL_COVERAGES; i++)
        printf("  --coverage %-8s %s\n", doctor->choices[i].coverage,
               doctor->choices[i].rung ? doctor->choices[i].rung : "nothing: none works");
    if (!doctor->choices[0].rung)
        return;
    printf("\nA release of a child's memory, watched with the first\n  ");
    if (doctor->trial.seen)
        printf("seen: outcome %s, target %s, bytes %s\n", doctor->trial.outcome,
               doctor->trial.target_right ? "right" : "WRONG", doctor->trial.accuracy);
    else
        printf("not seen\n");
}

/* What it means stands below where a terminal has no room beside. */
static void print_finding(const char *name, const char *value, const char *doc)
{
    struct mrl_wrap wrap = { stdout, (int)mrl_sink__columns_fd(STDOUT_FILENO), BELOW, BELOW - 1 };

    if (!wrap.width || wrap.width >= BESIDE_WIDTH) {
        printf("  %-26s %-36s %s\n", name, value, doc);
        return;
    }
    printf("  %-26s %s\n%*s", name, value, wrap.column, "");
    mrl_wrap__put(&wrap, doc);
    putchar('\n');
}

static void print_facts(void)
{
    unsigned int count;
    const struct mrl_fact *facts = mrl_doctor__facts(&count);
    char value[64];

    printf("\nThis host\n");
    for (unsigned int i = 0; i < count; i++) {
        facts[i].find(value);
        print_finding(facts[i].name, value, facts[i].doc);
    }
}

static void print_rights(void)
{
    unsigned int count;
    const struct mrl_right *rights = mrl_doctor__rights(&count);

    printf("\nRights ('setcap cap_bpf,cap_perfmon+ep PROGRAM' gives them, or run as root)\n");
    for (unsigned int i = 0; i < count; i++)
        print_finding(rights[i].name, mrl_right__is_held(&rights[i]) ? "held" : "not held",
                      rights[i].doc);
}

static void print_advisories(void)
{
    const struct mrl_advisory *advisory;

    for (unsigned int i = 0; (advisory = mrl_doctor__advisory(host().release, i)); i++)
        printf("%s  %s\n",
               i ? "" : "\nAdvisories: what the version says; a distribution may have mended it\n",
               advisory->text);
}

void mrl_doctor__print(const struct mrl_doctor *doctor)
{
    print_setups(doctor);
    print_choices(doctor);
    print_facts();
    print_rights();
    mrl_found_runtimes__print(&doctor->runtimes);
    print_advisories();
}

/* -- for programs ----------------------------------------------------------------------------- */

static json_t *json_spread(const struct mrl_samples *samples)
{
    if (!samples->count)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:i}", "median", mrl_samples__percentile(samples, MEDIAN),
                     "p10", mrl_samples__percentile(samples, LOW), "p90",
                     mrl_samples__percentile(samples, HIGH), "rounds", (int)samples->count);
}

static json_t *json_setup(const struct mrl_setup *setup)
{
    json_t *seen = json_object();

    for (enum mrl_way_index way = 0; way < MRL_WAY_COUNT; way++)
        json_object_set_new(seen, mrl_way__column(way),
                            json_string(mrl_seen__name(setup->seen[way])));
    return json_pack("{s:s, s:s?, s:b, s:s?, s:o, s:o, s:s}", "rung", setup->rung->name, "beside",
                     is_alone(setup) ? NULL : setup->rung->beside, "works", setup->works, "reason",
                     mrl_setup__reason(setup), "sees", seen, "taxNs", json_spread(&setup->added_ns),
                     "unproven", setup->unproven);
}

static json_t *json_setups(const struct mrl_doctor *doctor)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < doctor->setup_count; i++)
        json_array_append_new(array, json_setup(&doctor->setups[i]));
    return array;
}

static json_t *json_choices(const struct mrl_doctor *doctor)
{
    json_t *object = json_object();

    for (unsigned int i = 0; i < MRL_COVERAGES && doctor->choices[i].coverage; i++)
        json_object_set_new(object, doctor->choices[i].coverage,
                            doctor->choices[i].rung ? json_string(doctor->choices[i].rung)
                                                    : json_null());
    return object;
}

static json_t *json_trial(const struct mrl_trial *trial)
{
    if (!trial->seen)
        return json_null();
    return json_pack("{s:s, s:s, s:b}", "outcome", trial->outcome, "accuracy", trial->accuracy,
                     "targetRight", trial->target_right);
}

static json_t *json_facts(void)
{
    unsigned int count;
    const struct mrl_fact *facts = mrl_doctor__facts(&count);
    json_t *object = json_object();
    char value[64];

    for (unsigned int i = 0; i < count; i++) {
        facts[i].find(value);
        json_object_set_new(object, facts[i].name, json_stringn_nocheck(value, strlen(value)));
    }
    return object;
}

static json_t *json_rights(void)
{
    unsigned int count;
    const struct mrl_right *rights = mrl_doctor__rights(&count);
    json_t *object = json_object();

    for (unsigned int i = 0; i < count; i++)
        json_object_set_new(object, rights[i].name, json_boolean(mrl_right__is_held(&rights[i])));
    return object;
}

static json_t *json_advisories(void)
{
    const struct mrl_advisory *advisory;
    json_t *array = json_array();

    for (unsigned int i = 0; (advisory = mrl_doctor__advisory(host().release, i)); i++)
        json_array_append_new(array, json_string(advisory->text));
    return array;
}

json_t *mrl_doctor__json(const struct mrl_doctor *doctor)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", mrl_version(),
                     "rungs", json_setups(doctor), "getppidNs", json_spread(&doctor->bare_ns),
                     "chosen", json_choices(doctor), "release", json_trial(&doctor->trial), "host",
                     json_facts(), "capabilities", json_rights(), "runtimes",
                     mrl_found_runtimes__json(&doctor->runtimes), "advisories", json_advisories());
}
