// SPDX-License-Identifier: Apache-2.0
/*
 * Filters and event set exchanged while calls come in by the hundred thousand: none is lost, and
 * each is judged by one configuration alone. And what of it works without any right.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"
#include "load.h"
#include "swaps.h"

enum { PAGE = SWAP_PAGE, SWAPS = 25, SWAPS_LONG = 100, FLOODERS = 2, NOBODY = 65534 };

static struct mrl_plugin_options options_of(const char *const *texts)
{
    struct mrl_plugin_options options = MRL_PLUGIN_OPTIONS;

    for (; *texts; texts++)
        if (!strncmp(*texts, "pid", 3) || !strncmp(*texts, "exe", 3))
            options.scopes[options.scope_count++] = *texts;
        else
            options.more_events[options.more_event_count++] = *texts;
    return options;
}

static void open_plugin(const char *rung, const char *const *texts)
{
    swap__open(rung, options_of(texts));
}

static int reconfigure(const char *const *texts, struct mrl_error *error)
{
    struct mrl_plugin_options options = options_of(texts);

    return mrl_plugin__reconfigure(swap_plugin, &options, error);
}

static void assert_identity(const char *event)
{
    struct mrl_event_counts counts = swap__counts(event);

    assert_int_equal(counts.refused + counts.suppressed + counts.no_memory + counts.malformed, 0);
}

/* -- under a flood ---------------------------------------------------------------------------- */

/*
 * What a call's serial number makes of it. An address ends in a decimal digit, of which only user
 * space decides; of the lengths the kernel does.
 */
static const uint64_t lengths[] = { 1 * PAGE, 2 * PAGE, 3 * PAGE, 5 * PAGE };
static const unsigned int digits[] = { 1, 2, 5 };
static const uint64_t ranges[] = { 2 * PAGE, 4 * PAGE, 6 * PAGE };

/* Two configurations. Nothing that one accepts by its first half and the other by its second half
 * is wanted by anybody: [1 page, 2], [2 pages, 1], a range of 4 pages, 5 pages. */
static const struct configuration {
    const char *const texts[6];
    uint64_t length, range; /* wanted, and of lengths 3 pages */
    unsigned int digit;     /* wanted, and 5 */
    bool has_mlock2;
} configurations[] = {
    { { "mlock.data.len=8192,12288", "mlock.data.addr=*2,*5", "munlock.data.len>20480",
        "munlock.data.len<28672" },
      2 * PAGE,
      6 * PAGE,
      2,
      false },
    { { "mlock.data.len=4096,12288", "mlock.data.addr=*1,*5", "munlock.data.len>4096",
        "munlock.data.len<12288", "mlock2" },
      1 * PAGE,
      2 * PAGE,
      1,
      true },
};

static struct flooder *flooders;

static void call(unsigned int serial)
{
    const uint64_t address = SWAP_BASE + serial * UINT64_C(10) + digits[serial % 3];

    trigger__native(SYS_mlock, address, lengths[serial / 3 % 4], 0);
    trigger__native(SYS_munlock, address, ranges[serial % 3], 0);
    trigger__native(SYS_mlock2, address, PAGE, 0);
}

static bool is_wanted_by_all(unsigned int serial)
{
    return digits[serial % 3] == 5 && lengths[serial / 3 % 4] == 3 * PAGE;
}

/* By the serial and the generation that an event names, what its configuration says of it. */
static void check_event(const struct mrl_event *event)
{
    const struct configuration *by = &configurations[event->generation % 2];
    struct flooder *flooder = flooders;
    uint64_t address, length;
    unsigned int serial;

    while (flooder < flooders + FLOODERS && (uint32_t)flooder->pid != event->host_process_id)
        flooder++;
    if (flooder == flooders + FLOODERS)
        return;
    assert_int_equal(event->policies, 1);
    assert_true(event->generation >= flooder->generation);
    flooder->generation = event->generation;
    address = event->values[0].unsigned_number;
    length = event->values[1].unsigned_number;
    serial = (unsigned int)((address - SWAP_BASE) / 10);
    if (event->def->index == swap__index_of("mlock")) {
        assert_true(length == 3 * PAGE || length == by->length);
        assert_true(address % 10 == 5 || address % 10 == by->digit);
        if (is_wanted_by_all(serial))
            flooder__saw(flooder, serial);
    } else if (event->def->index == swap__index_of("munlock")) {
        assert_int_equal(length, by->range);
    } else {
        assert_int_equal(event->def->index, swap__index_of("mlock2"));
        assert_true(by->has_mlock2);
    }
}

static char scope[64];

static void add_scope(const char *ret_texts[8], const struct configuration *configuration)
{
    unsigned int count = 0;

    while (configuration->texts[count]) {
        ret_texts[count] = configuration->texts[count];
        count++;
    }
    ret_texts[count++] = scope;
    ret_texts[count] = NULL;
}

/* The first configuration is of an odd generation: from then on they take turns. */
static int configure(int i, struct mrl_error *error)
{
    const char *texts[8];

    add_scope(texts, &configurations[(i + 1) % 2]);
    return reconfigure(texts, error);
}

static void swap_under_load(const char *rung)
{
    const char *texts[8];

    flooders = flooders__start(FLOODERS, "live-swap", call);
    snprintf(scope, sizeof(scope), "pid=%d,%d", flooders[0].pid, flooders[1].pid);
    add_scope(texts, &configurations[1]);
    open_plugin(rung, texts);
    swap__exchange(rung, load__long() ? SWAPS_LONG : SWAPS, configure, check_event);
    assert_identity("mlock");
    assert_identity("munlock");
    assert_identity("mlock2");
    for (int i = 0; i < FLOODERS; i++)
        assert_int_equal(flooder__missing(&flooders[i], is_wanted_by_all), 0);
    swap__close();
    flooders__free();
}

static void each_call_is_judged_by_one_configuration(void **state)
{
    (void)state;
    live__require();
    live__each_rung(swap_under_load);
}

/* -- without rights --------------------------------------------------------------------------- */

static void drop_all(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
        syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _exit(100);
}

/* How many of the events that come now are of this process and have this name. */
static unsigned int shows(const char *name)
{
    struct mrl_batch *batch;
    unsigned int found = 0;
    int count;

    trigger__native(SYS_mlock, 0, PAGE, 0);
    trigger__native(SYS_mlock, 0, 2 * PAGE, 0);
    trigger__native(SYS_munlock, 0, PAGE, 0);
    while ((count = mrl_plugin__next_batch(swap_plugin, SWAP_READ_MS, &batch)) > 0) {
        for (int i = 0; i < count; i++) {
            const struct mrl_event *event = mrl_batch__at(batch, (size_t)i);

            found +=
                event->host_process_id == (uint32_t)getpid() && !strcmp(event->def->name, name);
        }
        mrl_batch__unref(batch);
    }
    return found;
}

#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The number of the first step that is not as it should be; 0: none. */
static int change_without_rights(const char *rung)
{
    /* Perf events are for those who may. */
    bool may_attach = strcmp(rung, "tracepoint") && strcmp(rung, "kprobe");
    struct mrl_error error;
    int err;

    drop_all();
    if (shows("mlock") != 2)
        return 1;
    if (reconfigure(TEXTS("mlock.data.len=8192"), &error) || shows("mlock") != 1)
        return 2;
    err = mrl_plugin__enable(swap_plugin, swap__index_of("munlock"), &error);
    if (may_attach ? err || shows("munlock") != 1 : err != -EPERM && err != -EACCES)
        return 3;
    for (int i = 0; !may_attach && i < 20; i++) /* more than filters are held */
        if (reconfigure(TEXTS("munlock"), &error) != err)
            return 3;
    if (shows("mlock") != 1) /* as before */
        return 4;
    if (mrl_plugin__disable(swap_plugin, swap__index_of("munlock"), &error) || shows("munlock"))
        return 5;
    if (reconfigure(TEXTS("mlock"), &error) || shows("mlock") != 2)
        return 6;
    mrl_plugin__stop(swap_plugin);
    return 0;
}

static void configure_without_rights(const char *rung)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        open_plugin(rung, TEXTS("mlock"));
        _exit(change_without_rights(rung));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status)
        fail_msg("%s: step %d went wrong", rung, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void the_configuration_changes_without_rights(void **state)
{
    (void)state;
    live__require();
    live__each_rung(configure_without_rights);
}

/* -- the caller's executable ------------------------------------------------------------------ */

/* Events that came, and those of them that show the path of this program, or none. */
static unsigned int shown, with_path, without_path;

static const char *own_path(void)
{
    static char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

    assert_true(size > 0);
    path[size] = '\0';
    return path;
}

static void note_path(const struct mrl_event *event)
{
    const char *path = own_path();

    shown++;
    with_path += event->executable.size == strlen(path) &&
                 !memcmp(event->executable.bytes, path, strlen(path));
    without_path += !event->executable.size;
}

static void call_and_read(void)
{
    shown = with_path = without_path = 0;
    trigger__native(SYS_munlock, 0, 0, 0);
    trigger__native(SYS_process_mrelease, (uint64_t)-1, 0, 0);
    swap__read(SWAP_READ_MS, note_path);
}

/* Two calls: with extras, other programs send them. */
static void ask_for_the_executable(const char *rung, uint32_t extras)
{
    const char *pid = live__text("pid=%d", (int)getpid());
    struct mrl_plugin_options options = options_of(TEXTS("munlock,process_mrelease", pid));
    struct mrl_error error;

    options.extras = extras;
    swap__open(rung, options);
    call_and_read();
    assert_int_equal(shown, 2);
    assert_int_equal(without_path, 2);
    assert_int_equal(
        reconfigure(TEXTS("munlock,process_mrelease", pid, live__text("executable=%s", own_path())),
                    &error),
        0);
    call_and_read();
    assert_int_equal(shown, 2);
    assert_int_equal(with_path, 2);
    assert_int_equal(reconfigure(TEXTS("munlock,process_mrelease", pid,
                                       live__text("executable!=%s", own_path())),
                                 &error),
                     0);
    call_and_read();
    assert_int_equal(shown, 0);
    assert_int_equal(reconfigure(TEXTS("munlock,process_mrelease", pid), &error), 0);
    call_and_read();
    assert_int_equal(shown, 2);
    assert_int_equal(without_path, 2);
    swap__close();
}

static void ask_on_a_rung(const char *rung)
{
    uint32_t extras;

    assert_int_equal(mrl_extras__parse("target,mlock", &extras, NULL), 0);
    ask_for_the_executable(rung, 0);
    ask_for_the_executable(rung, extras);
}

static void the_executable_may_be_asked_for_later(void **state)
{
    (void)state;
    live__require();
    live__each_rung(ask_on_a_rung);
}

/* -- what is said ----------------------------------------------------------------------------- */

static void the_stream_says_which_filters_hold(void **state)
{
    struct mrl_error error;
    bool is_said = false;
    struct mrl_batch *batch;
    int count;

    (void)state;
    live__require();
    open_plugin("auto", TEXTS("mlock"));
    assert_int_equal(reconfigure(TEXTS("munlock.retval<0", "sensor_state", "pid=1"), &error), 0);
    while ((count = mrl_plugin__next_batch(swap_plugin, SWAP_READ_MS, &batch)) > 0) {
        for (int i = 0; i < count; i++) {
            const struct mrl_event *event = mrl_batch__at(batch, (size_t)i);

            if (event->def->index == swap__index_of("sensor_state") &&
                strstr(event->values[1].text.bytes,
                       "; events=munlock; filters=munlock.retval<0 scope pid=1"))
                is_said = true;
        }
        mrl_batch__unref(batch);
    }
    assert_true(is_said);
    swap__close();
}

static void what_cannot_be_had_changes_nothing(void **state)
{
    struct mrl_error error;

    (void)state;
    live__require();
    swap__open(NULL, options_of(TEXTS("mlock")));
    assert_int_equal(reconfigure(TEXTS("mlock.retvall<0"), &error), -EINVAL);
    assert_string_equal(error.text, "unknown part of an event 'retvall': did you mean 'retval'?");
    assert_int_equal(reconfigure(TEXTS("mlock,munlock"), &error), -EOPNOTSUPP);
    assert_string_equal(error.text, "munlock was not loaded at the start");
    assert_int_equal(reconfigure(TEXTS("mlock", "executable=/bin/true"), &error), -EOPNOTSUPP);
    assert_string_equal(error.text, "executable: the probes do not read it since the start: it "
                                    "needs a restart");
    assert_int_equal(shows("mlock"), 2);
    assert_int_equal(reconfigure(TEXTS("mlock.data.len=4096"), &error), 0);
    assert_int_equal(shows("mlock"), 1);
    for (int i = 0; i < 20; i++) /* with nothing read in between */
        if (reconfigure(TEXTS("mlock.data.len=8192"), &error))
            break;
    assert_string_equal(error.text, "16 filters are held by events that nobody has read");
    assert_int_equal(shows("mlock"), 1);
    assert_int_equal(reconfigure(TEXTS("mlock"), &error), 0); /* they were given back */
    mrl_plugin__stop(swap_plugin);
    assert_int_equal(reconfigure(TEXTS("mlock"), &error), -ESHUTDOWN);
    swap__close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_TEST(each_call_is_judged_by_one_configuration),
        LIVE_TEST(the_configuration_changes_without_rights),
        LIVE_TEST(the_executable_may_be_asked_for_later),
        LIVE_TEST(the_stream_says_which_filters_hold),
        LIVE_TEST(what_cannot_be_had_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
