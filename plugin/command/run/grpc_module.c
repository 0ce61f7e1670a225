// SPDX-License-Identifier: Apache-2.0
/* The module that serves gRPC. */
#include "command/run/grpc_module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "grpc/common/module.h"

static const struct mrl_grpc_module *module;

static struct {
    void (*log)(void *context, enum mrl_log_level level, const char *text);
    void *log_context;
    int *log_level;
    struct mrl_plugin *plugin; /* NULL: not yet, or no more */
} run;

/* A client may ask for counters while the plugin goes. */
static pthread_mutex_t run_lock = PTHREAD_MUTEX_INITIALIZER;

/* -- what the module asks of the program ------------------------------------------------------ */

static void log_line(void *context, enum mrl_log_level level, const char *text)
{
    (void)context;
    if (run.log)
        run.log(run.log_context, level, text);
}

static void set_log_level(void *context, enum mrl_log_level level)
{
    (void)context;
    if (run.log_level)
        __atomic_store_n(run.log_level, (int)level, __ATOMIC_RELAXED);
}

static int counts(void *context, unsigned int event, struct mrl_event_counts *ret_counts)
{
    int err;

    (void)context;
    pthread_mutex_lock(&run_lock);
    err = run.plugin ? mrl_plugin__counts(run.plugin, event, ret_counts) : -ENODEV;
    pthread_mutex_unlock(&run_lock);
    return err;
}

static int watch(void *context, unsigned int event, bool on, struct mrl_error *error)
{
    int err;

    (void)context;
    pthread_mutex_lock(&run_lock);
    if (!run.plugin)
        err = mrl_error__set(error, -ENODEV, "the probes are not there");
    else if (on)
        err = mrl_plugin__enable(run.plugin, event, error);
    else
        err = mrl_plugin__disable(run.plugin, event, error);
    pthread_mutex_unlock(&run_lock);
    return err;
}

static struct mrl_grpc_program program = {
    .log = log_line,
    .set_log_level = set_log_level,
    .counts = counts,
    .watch = watch,
};

/* -- loading ---------------------------------------------------------------------------------- */

/* From where the program is: in the build tree, and where both were installed. */
static void *open_module(char path[PATH_MAX])
{
    static const char *const places[] = { MRL_MODULE_DIR, "../lib/mrelease" };
    char self[PATH_MAX] = "";
    void *image = NULL;

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || !strrchr(self, '/'))
        return NULL;
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; !image && i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, PATH_MAX, "%.2000s/%s/grpc.so", self, places[i]);
        if (!access(path, R_OK))
            image = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return image;
}

const struct mrl_sink_ops *mrl_grpc_module__sink(struct mrl_error *error)
{
    char path[PATH_MAX] = "";
    const char *why;
    void *image;

    if (module)
        return module->sink;
    image = open_module(path);
    if (!image) {
        why = *path && !access(path, R_OK) ? dlerror() : NULL;
        mrl_error__set(error, -ENOENT, "the gRPC module cannot be loaded: %s: %s", path,
                       why ? why : "it is not installed");
        return NULL;
    }
    module = dlsym(image, MRL_GRPC_MODULE_SYMBOL);
    if (!module || module->version != MRL_GRPC_MODULE_VERSION) {
        mrl_error__set(error, -EPROTO, "%.200s: a module of another version", path);
        module = NULL;
        return NULL;
    }
    program.version = mrl_version();
    module->begin(&program);
    return module->sink;
}

const struct mrl_grpc_client *mrl_grpc_module__client(struct mrl_error *error)
{
    return mrl_grpc_module__sink(error) ? module->client : NULL;
}

bool mrl_grpc_module__is_format(const char *format)
{
    return !strcmp(format, "grpc") || !strcmp(format, "grpc-main");
}

int mrl_grpc_module__check(const char *settings, const char *destination, struct mrl_error *error)
{
    return module->check(settings, destination, error);
}

bool mrl_grpc_module__is_output(const char *name)
{
    char format[16];

    snprintf(format, sizeof(format), "%.*s", (int)strcspn(name, ",:"), name);
    return mrl_grpc_module__is_format(format);
}

void mrl_grpc_module__prepare(const char *format, const char *settings)
{
    if (module)
        module->prepare(!strcmp(format, "grpc-main"), settings);
}

void mrl_grpc_module__begin(void (*log)(void *context, enum mrl_log_level level, const char *text),
                            void *log_context,
                            int *log_level)
{
    run.log = log;
    run.log_context = log_context;
    run.log_level = log_level;
}

void mrl_grpc_module__ready(struct mrl_plugin *plugin)
{
    pthread_mutex_lock(&run_lock);
    run.plugin = plugin;
    pthread_mutex_unlock(&run_lock);
    if (module && plugin)
        module->ready();
}
