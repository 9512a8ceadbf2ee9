/* I2, I4, I6: each member's journal, replayed in its order with a pencil. */
#include "sim/model.h"

#include "base/calendar.h"
#include "base/hash.h"
#include "engine/effects.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "loyalty/v1/event.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

enum { POINTS_MAX = 4096 };

/* Points of one accrual. */
struct accrual {
    uint16_t wallet;
    int64_t points;
    int64_t release_us; /* INT64_MAX: released already */
    int64_t expire_us;  /* INT64_MAX: never */
};

struct pencil {
    struct sim_model *model;
    const struct fake_member *member;
    int64_t clock_us;
    int64_t version;
    struct accrual accruals[POINTS_MAX];
    uint32_t accrual_count;
    struct sim_expected_balance balance;
    /* what one event should have booked: by time, summed by kind and wallet, then the grants one by one */
    int64_t by_time[LOY_ENTRY_EXPIRE + 1][LOY_WALLETS_MAX];
    struct loy_journal_entry grants[16];
    uint32_t grant_count;
};

static int64_t floor_seconds(int64_t us)
{
    int64_t rest = us % LOY_US_PER_SECOND;
    return us - (rest < 0 ? rest + LOY_US_PER_SECOND : rest);
}

static int64_t ceil_seconds(int64_t us)
{
    return -floor_seconds(-us);
}

/* --- time --- */

static int64_t due_of(const struct accrual *accrual)
{
    return accrual->release_us < accrual->expire_us ? accrual->release_us : accrual->expire_us;
}

static int64_t earliest_due(const struct pencil *pencil)
{
    int64_t due_us = INT64_MAX;
    for (uint32_t i = 0; i < pencil->accrual_count; i++) {
        int64_t at = due_of(&pencil->accruals[i]);
        due_us = at < due_us ? at : due_us;
    }
    return due_us;
}

/* Releases and expiries up to the moment. Their order among themselves changes no sum. */
static void pass_time(struct pencil *pencil, int64_t moment_us)
{
    for (uint32_t i = 0; i < pencil->accrual_count;) {
        struct accrual *accrual = &pencil->accruals[i];
        if (accrual->release_us <= moment_us) {
            pencil->by_time[LOY_ENTRY_RELEASE][accrual->wallet] += accrual->points;
            pencil->balance.pending[accrual->wallet] -= accrual->points;
            pencil->balance.available[accrual->wallet] += accrual->points;
            accrual->release_us = INT64_MAX;
        }
        if (accrual->expire_us <= moment_us && accrual->release_us == INT64_MAX) {
            pencil->by_time[LOY_ENTRY_EXPIRE][accrual->wallet] -= accrual->points;
            pencil->balance.available[accrual->wallet] -= accrual->points;
            *accrual = pencil->accruals[--pencil->accrual_count];
            continue;
        }
        i++;
    }
}

/* --- earning --- */

static bool named(struct loy_text_set set, const char *name)
{
    for (uint32_t i = 0; i < set.count; i++) {
        if (loy_str_equal(set.texts[i], loy_str(name))) {
            return true;
        }
    }
    return false;
}

static int64_t eligible_total(const struct loy_rule *rule, const struct sim_record *record)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < record->line_count; i++) {
        const struct sim_line *line = &record->lines[i];
        if (!named(rule->lines.except_skus, line->sku) && !named(rule->lines.except_categories, line->category)) {
            total += line->amount_minor;
        }
    }
    return total;
}

static int64_t share(int64_t points, int64_t total, int64_t per, enum loy_rounding rounding)
{
    int64_t whole = points * total / per, rest = points * total % per;
    switch (rounding) {
    case LOY_ROUND_FLOOR:
        return whole;
    case LOY_ROUND_CEIL:
        return whole + (rest > 0);
    case LOY_ROUND_HALF_EVEN:
        break;
    }
    return whole + (2 * rest > per || (2 * rest == per && whole % 2 == 1));
}

int64_t sim_model_points(const struct loy_rule *rule, const struct sim_record *record)
{
    int64_t total = eligible_total(rule, record);
    if (!record->is_purchase || total < rule->minimum_minor) {
        return 0;
    }
    return rule->reward.prorata ? share(rule->reward.points, total, rule->reward.per, rule->reward.rounding)
                                : total / rule->reward.per * rule->reward.points;
}

static void earn(struct pencil *pencil, const struct loy_programme *programme, const struct loy_journal_row *row,
                 const struct sim_record *record, int64_t earned_us, int64_t moment_us)
{
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        const struct loy_rule *rule = &programme->rules[i];
        const struct loy_wallet *wallet = &programme->wallets[rule->reward.wallet];
        int64_t points = rule->budget ? pencil->model->budgeted[row - pencil->model->db->journal][i]
                                      : sim_model_points(rule, record);
        if (points == 0) {
            continue;
        }
        struct accrual accrual = {rule->reward.wallet, points, ceil_seconds(earned_us + wallet->pending.us),
                                  wallet->expiry.after.us ? floor_seconds(earned_us + wallet->expiry.after.us)
                                                          : INT64_MAX};
        bool pending = wallet->pending.us > 0 && accrual.release_us > moment_us;
        if (!pending) {
            accrual.release_us = INT64_MAX;
        }
        *(pending ? &pencil->balance.pending[rule->reward.wallet] : &pencil->balance.available[rule->reward.wallet]) +=
            points;
        pencil->grants[pencil->grant_count++] =
            (struct loy_journal_entry){.kind = pending ? LOY_ENTRY_EARN_PENDING : LOY_ENTRY_EARN,
                                       .wallet = (int16_t)rule->reward.wallet,
                                       .amount = points,
                                       .rule = rule->number};
        if (pencil->accrual_count < POINTS_MAX) {
            pencil->accruals[pencil->accrual_count++] = accrual;
        }
    }
}

/* --- one event --- */

static void check_entries(struct pencil *pencil, const struct loy_journal_row *row)
{
    uint32_t grant = 0;
    struct loy_str name = pencil->member->write.row.member_id;
    for (uint32_t i = 0; i < row->entry_count; i++) {
        const struct loy_journal_entry *entry = &row->entries[i];
        if (entry->kind == LOY_ENTRY_RELEASE || entry->kind == LOY_ENTRY_EXPIRE) {
            pencil->by_time[entry->kind][entry->wallet] -= entry->amount;
            continue;
        }
        const struct loy_journal_entry *wanted = grant < pencil->grant_count ? &pencil->grants[grant++] : NULL;
        if (!wanted || wanted->kind != entry->kind || wanted->wallet != entry->wallet ||
            wanted->amount != entry->amount || wanted->rule != entry->rule || entry->funder != 0) {
            sim_model_fail(pencil->model,
                           "I4: %.*s event %" PRId64 ": entry kind %d wallet %d amount %" PRId64
                           ", expected kind %d wallet %d amount %" PRId64,
                           LOY_STR_ARG(name), row->seq, entry->kind, entry->wallet, entry->amount,
                           wanted ? wanted->kind : 0, wanted ? wanted->wallet : 0, wanted ? wanted->amount : 0);
        }
    }
    if (grant != pencil->grant_count) {
        sim_model_fail(pencil->model, "I4: %.*s event %" PRId64 ": %u grants, expected %u", LOY_STR_ARG(name), row->seq,
                       grant, pencil->grant_count);
    }
    for (int kind = LOY_ENTRY_RELEASE; kind <= LOY_ENTRY_EXPIRE; kind++) {
        for (int wallet = 0; wallet < LOY_WALLETS_MAX; wallet++) {
            if (pencil->by_time[kind][wallet] != 0) {
                sim_model_fail(pencil->model, "I6: %.*s event %" PRId64 ": entries of kind %d miss %" PRId64,
                               LOY_STR_ARG(name), row->seq, kind, pencil->by_time[kind][wallet]);
            }
        }
    }
}

/* --- revisions --- */

/* The highest number, of those that stood there, with from <= t. */
static const struct loy_programme *in_force(const struct sim_model *model, uint32_t known, int64_t at_us)
{
    const struct loy_programme *found = model->published->programmes[0];
    for (uint32_t i = 1; i < known; i++) {
        if (model->published->programmes[i]->from_us <= at_us) {
            found = model->published->programmes[i];
        }
    }
    return found;
}

const struct loy_programme *sim_model_revision(const struct sim_model *model, const struct loy_journal_row *row)
{
    uint32_t known = model->db->journal_known[row - model->db->journal];
    const struct loy_programme *then = in_force(model, known, row->occurred_at_us);
    bool is_late =
        row->occurred_at_us < row->arrival_us - then->late.us || row->occurred_at_us > row->arrival_us + then->early.us;
    return is_late ? in_force(model, known, row->arrival_us) : then;
}

static void check_row(struct pencil *pencil, const struct loy_journal_row *row, const struct sim_record *record)
{
    struct sim_model *model = pencil->model;
    int64_t latest_us = record->is_historical ? record->occurred_at_us : record->timestamp_us;
    Loyalty__V1__Event *event = loyalty__v1__event__unpack(NULL, row->event.len, (const uint8_t *)row->event.at);
    if (!event || !event->member_id || !loy_str_equal(loy_str(event->member_id), record->member_id) ||
        (record->class == SIM_EVENT && strcmp(event->event_id, record->event_id) != 0)) {
        sim_model_fail(model, "I4: journal row %d/%d@%" PRId64 " keeps another event", row->from.topic,
                       row->from.partition, row->from.offset);
    }
    if (event) {
        loyalty__v1__event__free_unpacked(event, NULL);
    }
    if (row->arrival_us > latest_us || (model->clocks_were_right && row->arrival_us != latest_us)) {
        sim_model_fail(model, "I4: journal row %d/%d@%" PRId64 " arrived at %" PRId64 ", expected %" PRId64,
                       row->from.topic, row->from.partition, row->from.offset, row->arrival_us, latest_us);
    }
    if (row->revision != sim_model_revision(model, row)->revision || row->engine != LOY_ENGINE_VERSION ||
        row->key.k != record->home || (record->class == SIM_EVENT && row->occurred_at_us != record->occurred_at_us)) {
        sim_model_fail(model, "I4: journal row %d/%d@%" PRId64 " has wrong columns", row->from.topic,
                       row->from.partition, row->from.offset);
    }
}

static void replay_one(struct pencil *pencil, const struct loy_journal_row *row, const struct sim_record *record)
{
    const struct loy_programme *programme = sim_model_revision(pencil->model, row);
    uint16_t wallet_count = pencil->balance.wallet_count;
    pencil->balance.wallet_count = programme->wallet_count > wallet_count ? programme->wallet_count : wallet_count;
    check_row(pencil, row, record);
    memset(pencil->by_time, 0, sizeof pencil->by_time);
    pencil->grant_count = 0;
    int64_t moment_us = row->arrival_us > pencil->clock_us ? row->arrival_us : pencil->clock_us;
    pencil->clock_us = moment_us;
    pass_time(pencil, moment_us);
    bool is_late = record->occurred_at_us < row->arrival_us - programme->late.us ||
                   record->occurred_at_us > row->arrival_us + programme->early.us;
    if (record->is_purchase) {
        earn(pencil, programme, row, record, is_late ? row->arrival_us : record->occurred_at_us, moment_us);
        pass_time(pencil, moment_us); /* what came so late that it has expired already */
    }
    check_entries(pencil, row);
    pencil->version += row->entry_count > 0;
    if (row->version != pencil->version) {
        sim_model_fail(pencil->model, "I3: %.*s event %" PRId64 " has version %" PRId64 ", expected %" PRId64,
                       LOY_STR_ARG(pencil->member->write.row.member_id), row->seq, row->version, pencil->version);
    }
}

/* --- one member --- */

/* As engine/account.h documents it. */
static bool digest_fits(const struct loy_member_row *row)
{
    struct {
        int32_t k, n;
        int64_t seq, version;
    } numbers = {row->k, row->n, row->seq, row->version}; /* little-endian machines only, as those we run on */
    const struct loy_str parts[3] = {row->member_id, {(const char *)&numbers, sizeof numbers}, row->state};
    uint8_t sha256[32];
    loy_sha256_parts(parts, 3, sha256);
    return memcmp(sha256, row->digest.bytes, sizeof row->digest.bytes) == 0;
}

static void check_member(struct pencil *pencil)
{
    struct sim_model *model = pencil->model;
    const struct loy_member_write *write = &pencil->member->write;
    struct loy_str name = write->row.member_id;
    if (write->wallet_count != pencil->balance.wallet_count) {
        sim_model_fail(model, "I2: %.*s has %u wallets", LOY_STR_ARG(name), write->wallet_count);
    }
    for (uint16_t w = 0; w < pencil->balance.wallet_count; w++) {
        if (write->available[w] != pencil->balance.available[w] || write->pending[w] != pencil->balance.pending[w] ||
            write->reserved[w] != 0) {
            sim_model_fail(
                model, "I2: %.*s wallet %u: %" PRId64 " available, %" PRId64 " pending; expected %" PRId64 ", %" PRId64,
                LOY_STR_ARG(name), w, write->available[w], write->pending[w], pencil->balance.available[w],
                pencil->balance.pending[w]);
        }
    }
    if (write->row.version != pencil->version) {
        sim_model_fail(model, "I3: %.*s is at version %" PRId64 ", expected %" PRId64, LOY_STR_ARG(name),
                       write->row.version, pencil->version);
    }
    if (!digest_fits(&write->row)) {
        sim_model_fail(model, "I2: the digest of %.*s is not of its row", LOY_STR_ARG(name));
    }
    if (pencil->member->due_at_us != earliest_due(pencil)) {
        sim_model_fail(model, "I6: %.*s is due at %" PRId64 ", expected %" PRId64, LOY_STR_ARG(name),
                       pencil->member->due_at_us, earliest_due(pencil));
    }
    if (write->row.k != loy_partition_of(name, model->broker->partitions) || write->row.n < 1 ||
        write->row.n >= model->db->partitions[write->row.k].row.next_n) {
        sim_model_fail(model, "%.*s has number %d in partition %d", LOY_STR_ARG(name), write->row.n, write->row.k);
    }
}

/* Journal rows of one member by seq; NULL where one is missing. */
static const struct loy_journal_row **rows_of(struct sim_model *model, const struct loy_member_row *row)
{
    const struct loy_journal_row **rows = sim_alloc(&model->world->pool, ((size_t)row->seq + 1) * sizeof *rows);
    for (uint32_t i = 0; i < model->db->journal_count; i++) {
        const struct loy_journal_row *at = &model->db->journal[i];
        if (at->key.k != row->k || at->key.n != row->n) {
            continue;
        }
        if (at->seq < 1 || at->seq > row->seq || rows[at->seq]) {
            sim_model_fail(model, "I2: %.*s has journal seq %" PRId64 " of %" PRId64 " again or beyond",
                           LOY_STR_ARG(row->member_id), at->seq, row->seq);
            continue;
        }
        rows[at->seq] = at;
    }
    return rows;
}

static void replay_member(struct sim_model *model, const struct fake_member *member)
{
    const struct loy_member_row *row = &member->write.row;
    struct pencil *pencil = calloc(1, sizeof *pencil);
    struct sim_expected_balance *versions = calloc((size_t)row->seq + 2, sizeof *versions);
    const struct loy_journal_row **rows = rows_of(model, row);
    int64_t last_offset[LOY_TOPICS_MAX];
    if (!pencil || !versions) {
        abort();
    }
    memset(last_offset, 0xff, sizeof last_offset);
    pencil->model = model;
    pencil->member = member;
    pencil->clock_us = INT64_MIN;
    for (int64_t seq = 1; seq <= row->seq; seq++) {
        const struct loy_journal_row *at = rows[seq];
        const struct sim_record *record =
            at ? sim_customers_at(model->customers,
                                  (struct loy_position){at->from.topic, at->from.partition, at->from.offset})
               : NULL;
        if (!record || !loy_str_equal(record->member_id, row->member_id)) {
            sim_model_fail(model, "I2: event %" PRId64 " of %.*s is missing or not its own", seq,
                           LOY_STR_ARG(row->member_id));
            continue;
        }
        /* What came straight to its partition is applied in the order of its log. */
        if (at->from.partition == row->k) {
            if (at->from.offset <= last_offset[at->from.topic]) {
                sim_model_fail(model, "I1: %.*s: the order of log %d/%d was not kept", LOY_STR_ARG(row->member_id),
                               at->from.topic, at->from.partition);
            }
            last_offset[at->from.topic] = at->from.offset;
        }
        int64_t version = pencil->version;
        replay_one(pencil, at, record);
        if (pencil->version > version) { /* a wallet more, without points, is no reason for an update */
            versions[pencil->version] = pencil->balance;
        }
    }
    check_member(pencil);
    sim_model_check_updates(model, member, versions, pencil->version);
    free(versions);
    free(pencil);
}

void sim_model_check_ledger(struct sim_model *model)
{
    for (uint32_t i = 0; i < model->db->member_count; i++) {
        replay_member(model, &model->db->members[i]);
    }
    uint64_t rows = 0;
    for (uint32_t i = 0; i < model->db->member_count; i++) {
        rows += (uint64_t)model->db->members[i].write.row.seq;
    }
    if (rows != model->db->journal_count) {
        sim_model_fail(model, "I2: %u journal rows, and members count %" PRIu64, model->db->journal_count, rows);
    }
}
