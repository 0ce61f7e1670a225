// SPDX-License-Identifier: Apache-2.0
/* What --output may say. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/run/outputs.h"
#include "command/run/record.h"
#include "unit/unit.h"

static void outputs_accept_specs(void **state)
{
    static const char *const specs[] = {
        "json",
        "table",
        "none",
        "json-v0.23",
        "json:stdout",
        "json:/dev/null",
        "json:a",
        "table:/a/b:c",
        "json-v0.23:relative",
        "table:stdout",
        "json,policy=block:/a",
        "json,queue=1M",
        "table,policy=drop-newest,queue=64K:/a,b=c",
        "json:/dev/stdout",
        "json:/dev/stdout.json",
        "json:./stdout",
        "json:./a:b",
        "json:../a:b",
        "json:a/b:c",
        "json:stdout.json",
        "json:stdout/f",
        "json:a b",
        "json:file:/a",
        "json:file:///a",
        "json:file:a:b",
        "json:file:stdout",
        "none,policy=block",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        if (mrl_outputs__add(&outputs, specs[i], &error))
            fail_case("%s: %s", specs[i], error.text);
        assert_int_equal(outputs.count, 1);
        assert_ptr_equal(outputs.specs[0].options.name, specs[i]);
    }
}

struct refused {
    const char *spec, *text;
};

static void standard_output_has_a_path_too(void **state)
{
    struct mrl_outputs outputs = { .count = 0 };

    (void)state;
    assert_int_equal(mrl_outputs__add(&outputs, "json:/dev/stdout", NULL), 0);
    assert_string_equal(outputs.specs[0].options.sink->name, "stdout");
}

static void a_url_stands_behind_its_scheme(void **state)
{
    static const struct {
        const char *spec, *sink, *destination;
    } cases[] = {
        { "otlp", "otlp", "http://localhost:4318" },
        { "otlp:otlp+http://h:1/p", "otlp", "http://h:1/p" },
        { "otlp,compress=none:otlp+grpcs://h", "otlp", "grpcs://h" },
        { "json:webhook+http://h/x", "webhook", "http://h/x" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        if (mrl_outputs__add(&outputs, cases[i].spec, &error))
            fail_case("%s: %s", cases[i].spec, error.text);
        assert_string_equal(outputs.specs[0].options.sink->name, cases[i].sink);
        assert_string_equal(outputs.specs[0].options.destination, cases[i].destination);
    }
}

static void assert_all_are_refused(const struct refused *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        if (mrl_outputs__add(&outputs, cases[i].spec, &error) != -EINVAL ||
            !strstr(error.text, cases[i].text) || strchr(error.text, '\n'))
            fail_case("%s: %s", cases[i].spec, error.text);
        assert_int_equal(outputs.count, 0);
        assert_int_equal(mrl_outputs__add(&outputs, cases[i].spec, NULL), -EINVAL);
    }
}

static void outputs_refuse_specs_with_one_line(void **state)
{
    static const struct refused cases[] = {
        { "", "unknown format ''" },
        { ":stdout", "unknown format ''" },
        { "jsn", "unknown format 'jsn': did you mean 'json'?" },
        { "tabel:/a", "unknown format 'tabel': did you mean 'table'?" },
        { "/tmp/a", "'/tmp/a' is no format: one stands first, as json:/tmp/a" },
        { "stdout", "'stdout' is no format: one stands first, as json:stdout" },
        { "kafka://h/t", "'kafka://h/t' is no format: one stands first, as json:kafka://h/t" },
        { "webhook+http://h", "is no format: one stands first, as json:webhook+http://h" },
        { "json:", "'json:' names no destination after the colon" },
        { "none:", "'none:' names no destination after the colon" },
        { "none:/a", "format none takes no destination" },
        { "none:stdout", "format none takes no destination" },
        { "json,policy=blck:/a", "unknown policy 'blck': did you mean 'block'?" },
        { "json,polcy=block:/a", "unknown output setting 'polcy': did you mean 'policy'?" },
        { "json,policy:/a", "policy= needs a value" },
        { "json,queue=1:/a", "queue=: '1' is not between 32K and 1G" },
        { "json,queue=2G:/a", "queue=: '2G' is not between 32K and 1G" },
        { "json,queue=many:/a", "'many' is not a size" },
        { "json,:/a", "known are policy, queue" },
        { "json,", "unknown output setting ''" },
        { "a-format-whose-name-is-longer-than-any:/a", "is no FORMAT[:DESTINATION]" },
    };

    (void)state;
    assert_all_are_refused(cases, COUNT_OF(cases));
}

/* Each would have been a file of that name. */
static void outputs_refuse_what_looks_like_no_path(void **state)
{
    static const struct refused cases[] = {
        { "json:amqp://h/t", "unknown destination 'amqp:'" },
        { "json:kafka", "did you mean 'kafka://'?" },
        { "json:webhok+https://h/p", "unknown destination 'webhok+': did you mean 'webhook+'?" },
        { "json:KAFKA://h/t", "did you mean 'kafka://'?" },
        { "json:kafka://h", "names no topic: kafka://BROKER/TOPIC" },
        { "json:kafka://h/", "'' is no name of a topic" },
        { "json:kafka://h/a:b", "'a:b' is no name of a topic" },
        { "json:kafka://h/t/u", "'t/u' is no name of a topic" },
        { "json:kafka://h,/t", "names no HOST or HOST:PORT" },
        { "json:kafka://h:1,h:x/t", "'h:x/t' names no HOST or HOST:PORT" },
        { "json:kafka://me:secret@h/t", "say user= and password-file=" },
        { "table:kafka://h/t", "kafka takes events, not table" },
        { "json,ca=/a:kafka://h/t", "ca= and cert= are for TLS" },
        { "json,cert=/a:kafkas://h/t", "cert= and key= come together" },
        { "json,user=me:kafkas://h/t", "user= and password-file= come together" },
        { "json,mechanism=scram-sha-256:kafkas://h/t", "mechanism= wants user=" },
        { "json,compress=lz5:kafka://h/t", "did you mean 'lz4'?" },
        { "json:kafka:h", "A file of that name is './kafka:h'" },
        { "json:http://h/", "known are file:, stdout" },
        { "json:a:b", "A file of that name is './a:b'" },
        { "json:/a,policy=block",
          "settings stand before the destination, as in 'policy=block:/a'" },
        { "json:/a,b,rotate=1M", "as in 'rotate=1M:/a,b'" },
        { "grpc:tcp:127.0.0.1:1,queue=1M", "as in 'queue=1M:tcp:127.0.0.1:1'" },
        { "json,group=no-such-group:/a", "/a: there is no group 'no-such-group'" },
        { "grpc,group=no-such-group:unix:/a", "unix:/a: there is no group 'no-such-group'" },
        { "json::b", "unknown destination ':'" },
        { "json:fil:/x", "did you mean 'file:'?" },
        { "json:stdot:", "did you mean 'stdout'?" },
        { "json:-", "'-' is no destination: did you mean 'stdout'?" },
        { "json:stderr", "did you mean 'stdout'? A file of that name is './stderr'" },
        { "json:STDERR", "did you mean 'stdout'?" },
        { "json:STDOUT", "did you mean 'stdout'?" },
        { "json:stdout,f", "did you mean 'stdout'?" },
        { "json,spool=/s:/a", "spool= is for destinations that acknowledge, and file is none" },
        { "json,spool-size=8M:webhook+http://h/x", "spool-size= wants spool=DIR" },
        { "json,pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:webhook+https://h/x",
          "pin= is no sha256//" },
        { "json,pin=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:webhook+https://h/x",
          "pin= is no sha256//" },
        { "json,pin=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA:webhook+https://h/x",
          "pin= is no sha256//" },
        { "json,spool=/s,spool-size=1M:webhook+http://h/x", "spool-size" },
        { "json,spool=/s,spool-sync=2s:webhook+http://h/x", "spool-sync" },
        { "json:stdout:", "did you mean 'stdout'?" },
        { "json:stdout;f", "did you mean 'stdout'?" },
        { "json:stdout f", "did you mean 'stdout'?" },
        { "json:fd:1", "did you mean 'stdout'?" },
        { "json:file", "did you mean 'file:'?" },
        { "json:FILE:/x", "did you mean 'file:'?" },
        { "json:file:", "nothing follows 'file:'" },
        { "json:file://host/x", "a path begins with one slash" },
        { "json:syslog", "did you mean 'syslog+'" },
        { "json:redis", "unknown destination 'redis'" },
        { "json:Journald", "A file of that name is './Journald'" },
        { "json:unix:/x", "takes no json: did you mean 'grpc:unix:/x'?" },
        { "table:tcp:1.2.3.4:5", "takes no table: did you mean 'grpc:tcp:1.2.3.4:5'?" },
        { "json:systemd", "did you mean 'grpc:systemd'?" },
        { "json:grpc", "did you mean 'grpc:unix:" },
        { "json:grpc:unix:/x", "did you mean 'grpc:unix:" },
        { "json:unix", "did you mean 'grpc:unix:" },
        { "json:otlp+http://h", "takes no json: did you mean 'otlp:otlp+http://h'?" },
        { "otlp:stdout", "'stdout' is no URL of it" },
        { "otlp:otlp+grpc://h/x", "gRPC has its own path" },
        { "json: f", "' f' begins or ends with a blank" },
        { "json:/a/f ", "'/a/f ' begins or ends with a blank" },
        { "json:stdout ", "begins or ends with a blank" },
        { "json: ", "begins or ends with a blank" },
        { "json:/a\nb", "holds a control character" },
        { "json:/a\t", "holds a control character" },
        { "json:\x7f", "holds a control character" },
        { "grpc:unix:/x ", "begins or ends with a blank" },
        { "capture:/a", "'capture' is what --record FILE writes" },
        { "capture", "'capture' is what --record FILE writes" },
    };

    (void)state;
    assert_all_are_refused(cases, COUNT_OF(cases));
}

static void outputs_refuse_two_to_one_destination(void **state)
{
    static const struct {
        const char *first, *second;
        bool same;
    } cases[] = {
        { "json", "table", true },
        { "json", "json:stdout", true },
        { "json:stdout", "table:stdout", true },
        { "json", "json:/dev/stdout", true },
        { "json:/proc/self/fd/1", "json:/dev/fd/1", true },
        { "json:/a", "json:/a", true },
        { "json:/a", "table:/a", true },
        { "json:/a", "json:/b", false },
        { "json", "json:/a", false },
        { "none", "none", false },
        { "none", "json", false },
        { "json", "none", false },
        { "json:/a", "json:file:/a", true },
        { "json:stdout", "json:file:stdout", false },
        { "json:/a", "json:/a.1", true }, /* of which one is rotated over the other */
        { "json:/a.7", "table:/a", true },
        { "json:/a.1", "json:/a.2", false },
        { "json:/%H", "json:/%M", true }, /* at noon */
        { "json:/%H-a", "json:/%H-b", false },
        { "json:/dev/null", "table:/dev/null.1", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        assert_int_equal(mrl_outputs__add(&outputs, cases[i].first, &error), 0);
        if (mrl_outputs__add(&outputs, cases[i].second, &error) != (cases[i].same ? -EINVAL : 0))
            fail_case("%s and %s: %s", cases[i].first, cases[i].second, error.text);
        assert_int_equal(!!strstr(error.text, "two outputs to"), cases[i].same);
    }
}

static void record_accepts_settings_before_its_path(void **state)
{
    static const struct {
        const char *text, *destination;
        bool has_policy;
        enum mrl_policy policy;
        uint64_t queue_bytes;
    } cases[] = {
        { "a", "a", false, MRL_POLICY_BLOCK, 0 },
        { "/a:b,c=d", "/a:b,c=d", false, MRL_POLICY_BLOCK, 0 },
        { "a/b=c:d", "a/b=c:d", false, MRL_POLICY_BLOCK, 0 },
        { "queue=64K:/a", "/a", false, MRL_POLICY_BLOCK, 64 << 10 },
        { "policy=drop-newest:a:b", "a:b", true, MRL_POLICY_DROP_NEWEST, 0 },
        { "policy=drop-oldest,queue=1G:a", "a", true, MRL_POLICY_DROP_OLDEST, 1 << 30 },
        { "rotate=1G,keep=9,warn-space=1G:a", "a", false, MRL_POLICY_BLOCK, 0 },
        { "rotate=1G:/d/%Y%m%dT%H%M%S.cap", "/d/%Y%m%dT%H%M%S.cap", false, MRL_POLICY_BLOCK, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        const struct mrl_output_spec *spec = &outputs.specs[0];
        struct mrl_error error = { "" };

        if (mrl_record__add(&outputs, cases[i].text, &error))
            fail_case("%s: %s", cases[i].text, error.text);
        assert_string_equal(spec->options.destination, cases[i].destination);
        assert_int_equal(spec->has_policy, cases[i].has_policy);
        assert_int_equal(spec->options.policy, cases[i].policy);
        assert_int_equal(spec->options.queue_bytes, cases[i].queue_bytes);
    }
}

static void record_refuses_settings_with_one_line(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        { "", "the path is empty" },
        { "queue=1M:", "the path is empty" },
        { "polcy=block:a", "unknown output setting 'polcy': did you mean 'policy'?" },
        { "policy=blok:a", "unknown policy 'blok': did you mean 'block'?" },
        { "policy=block,queue=7:a", "queue=: '7' is not between 32K and 1G" },
        { "a ", "begins or ends with a blank" },
        { "a\nb", "holds a control character" },
        { "policy=block,:a", "unknown output setting ''" },
        { "rotat=1M:a", "unknown output setting 'rotat': did you mean 'rotate'?" },
        { "rotate=1:a", "rotate=: '1' is less than 4K" },
        { "keep=0:a", "keep=: " },
        { "keep=2:a%Y", "keep= is not for a name with the time" },
        { "a%x", "'%x' is no part of the time" },
        { "/a,rotate=1M", "as in 'rotate=1M:/a'" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mrl_outputs outputs = { .count = 0 };
        struct mrl_error error = { "" };

        assert_int_equal(mrl_record__add(&outputs, cases[i].text, &error), -EINVAL);
        if (!strstr(error.text, cases[i].said))
            fail_case("%s: %s", cases[i].text, error.text);
        assert_int_equal(outputs.count, 0);
    }
}

/* Whether the file is there or not, and whoever wants it. */
static void outputs_refuse_two_spellings_of_one_destination(void **state)
{
    static const struct {
        const char *format, *name;
    } spelled[] = { { "json:", "/a" },         { "json:", "/./a" }, { "json:", "/link/./link/a" },
                    { "json:", "/./link//a" }, { "json:", "/b" },   { "", "//a" } };
    char directory[] = "/tmp/mrelease-test-XXXXXX", specs[COUNT_OF(spelled)][128];
    struct mrl_error error;
    char path[64];

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/link", directory);
    assert_int_equal(symlink(".", path), 0);
    for (size_t i = 0; i < COUNT_OF(spelled); i++)
        snprintf(specs[i], sizeof(specs[i]), "%s%s%s", spelled[i].format, directory,
                 spelled[i].name);
    for (int exists = 0; exists < 2; exists++) {
        struct mrl_outputs outputs = { .count = 0 };

        assert_int_equal(mrl_outputs__add(&outputs, specs[0], &error), 0);
        for (int i = 1; i < 4; i++)
            assert_int_equal(mrl_outputs__add(&outputs, specs[i], &error), -EINVAL);
        assert_non_null(strstr(error.text, "two outputs to "));
        assert_int_equal(mrl_record__add(&outputs, specs[5], &error), -EINVAL);
        assert_int_equal(mrl_outputs__add(&outputs, specs[4], &error), 0);
        snprintf(path, sizeof(path), "%s/a", directory);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    unlink(path);
    snprintf(path, sizeof(path), "%s/link", directory);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
}

static void outputs_are_bounded(void **state)
{
    struct mrl_outputs outputs = { .count = 0 };
    struct mrl_error error;

    (void)state;
    for (int i = 0; i < MRL_OUTPUTS_MAX; i++)
        assert_int_equal(mrl_outputs__add(&outputs, "none", &error), 0);
    assert_int_equal(mrl_outputs__add(&outputs, "none", &error), -EINVAL);
    assert_string_equal(error.text, "more than 16 outputs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_stands_behind_its_scheme),
        cmocka_unit_test(standard_output_has_a_path_too),
        cmocka_unit_test(outputs_accept_specs),
        cmocka_unit_test(outputs_refuse_specs_with_one_line),
        cmocka_unit_test(outputs_refuse_what_looks_like_no_path),
        cmocka_unit_test(outputs_refuse_two_to_one_destination),
        cmocka_unit_test(outputs_refuse_two_spellings_of_one_destination),
        cmocka_unit_test(record_accepts_settings_before_its_path),
        cmocka_unit_test(record_refuses_settings_with_one_line),
        cmocka_unit_test(outputs_are_bounded),
    };

    return cmocka_run_group_tests_name("output specs", tests, NULL, NULL);
}
