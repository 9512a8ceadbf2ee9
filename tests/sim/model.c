#include "sim/model.h"

#include "base/hash.h"
#include "loyalty/v1/update.pb-c.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAILURES_SHOWN = 12 };

void sim_model_fail(struct sim_model *model, const char *format, ...)
{
    if (model->failures++ >= FAILURES_SHOWN) {
        return;
    }
    printf("seed %" PRIu64 ": ", model->world->seed);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

bool sim_model_origin(const struct loy_bus_message *message, struct loy_position *ret)
{
    for (uint32_t i = 0; i < message->header_count; i++) {
        char text[64];
        int topic, partition;
        long long offset;
        struct loy_str value = message->headers[i].value;
        if (!loy_str_equal(message->headers[i].name, LOY_STR("loyald-origin")) || value.len >= sizeof text) {
            continue;
        }
        memcpy(text, value.at, value.len);
        text[value.len] = 0;
        if (sscanf(text, "%d/%d/%lld", &topic, &partition, &offset) != 3) {
            return false;
        }
        *ret = (struct loy_position){(int16_t)topic, partition, offset};
        return true;
    }
    return false;
}

/* --- nothing is out that is not committed (I3) --- */

static bool is_committed(const struct sim_model *model, struct loy_position at)
{
    return at.partition >= 0 && at.partition < model->db->partition_count && at.topic >= 0 &&
           at.topic < (int16_t)model->db->topic_count &&
           model->db->partitions[at.partition].row.next_offset[at.topic] > at.offset;
}

static void update_published(struct sim_model *model, const struct fake_entry *entry)
{
    struct loy_str value = entry->message.value;
    Loyalty__V1__Update *update = loyalty__v1__update__unpack(NULL, value.len, (const uint8_t *)value.at);
    if (!update || !update->member_id) {
        sim_model_fail(model, "I3: a message on the updates' topic is no update");
    } else {
        const struct fake_member *member = fake_db_member(model->db, loy_str(update->member_id));
        if (!member || member->write.row.version < update->version) {
            sim_model_fail(model, "I3: version %" PRId64 " of %s was published before it was committed",
                           update->version, update->member_id);
        }
    }
    if (update) {
        loyalty__v1__update__free_unpacked(update, NULL);
    }
}

void sim_model_published(struct sim_model *model, uint16_t topic, const struct fake_entry *entry)
{
    struct loy_str name = model->broker->topics[topic].name;
    struct loy_position origin;
    if (loy_str_equal(name, LOY_STR("updates"))) {
        update_published(model, entry);
    } else if (topic == model->internal_topic) {
        if (!sim_model_origin(&entry->message, &origin)) {
            sim_model_fail(model, "I1: a forwarded record does not say where it came from");
        } else if (!is_committed(model, origin)) {
            sim_model_fail(model, "I3: record %d/%d@%" PRId64 " was forwarded before that was committed", origin.topic,
                           origin.partition, origin.offset);
        }
    }
}

/* --- published updates of one member (I3) --- */

static void check_balances(struct sim_model *model, const Loyalty__V1__Update *update,
                           const struct sim_expected_balance *expected)
{
    const Loyalty__V1__BalanceUpdate *balance =
        update->kind_case == LOYALTY__V1__UPDATE__KIND_BALANCE ? update->balance : NULL;
    if (!balance || balance->n_wallets != expected->wallet_count) {
        sim_model_fail(model, "update %" PRId64 " of %s has not the programme's wallets", update->version,
                       update->member_id);
        return;
    }
    const struct loy_programme *newest = model->published->programmes[model->published->count - 1];
    for (uint16_t w = 0; w < expected->wallet_count; w++) {
        const Loyalty__V1__WalletBalance *wallet = balance->wallets[w];
        if (!wallet->wallet || !loy_str_equal(loy_str(wallet->wallet), newest->wallets[w].id) ||
            wallet->available != expected->available[w] || wallet->pending != expected->pending[w] ||
            wallet->reserved != 0) {
            sim_model_fail(model,
                           "update %" PRId64 " of %s, wallet %u: %" PRId64 " available, %" PRId64
                           " pending; expected %" PRId64 ", %" PRId64,
                           update->version, update->member_id, w, wallet->available, wallet->pending,
                           expected->available[w], expected->pending[w]);
        }
    }
}

/* One message as a subscriber sees it who keeps the higher version. Returns the version kept. */
static int64_t take_update(struct sim_model *model, struct loy_str member_id, struct loy_str value,
                           const struct sim_expected_balance *versions, int64_t last, int64_t kept)
{
    Loyalty__V1__Update *update = loyalty__v1__update__unpack(NULL, value.len, (const uint8_t *)value.at);
    if (!update || !update->member_id || !loy_str_equal(loy_str(update->member_id), member_id) ||
        update->incarnation != 1) {
        sim_model_fail(model, "I3: a message keyed %.*s is no update of that member", LOY_STR_ARG(member_id));
    } else if (update->version < 1 || update->version > last) {
        sim_model_fail(model, "I3: version %" PRId64 " of %s was published and is not in the ledger", update->version,
                       update->member_id);
    } else {
        check_balances(model, update, &versions[update->version]);
        if (update->version > kept + 1) {
            sim_model_fail(model, "I3: after version %" PRId64 " of %s comes %" PRId64, kept, update->member_id,
                           update->version);
        }
        kept = update->version > kept ? update->version : kept;
    }
    if (update) {
        loyalty__v1__update__free_unpacked(update, NULL);
    }
    return kept;
}

static int find_topic(const struct fake_broker *broker, struct loy_str name)
{
    for (int i = 0; i < broker->topic_count; i++) {
        if (loy_str_equal(broker->topics[i].name, name)) {
            return i;
        }
    }
    return -1;
}

static int64_t version_of(struct loy_str value)
{
    Loyalty__V1__Update *update = loyalty__v1__update__unpack(NULL, value.len, (const uint8_t *)value.at);
    int64_t version = update ? update->version : -1;
    if (update) {
        loyalty__v1__update__free_unpacked(update, NULL);
    }
    return version;
}

static void check_latest_balance(struct sim_model *model, struct loy_str member_id, int32_t k, int64_t last)
{
    int topic = find_topic(model->broker, LOY_STR("balances"));
    if (topic < 0) {
        return;
    }
    const struct fake_log *log = &model->broker->topics[topic].logs[k];
    for (int64_t i = log->end - 1; i >= 0; i--) {
        if (loy_str_equal(log->entries[i].message.key, member_id)) {
            int64_t version = version_of(log->entries[i].message.value);
            /* A zombie that comes at once is too young to be refused: the topic may hold it until the next update. */
            if (version != last && !log->entries[i].is_zombie) {
                sim_model_fail(model, "I3: the latest balance of %.*s is version %" PRId64 ", the ledger's %" PRId64,
                               LOY_STR_ARG(member_id), version, last);
            }
            return;
        }
    }
    if (last > 0) {
        sim_model_fail(model, "I3: no latest balance of %.*s", LOY_STR_ARG(member_id));
    }
}

void sim_model_check_updates(struct sim_model *model, const struct fake_member *member,
                             const struct sim_expected_balance *versions, int64_t last)
{
    struct loy_str member_id = member->write.row.member_id;
    int32_t k = loy_partition_of(member_id, model->broker->partitions);
    int topic = find_topic(model->broker, LOY_STR("updates"));
    int64_t kept = 0;
    const struct fake_log *log = topic < 0 ? NULL : &model->broker->topics[topic].logs[k];
    for (int64_t i = 0; log && i < log->end; i++) {
        if (loy_str_equal(log->entries[i].message.key, member_id)) {
            kept = take_update(model, member_id, log->entries[i].message.value, versions, last, kept);
        }
    }
    if (kept != last) {
        sim_model_fail(model, "I3: %.*s is at version %" PRId64 " and %" PRId64 " is the last published",
                       LOY_STR_ARG(member_id), last, kept);
    }
    check_latest_balance(model, member_id, k, last);
}

/* --- all of it --- */

struct position_bytes {
    int64_t offset;
    int32_t partition;
    int32_t topic;
};

int32_t sim_model_row_at(const struct sim_model *model, struct loy_position at)
{
    struct position_bytes bytes = {at.offset, at.partition, at.topic};
    return sim_map_find(&model->row_of_position, (struct loy_str){(const char *)&bytes, sizeof bytes});
}

static void index_journal(struct sim_model *model)
{
    for (uint32_t i = 0; i < model->db->journal_count; i++) {
        const struct loy_journal_row *row = &model->db->journal[i];
        struct loy_position at = {row->from.topic, row->from.partition, row->from.offset};
        struct position_bytes bytes = {at.offset, at.partition, at.topic};
        if (sim_model_row_at(model, at) >= 0) {
            sim_model_fail(model, "I1: record %d/%d@%" PRId64 " stands in the journal twice", at.topic, at.partition,
                           at.offset);
        }
        sim_map_put(&model->row_of_position,
                    sim_copy(&model->world->pool, (struct loy_str){(const char *)&bytes, sizeof bytes}), (int32_t)i);
    }
}

void sim_model_check(struct sim_model *model)
{
    index_journal(model);
    if (model->db->stale_commits > 0) {
        sim_model_fail(model, "%" PRIu64 " commits stand whose owner was not the last to acquire",
                       model->db->stale_commits);
    }
    sim_model_check_outcomes(model);
    sim_model_check_dead_letters(model);
    sim_model_check_budgets(model);
    sim_model_check_ledger(model);
    free(model->budgeted);
    sim_map_fini(&model->row_of_position);
    sim_map_fini(&model->first_of_identity);
}
