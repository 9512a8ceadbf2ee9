#include "ctl/load_state.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORM "loyalctl load 1: size %" SCNd64 " pass %" SCNd64 " offset %" SCNd64 " records %" SCNu64 "\n"

enum { PATH_MAX_BYTES = 4096 };

enum loy_err loy_load_state_read(const char *path, struct loy_load_state *ret_state, bool *ret_found,
                                 struct loy_error *error)
{
    struct loy_load_state state;
    FILE *in = fopen(path, "re");
    *ret_found = in != NULL;
    if (!in) {
        return errno == ENOENT
                   ? LOY_OK
                   : loy_error_set(error, LOY_ERR_CONFIG, "--resume: %s cannot be read: %s", path, strerror(errno));
    }
    int fields = fscanf(in, FORM, &state.size, &state.pass, &state.offset, &state.records); // NOLINT(cert-err34-c)
    (void)fclose(in);
    if (fields != 4) {
        return loy_error_set(error, LOY_ERR_CONFIG, "--resume: %s is not a place that `loyalctl load` kept", path);
    }
    *ret_state = state;
    return LOY_OK;
}

enum loy_err loy_load_state_write(const char *path, const struct loy_load_state *state, struct loy_error *error)
{
    char fresh[PATH_MAX_BYTES];
    int length = snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *out = length > 0 && (size_t)length < sizeof fresh ? fopen(fresh, "we") : NULL;
    bool failed = !out;
    if (out) {
        (void)fprintf(out, FORM, state->size, state->pass, state->offset, state->records);
        failed = ferror(out) != 0;
        failed = fclose(out) != 0 || failed;
    }
    if (failed || rename(fresh, path) != 0) {
        return loy_error_set(error, LOY_ERR_UNAVAILABLE, "--resume: %s cannot be written: %s", path, strerror(errno));
    }
    return LOY_OK;
}

bool loy_underway_is_full(const struct loy_underway *underway)
{
    return underway->sent - underway->acked >= LOY_UNDERWAY_MAX;
}

uint64_t loy_underway_add(struct loy_underway *underway, int64_t pass, int64_t end)
{
    assert(!loy_underway_is_full(underway));
    uint64_t number = ++underway->sent;
    underway->records[number % LOY_UNDERWAY_MAX].pass = pass;
    underway->records[number % LOY_UNDERWAY_MAX].end = end;
    underway->records[number % LOY_UNDERWAY_MAX].acked = false;
    return number;
}

void loy_underway_acknowledge(struct loy_underway *underway, uint64_t number, struct loy_load_state *state)
{
    assert(number > underway->acked && number <= underway->sent);
    underway->records[number % LOY_UNDERWAY_MAX].acked = true;
    while (underway->acked < underway->sent && underway->records[(underway->acked + 1) % LOY_UNDERWAY_MAX].acked) {
        underway->acked++;
        state->pass = underway->records[underway->acked % LOY_UNDERWAY_MAX].pass;
        state->offset = underway->records[underway->acked % LOY_UNDERWAY_MAX].end;
        state->records++;
    }
}
