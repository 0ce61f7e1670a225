// SPDX-License-Identifier: Apache-2.0
/* What this host is called, and by which kernel and system it runs. */
#include <mrelease/encode.h>
#include <stdio.h>
#include <string.h>

#include <sys/utsname.h>

/* The first line of a file, without its end; what does not fit is left out. */
static void read_line(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");

    if (!file)
        return;
    if (fgets(text, (int)size, file))
        text[strcspn(text, "\r\n")] = '\0';
    else
        *text = '\0';
    fclose(file);
}

/* NAME=value or NAME="value": nobody quotes more than that in these two. */
static void take(const char *line, const char *name, char *text, size_t size)
{
    size_t length = strlen(name);

    if (strncmp(line, name, length) != 0 || line[length] != '=')
        return;
    line += length + 1;
    line += strspn(line, "\"'");
    snprintf(text, size, "%.*s", (int)strcspn(line, "\"'\r\n"), line);
}

static void read_system(struct mrl_host_identity *identity)
{
    FILE *file = fopen("/etc/os-release", "re");
    char line[256];

    if (!file)
        file = fopen("/usr/lib/os-release", "re");
    if (!file)
        return;
    while (fgets(line, sizeof(line), file)) {
        take(line, "NAME", identity->os_name, sizeof(identity->os_name));
        take(line, "VERSION_ID", identity->os_version, sizeof(identity->os_version));
    }
    fclose(file);
}

void mrl_host_identity__read(struct mrl_host_identity *ret_identity)
{
    struct utsname names;

    *ret_identity = (struct mrl_host_identity){ .name = "" };
    if (!uname(&names)) {
        snprintf(ret_identity->name, sizeof(ret_identity->name), "%s", names.nodename);
        snprintf(ret_identity->kernel, sizeof(ret_identity->kernel), "%s", names.release);
        snprintf(ret_identity->architecture, sizeof(ret_identity->architecture), "%s",
                 names.machine);
    }
    read_line("/proc/sys/kernel/random/boot_id", ret_identity->boot_id,
              sizeof(ret_identity->boot_id));
    read_line("/etc/machine-id", ret_identity->machine_id, sizeof(ret_identity->machine_id));
    read_system(ret_identity);
}
