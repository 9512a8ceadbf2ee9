#include "runtime/failpoint.h"

#ifdef LOY_FAILPOINTS

#include "runtime/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENTRIES_MAX = 16, NAME_MAX_BYTES = 32, SLEEP_S = 2, EXIT_USAGE = 2 };

enum action { ACTION_KILL, ACTION_STOP, ACTION_ERROR, ACTION_SLEEP };

static const char *const action_names[] = {"kill", "stop", "error", "sleep"};

struct entry {
    char name[NAME_MAX_BYTES];
    enum action action;
    unsigned at_pass;
    atomic_uint passes;
};

/* A program of tests only: the points have no object that they could find this in. */
static struct {
    pthread_once_t once;
    struct entry entries[ENTRIES_MAX];
    size_t count;
} points = {.once = PTHREAD_ONCE_INIT};

static bool parse_entry(const char *text, struct entry *entry)
{
    char action[8];
    int fields = sscanf(text, "%31[a-z_]=%7[a-z]@%u", entry->name, action, &entry->at_pass);
    if (fields < 3) {
        entry->at_pass = 1;
    }
    for (size_t i = 0; fields >= 2 && i < sizeof action_names / sizeof *action_names; i++) {
        if (strcmp(action, action_names[i]) == 0) {
            entry->action = (enum action)i;
            return true;
        }
    }
    return false;
}

static void parse(void)
{
    const char *text = getenv("LOY_FAILPOINT");
    char *copy = text ? strdup(text) : NULL;
    char *rest = copy;
    for (char *one; rest && (one = strsep(&rest, ","));) {
        if (points.count == ENTRIES_MAX || !parse_entry(one, &points.entries[points.count++])) {
            fprintf(stderr, "LOY_FAILPOINT: \"%s\" is not point=kill|stop|error|sleep[@pass]\n", one);
            exit(EXIT_USAGE);
        }
    }
    free(copy);
}

static enum loy_err strike(const struct entry *entry)
{
    LOY_WARN("failpoint", LOY_LOG_TEXT("point", entry->name), LOY_LOG_TEXT("action", action_names[entry->action]));
    switch (entry->action) {
    case ACTION_KILL:
        (void)kill(getpid(), SIGKILL);
        break;
    case ACTION_STOP:
        (void)kill(getpid(), SIGSTOP);
        break;
    case ACTION_ERROR:
        return LOY_ERR_UNAVAILABLE;
    case ACTION_SLEEP:
        (void)sleep(SLEEP_S);
        break;
    }
    return LOY_OK;
}

enum loy_err loy_failpoint_pass(const char *name)
{
    enum loy_err err = LOY_OK;
    (void)pthread_once(&points.once, parse);
    for (size_t i = 0; i < points.count; i++) {
        struct entry *entry = &points.entries[i];
        if (strcmp(entry->name, name) == 0 && atomic_fetch_add(&entry->passes, 1) + 1 == entry->at_pass && !err) {
            err = strike(entry);
        }
    }
    return err;
}

#endif
