/* Customers: what back ends publish in a simulated run, right and wrong, and the truth about each record.
 *
 * The truth is written down when a record is made and never decoded again, so that the model shares no code with what
 * it judges. One thread. Used by sim_main.c and model.c. */
#ifndef LOY_TESTS_SIM_CUSTOMERS_H
#define LOY_TESTS_SIM_CUSTOMERS_H

#include "engine/programme.h"
#include "sim/fake_bus.h"
#include "sim/fake_store.h"

enum sim_class {
    SIM_EVENT, /* decided, unless it is a repeat */
    SIM_TICK,
    SIM_TOMBSTONE, /* ignored */
    SIM_NO_MEMBER, /* ignored */
    SIM_PREVIEW,   /* ignored */
    SIM_BROKEN,    /* rejected where it stands */
    SIM_REFUSED,   /* rejected by the rules: no rate for its currency */
    SIM_POISONOUS, /* rejected by the store */
};

struct sim_line {
    const char *sku;
    const char *category;
    int64_t amount_minor;
};

enum { SIM_LINES_MAX = 4 };

struct sim_record {
    struct loy_position at; /* where it was published */
    int64_t timestamp_us;   /* the broker's */
    enum sim_class class;
    int32_t home; /* the partition of its member */
    struct loy_str member_id;
    bool is_purchase;
    const char *source, *event_id;
    const char *order_id;
    int64_t occurred_at_us;
    bool is_historical;
    bool is_correction; /* of a record that was rejected */
    struct sim_line lines[SIM_LINES_MAX];
    uint32_t line_count;
    int64_t tick_due_us;
    struct loy_bus_message message;
};

struct sim_customers {
    struct sim_world *world;
    struct fake_broker *broker;
    const struct loy_programme *programme;
    uint16_t customer_topics; /* the first ones; then internal, then ticks */
    uint32_t member_count;
    bool misbehave;
    struct sim_record *records;
    uint32_t record_count, record_capacity;
    uint32_t next_id;
    struct sim_map positions; /* of records */
};

/* The event that the fake store refuses to store carries this. */
#define SIM_POISON "p01s0n"

void sim_customers_init(struct sim_customers *customers, struct sim_world *world, struct fake_broker *broker,
                        const struct loy_programme *programme, uint16_t customer_topics);
void sim_customers_fini(struct sim_customers *customers);
/* One more record, or a gap. */
void sim_customers_publish(struct sim_customers *customers);
/* What the scheduler does: a tick for accounts that are due by its clock, repeated and early ones too. */
void sim_customers_tick(struct sim_customers *customers, const struct fake_db *db, bool all);
/* The record published at a position; NULL when there is none. */
const struct sim_record *sim_customers_at(const struct sim_customers *customers, struct loy_position at);
/* The programmes that runs are made with: all times are short, so that a run of minutes sees points come and go. */
const struct loy_programme *sim_programme(uint32_t i);
/* What a marketer publishes next: other points, other bounds of what is late, now and then a wallet more. */
const struct loy_programme *sim_next_programme(struct sim_world *world, const struct loy_programme *before);

#endif
