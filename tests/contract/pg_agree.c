/* Asks the adapter to agree on an installation, for tests/integration/test_store.py:
 *   pg_agree CONNINFO create|check TOPIC,TOPIC,… PARTITIONS GROUP
 * Prints what came of it; exit status 1 with `name: sentence` for an error. */
#include "adapters/pg/installation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPICS = 16 };

int main(int argc, char **argv)
{
    if (argc != 6) {
        return 2;
    }
    struct loy_str topics[TOPICS];
    struct loy_installation wanted = {.topics = topics};
    for (char *topic = strtok(argv[3], ","); topic && wanted.topic_count < TOPICS; topic = strtok(NULL, ",")) {
        topics[wanted.topic_count++] = loy_str(topic);
    }
    wanted.partitions = (int32_t)strtol(argv[4], NULL, 10);
    wanted.group = loy_str(argv[5]);
    struct loy_installation_state state;
    struct loy_error error;
    enum loy_err err = loy_installation_agree(argv[1], &wanted, strcmp(argv[2], "create") == 0, &state, &error);
    if (err) {
        printf("%s: %s\n", loy_err_name(err), error.detail);
        return 1;
    }
    printf("incarnation %d, revision %d, %s\n", state.incarnation, state.newest_revision,
           state.created ? "created" : "found");
    return 0;
}
