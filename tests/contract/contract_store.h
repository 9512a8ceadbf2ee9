/* Contract of the store port: histories that every implementation must pass, with the same results.
 *
 * Linked with the real adapter (contract_store_pg.c) and with the simulated one. */
#ifndef LOY_TESTS_CONTRACT_STORE_H
#define LOY_TESTS_CONTRACT_STORE_H

#include "ports/store.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONTRACT_PARTITIONS = 8, CONTRACT_TOPICS = 3, CONTRACT_COUNTERS = 3 };

/* What a test needs beyond the port. Optional functions may be NULL: their histories are skipped, and say so. */
struct loy_store_maker {
    void *self;
    /* Empty tables, but for partitions 0 … CONTRACT_PARTITIONS − 1 of CONTRACT_TOPICS topics, at offset 0, and
     * programme revision 1, and counters 1 … CONTRACT_COUNTERS, unused. No store is open then. */
    void (*reset)(void *self);
    /* One more client of the same data; close frees it. */
    struct loy_store (*open)(void *self);
    void (*close)(void *self, struct loy_store store);
    /* Publishes a programme revision. */
    void (*add_revision)(void *self, int32_t number, int64_t from_us);
    /* Lets a little time pass between polls; NULL: poll(2) on what the store says. */
    void (*pass_time)(void *self, const struct loy_store *store);
    /* Optional: a client that stopped in the middle of its pipeline and holds the row of partition k. has_ended: the
     * store ended it; it frees the client too. */
    void *(*stall)(void *self, int32_t k);
    bool (*has_ended)(void *self, void *stalled);
    /* Optional: from now on requests arrive and are executed, but replies are lost, and the connection with them. */
    void (*lose_replies)(void *self, bool lost);
    /* Optional: the server is away, or back. */
    void (*take_away)(void *self, bool away);
    /* Optional: nothing passes in either direction, or everything again; the store's time-out is a few seconds. */
    void (*swallow)(void *self, bool swallowed);
    /* Text that is no text (U+0000, broken UTF-8) is refused as poison. */
    bool refuses_bad_text;
};

/* Runs all histories; the number that failed. Prints as cmocka does. */
int contract_store_run(const struct loy_store_maker *maker);

/* For the histories: the result of what was submitted; and those of contract_counters.c. */
struct loy_store_result contract_store_wait(const struct loy_store_maker *maker, const struct loy_store *store);
int contract_counters_run(const struct loy_store_maker *maker);

#endif
