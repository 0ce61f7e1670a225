// SPDX-License-Identifier: Apache-2.0
/* The modules of sinks: loaded when an output wants one. */
#include "command/run/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sinks/module.h"

enum { MODULES_MAX = 8 };

static struct {
    const char *name; /* NULL: none */
    const struct mrl_module *module;
} loaded[MODULES_MAX];

static struct {
    void (*log)(void *context, enum mrl_log_level level, const char *text);
    void *log_context;
    int *log_level;
    struct mrl_plugin *plugin; /* NULL: not yet, or no more */
    const struct mrl_pipeline *pipeline;
} run;

/* The threads of a module ask for counters, and switch events, while the session closes the plugin:
 * whoever uses it holds this, and it is taken away under it. */
static pthread_mutex_t run_lock = PTHREAD_MUTEX_INITIALIZER;

/* -- what modules ask of the program ------------------------------------------------------ */

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

static int collect(void *context, struct mrl_metrics **ret_metrics)
{
    int err;

    (void)context;
    pthread_mutex_lock(&run_lock);
    err = run.plugin ? mrl_metrics__collect(run.plugin, run.pipeline, ret_metrics) : -ENODEV;
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

static struct mrl_module_program program = {
    .log = log_line,
    .set_log_level = set_log_level,
    .metrics = collect,
    .watch = watch,
};

/* -- loading ---------------------------------------------------------------------------------- */

/* From where the program is: in the build tree, and where both were installed. */
static void *open_module(const char *name, char path[PATH_MAX])
{
    static const char *const places[] = { MRL_MODULE_DIR, "../lib/mrelease" };
    char self[PATH_MAX] = "";
    void *image = NULL;

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0 || !strrchr(self, '/'))
        return NULL;
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; !image && i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(path, PATH_MAX, "%.2000s/%s/%s.so", self, places[i], name);
        if (!access(path, R_OK))
            image = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return image;
}

static const struct mrl_module *load(const char *name, struct mrl_error *error)
{
    char path[PATH_MAX] = "";
    const struct mrl_module *module;
    void *image = open_module(name, path);

    if (!image) {
        const char *why = *path && !access(path, R_OK) ? dlerror() : NULL;

        mrl_error__set(error, -ENOENT, "the module '%s' cannot be loaded: %s: %s", name, path,
                       why ? why : "it is not installed");
        return NULL;
    }
    module = dlsym(image, MRL_MODULE_SYMBOL);
    if (!module || module->version != MRL_MODULE_VERSION) {
        mrl_error__set(error, -EPROTO, "%.200s: a module of another version", path);
        return NULL;
    }
    program.version = mrl_version();
    module->begin(&program);
    return module;
}

static const struct mrl_module *find(const char *name, struct mrl_error *error)
{
    unsigned int i = 0;

    while (i < MODULES_MAX && loaded[i].name && strcmp(loaded[i].name, name) != 0)
        i++;
    if (i == MODULES_MAX) {
        mrl_error__set(error, -ENOSPC, "more than %d modules", MODULES_MAX);
        return NULL;
    }
    if (!loaded[i].module)
        loaded[i].module = load(name, error);
    loaded[i].name = loaded[i].module ? name : NULL;
    return loaded[i].module;
}

const struct mrl_sink_ops *mrl_module__sink(const struct mrl_sink_ops *row, struct mrl_error *error)
{
    const struct mrl_module *module;

    if (!row->module)
        return row;
    module = find(row->module, error);
    return module ? module->sink : NULL;
}

const void *mrl_module__offers(const char *name, struct mrl_error *error)
{
    const struct mrl_module *module = find(name, error);

    return module ? module->offers : NULL;
}

/* -- a run ------------------------------------------------------------------------------------ */

void mrl_modules__begin(void (*log)(void *context, enum mrl_log_level level, const char *text),
                        void *log_context,
                        int *log_level)
{
    run.log = log;
    run.log_context = log_context;
    run.log_level = log_level;
}

void mrl_modules__ready(struct mrl_plugin *plugin, const struct mrl_pipeline *pipeline)
{
    pthread_mutex_lock(&run_lock);
    run.plugin = plugin;
    run.pipeline = pipeline;
    pthread_mutex_unlock(&run_lock);
    for (unsigned int i = 0; plugin && i < MODULES_MAX && loaded[i].module; i++)
        loaded[i].module->ready();
}
