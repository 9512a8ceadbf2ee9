/* The audit's main part: each member against its journal, its entries, its state and its due row.
 *
 * For each partition three results in the order of n are read side by side: members, sums over the journal by member,
 * sums over the entries by member, wallet and lot. Only one member's numbers are in memory at a time. */
#include "ctl/audit.h"
#include "ctl/audit_state.h"

#include "base/hash.h"

#include <inttypes.h>
#include <stdlib.h>

#define FOUND(m, check, where, expected, found)                                                                        \
    do {                                                                                                               \
        const struct loy_phrase where_ = (where), expected_ = (expected), found_ = (found);                            \
        loy_audit_found((m)->audit, LOY_AUDIT_##check, &where_, &expected_, &found_);                                  \
    } while (0)

enum { SELECT_MAX = 2048, NOTHING = -1 };

/* Columns of the three results. */
enum {
    M_N,
    M_ID,
    M_SEQ,
    M_VERSION,
    M_DIGEST,
    M_AVAILABLE,
    M_PENDING,
    M_RESERVED,
    M_STATE,
    M_DUE_US,
    J_N = 0,
    J_ROWS,
    J_SEQ_MIN,
    J_SEQ_MAX,
    J_SEQ_BAD,
    J_VERSION_MAX,
    J_VERSION_BAD,
    J_SILENT,
    J_REVISION_BAD,
    J_ARRIVAL_US,
    E_N = 0,
    E_WALLET,
    E_LOT,
    E_AVAILABLE,
    E_PENDING,
    E_RESERVED,
    E_COUNT,
    E_BAD,
};

static const char members_select[] =
    "SELECT m.n, m.member_id, m.seq, m.version, m.digest, "
    "m.available, m.pending, m.reserved, m.state, (extract(epoch FROM d.at) * 1000000)::bigint "
    "FROM member m LEFT JOIN due d ON d.k = m.k AND d.n = m.n WHERE m.k = %d ORDER BY m.n";

/* Steps from row to row in the order of seq: of seq always 1, of version 0 or 1, and 1 where there are entries. */
static const char journal_select[] =
    "SELECT n, count(*), min(seq), max(seq), min(seq) FILTER (WHERE seq_step <> 1), max(version), "
    "min(seq) FILTER (WHERE version_step NOT IN (0, 1)), min(seq) FILTER (WHERE version_step = 0 AND moved), "
    "min(seq) FILTER (WHERE NOT known_revision), (extract(epoch FROM max(arrival)) * 1000000)::bigint FROM ("
    "SELECT n, seq, version, arrival, seq - coalesce(lag(seq) OVER w, 0) AS seq_step, "
    "version - coalesce(lag(version) OVER w, 0) AS version_step, coalesce(cardinality(entries), 0) > 0 AS moved, "
    "revision IN (SELECT number FROM programme_revision) AS known_revision "
    "FROM journal WHERE k = %d WINDOW w AS (PARTITION BY n ORDER BY seq)) AS steps GROUP BY n ORDER BY n";

/* Sums are clamped to what a bigint holds: a damaged amount must not end the audit. */
#define CLAMPED(sum) "greatest(least(" sum ", 9223372036854775807), -9223372036854775808)::bigint"
/* clang-format off */
static const char entries_select[] =
    "SELECT j.n, e.wallet::int, e.lot, "
    CLAMPED("sum(e.amount::numeric * ek.available)") ", "
    CLAMPED("sum(e.amount::numeric * ek.pending)") ", "
    CLAMPED("sum(e.amount::numeric * ek.reserved)") ", "
    "count(*), min(j.seq) FILTER (WHERE ek.number IS NULL OR e.amount = 0 OR "
    "((e.amount < 0) IS DISTINCT FROM (ek.name = 'expire') AND ek.name NOT IN ('join', 'join_pending'))) "
    "FROM journal j CROSS JOIN LATERAL unnest(j.entries) AS e LEFT JOIN entry_kind ek ON ek.number = e.kind "
    "WHERE j.k = %d GROUP BY j.n, e.wallet, e.lot ORDER BY j.n, e.wallet, e.lot";
/* clang-format on */

/* What is being looked at. */
struct merge {
    struct loy_audit *audit;
    struct loy_cursor members, journal, entries;
    struct loy_audit_state *state;
    bool state_holds;
    int32_t k;
    int64_t n;
    struct loy_phrase who; /* "member m000017 (k 3, n 41)" */
    int64_t column_available[LOY_AUDIT_WALLETS_MAX], column_pending[LOY_AUDIT_WALLETS_MAX],
        column_reserved[LOY_AUDIT_WALLETS_MAX];
    uint32_t wallets;
};

static int64_t integer(const struct loy_cursor *cursor, int32_t column)
{
    return loy_rows_is_null(&cursor->rows, cursor->row, column) ? NOTHING
                                                                : loy_rows_integer(&cursor->rows, cursor->row, column);
}

static int64_t n_of(const struct loy_cursor *cursor)
{
    return cursor->at_end ? INT64_MAX : loy_rows_integer(&cursor->rows, cursor->row, 0);
}

static enum loy_err open_cursor(struct merge *m, const char *name, const char *select, struct loy_cursor *cursor,
                                struct loy_error *error)
{
    char text[SELECT_MAX];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof text, select, m->k);
#pragma GCC diagnostic pop
    enum loy_err err = loy_cursor_open(m->audit->query, name, text, cursor, error);
    return err ? err : loy_cursor_next(cursor, error);
}

/* --- the journal's numbering ------------------------------------------------------------------------------------- */

static void check_numbering(struct merge *m, bool has_journal)
{
    const struct loy_cursor *member = &m->members, *journal = &m->journal;
    int64_t seq = integer(member, M_SEQ), version = integer(member, M_VERSION);
    int64_t rows = has_journal ? integer(journal, J_ROWS) : 0;
    int64_t seq_max = has_journal ? integer(journal, J_SEQ_MAX) : 0;
    int64_t seq_bad = has_journal ? integer(journal, J_SEQ_BAD) : NOTHING;
    int64_t version_max = has_journal ? integer(journal, J_VERSION_MAX) : 0;
    m->audit->journal_rows += rows;
    if (seq != rows || seq != seq_max || seq_bad != NOTHING) {
        FOUND(m, SEQ, m->who, loy_phrase("journal rows 1 to %" PRId64, seq),
              seq_bad == NOTHING
                  ? loy_phrase("%" PRId64 " rows, the last of them %" PRId64, rows, seq_max)
                  : loy_phrase("%" PRId64 " rows, and %" PRId64 " does not follow the one before it", rows, seq_bad));
    }
    if (version != version_max) {
        FOUND(m, VERSION, m->who, loy_phrase("version %" PRId64 " in its last journal row", version),
              loy_phrase("%" PRId64, version_max));
    }
    if (!has_journal) {
        return;
    }
    if (integer(journal, J_VERSION_BAD) != NOTHING) {
        FOUND(m, VERSION, m->who, loy_phrase("a version that stays or rises by 1"),
              loy_phrase("another step at seq %" PRId64, integer(journal, J_VERSION_BAD)));
    }
    if (integer(journal, J_SILENT) != NOTHING) {
        FOUND(m, VERSION, m->who, loy_phrase("a new version where there are entries"),
              loy_phrase("the old one at seq %" PRId64, integer(journal, J_SILENT)));
    }
    if (integer(journal, J_REVISION_BAD) != NOTHING) {
        FOUND(m, REVISION, m->who, loy_phrase("a revision of the programme"),
              loy_phrase("a number that is none at seq %" PRId64, integer(journal, J_REVISION_BAD)));
    }
    if (m->state_holds && m->state->clock_us < integer(journal, J_ARRIVAL_US)) {
        FOUND(m, CLOCK, m->who, loy_phrase("a clock at or after %" PRId64 " us", integer(journal, J_ARRIVAL_US)),
              loy_phrase("%" PRId64 " us", m->state->clock_us));
    }
}

/* --- balances and lots against the entries ----------------------------------------------------------------------- */

/* Sums over a member's entries while they are read. */
struct sums {
    __int128 available[LOY_AUDIT_WALLETS_MAX], pending[LOY_AUDIT_WALLETS_MAX], reserved[LOY_AUDIT_WALLETS_MAX];
    /* Of lots that are gone, between two that are there. */
    int64_t gone_wallet, gone_first, gone_last;
    uint32_t gone_before;
    __int128 gone;
};

static void close_gone(struct merge *m, struct sums *sums)
{
    if (sums->gone != 0) {
        FOUND(m, LOT_ENTRIES, m->who,
              loy_phrase("nothing left of wallet %" PRId64 "'s lots %" PRId64 " to %" PRId64
                         ", which are not in the state",
                         sums->gone_wallet, sums->gone_first, sums->gone_last),
              loy_phrase("entries that leave %" PRId64, (int64_t)sums->gone));
    }
    sums->gone = 0;
    sums->gone_wallet = NOTHING;
}

static void add_to_lot(struct merge *m, struct sums *sums, int64_t wallet, int64_t lot, int64_t available,
                       int64_t pending)
{
    uint32_t before = 0;
    struct loy_audit_lot *there = loy_audit_state_lot(m->state, (uint32_t)wallet, lot, &before);
    if (there) {
        there->entries_available = (int64_t)((uint64_t)there->entries_available + (uint64_t)available);
        there->entries_pending = (int64_t)((uint64_t)there->entries_pending + (uint64_t)pending);
        return;
    }
    if (sums->gone_wallet != wallet || sums->gone_before != before) {
        close_gone(m, sums);
        sums->gone_wallet = wallet;
        sums->gone_before = before;
        sums->gone_first = lot;
    }
    sums->gone_last = lot;
    sums->gone += (__int128)available + pending;
}

/* One row of entries: a wallet's and lot's sums. */
static void add_entries(struct merge *m, struct sums *sums)
{
    const struct loy_cursor *entries = &m->entries;
    int64_t wallet = integer(entries, E_WALLET), lot = integer(entries, E_LOT);
    int64_t available = integer(entries, E_AVAILABLE), pending = integer(entries, E_PENDING);
    m->audit->entries += integer(entries, E_COUNT);
    if (integer(entries, E_BAD) != NOTHING || wallet < 0 || wallet >= m->wallets) {
        FOUND(m, ENTRY, m->who, loy_phrase("entries of a known kind and wallet, with the sign of their kind"),
              loy_phrase("another one: wallet %" PRId64 ", lot %" PRId64 ", seq %" PRId64, wallet, lot,
                         integer(entries, E_BAD)));
    }
    if (wallet < 0 || wallet >= LOY_AUDIT_WALLETS_MAX) {
        return;
    }
    sums->available[wallet] += available;
    sums->pending[wallet] += pending;
    sums->reserved[wallet] += integer(entries, E_RESERVED);
    if (m->state_holds) {
        if (lot >= m->state->next_lot) {
            FOUND(m, LOT_NUMBER, m->who, loy_phrase("lots below %" PRId64, m->state->next_lot),
                  loy_phrase("an entry of lot %" PRId64, lot));
        }
        add_to_lot(m, sums, wallet, lot, available, pending);
    }
}

static void check_balance(struct merge *m, uint32_t wallet, const char *name, int64_t column, __int128 entries)
{
    if (column != entries) {
        FOUND(m, BALANCE_ENTRIES, m->who,
              loy_phrase("wallet %u %s %" PRId64 " (its entries add up to that)", wallet, name, (int64_t)entries),
              loy_phrase("%" PRId64, column));
    }
    if (column < 0) {
        FOUND(m, NEGATIVE, m->who, loy_phrase("wallet %u %s of at least 0", wallet, name),
              loy_phrase("%" PRId64, column));
    }
}

static void check_state_balance(struct merge *m, uint32_t wallet, const char *name, int64_t state, int64_t column)
{
    if (state != column) {
        FOUND(m, BALANCE_STATE, m->who, loy_phrase("wallet %u %s %" PRId64 " as in its columns", wallet, name, column),
              loy_phrase("%" PRId64 " in the state", state));
    }
}

static void check_wallets(struct merge *m, const struct sums *sums)
{
    __int128 lots_available[LOY_AUDIT_WALLETS_MAX] = {0}, lots_pending[LOY_AUDIT_WALLETS_MAX] = {0};
    for (uint32_t i = 0; m->state_holds && i < m->state->lot_count; i++) {
        const struct loy_audit_lot *lot = &m->state->lots[i];
        (lot->pending ? lots_pending : lots_available)[lot->wallet] += lot->points;
    }
    for (uint32_t i = 0; i < m->wallets; i++) {
        check_balance(m, i, "available", m->column_available[i], sums->available[i]);
        check_balance(m, i, "pending", m->column_pending[i], sums->pending[i]);
        check_balance(m, i, "reserved", m->column_reserved[i], sums->reserved[i]);
        if (!m->state_holds || i >= m->state->wallet_count) {
            continue;
        }
        check_state_balance(m, i, "available", m->state->available[i], m->column_available[i]);
        check_state_balance(m, i, "pending", m->state->pending[i], m->column_pending[i]);
        check_state_balance(m, i, "reserved", m->state->reserved[i], m->column_reserved[i]);
        if (lots_available[i] != m->state->available[i] || lots_pending[i] != m->state->pending[i]) {
            FOUND(m, LOT_SUM, m->who,
                  loy_phrase("lots of wallet %u with %" PRId64 " available and %" PRId64 " pending", i,
                             m->state->available[i], m->state->pending[i]),
                  loy_phrase("%" PRId64 " and %" PRId64, (int64_t)lots_available[i], (int64_t)lots_pending[i]));
        }
    }
}

static void check_lots(struct merge *m)
{
    for (uint32_t i = 0; m->state_holds && i < m->state->lot_count; i++) {
        const struct loy_audit_lot *lot = &m->state->lots[i];
        m->audit->lots++;
        if (lot->entries_available != (lot->pending ? 0 : lot->points) ||
            lot->entries_pending != (lot->pending ? lot->points : 0)) {
            FOUND(m, LOT_ENTRIES, m->who,
                  loy_phrase("lot %" PRId64 " with %" PRId64 " available and %" PRId64 " pending, as its entries say",
                             lot->first, lot->entries_available, lot->entries_pending),
                  loy_phrase("%" PRId64 " %s", lot->points, lot->pending ? "pending" : "available"));
        }
        if (lot->last >= m->state->next_lot) {
            FOUND(m, LOT_NUMBER, m->who, loy_phrase("lots below %" PRId64, m->state->next_lot),
                  loy_phrase("lot %" PRId64, lot->last));
        }
        int64_t due_s = lot->pending ? lot->available_from_s : lot->expires_at_s;
        if ((lot->pending || lot->expires) && due_s <= m->state->clock_us / 1000000 && m->state->clock_us >= 0) {
            FOUND(m, EXPIRED, m->who,
                  loy_phrase("lot %" PRId64 " %s at %" PRId64 " s", lot->first, lot->pending ? "released" : "expired",
                             due_s),
                  loy_phrase("%" PRId64 " points of it still %s at %" PRId64 " us", lot->points,
                             lot->pending ? "pending" : "available", m->state->clock_us));
        }
    }
}

/* --- one member -------------------------------------------------------------------------------------------------- */

static void read_columns(struct merge *m)
{
    const struct loy_cursor *member = &m->members;
    uint32_t available =
        loy_rows_integers(&member->rows, member->row, M_AVAILABLE, m->column_available, LOY_AUDIT_WALLETS_MAX);
    uint32_t pending =
        loy_rows_integers(&member->rows, member->row, M_PENDING, m->column_pending, LOY_AUDIT_WALLETS_MAX);
    uint32_t reserved =
        loy_rows_integers(&member->rows, member->row, M_RESERVED, m->column_reserved, LOY_AUDIT_WALLETS_MAX);
    m->wallets = available < LOY_AUDIT_WALLETS_MAX ? available : LOY_AUDIT_WALLETS_MAX;
    if (available != pending || available != reserved || (m->state_holds && available != m->state->wallet_count)) {
        FOUND(m, BALANCE_STATE, m->who, loy_phrase("as many wallets in each column as in the state"),
              loy_phrase("%u available, %u pending, %u reserved, %u in the state", available, pending, reserved,
                         m->state_holds ? m->state->wallet_count : 0));
        m->wallets = pending < m->wallets ? pending : m->wallets;
        m->wallets = reserved < m->wallets ? reserved : m->wallets;
    }
}

static void put_little_endian(char *at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) {
        at[i] = (char)(uint8_t)(value >> (8 * i));
    }
}

/* Over the row's id, its numbers and its state, each preceded by its length: engine/account.h says so. */
static bool digest_holds(const struct merge *m, struct loy_str id, struct loy_str state, struct loy_str digest)
{
    char numbers[24];
    uint8_t sha256[32];
    put_little_endian(numbers, (uint64_t)m->k, 4);
    put_little_endian(numbers + 4, (uint64_t)m->n, 4);
    put_little_endian(numbers + 8, (uint64_t)integer(&m->members, M_SEQ), 8);
    put_little_endian(numbers + 16, (uint64_t)integer(&m->members, M_VERSION), 8);
    const struct loy_str parts[] = {id, {numbers, sizeof numbers}, state};
    loy_sha256_parts(parts, 3, sha256);
    return digest.len == 16 && memcmp(digest.at, sha256, 16) == 0;
}

static void check_row(struct merge *m)
{
    const struct loy_cursor *member = &m->members;
    struct loy_error error;
    struct loy_str id = loy_rows_bytes(&member->rows, member->row, M_ID);
    m->audit->members++;
    m->who = loy_phrase("member %.*s (k %d, n %" PRId64 ")", LOY_STR_ARG(id), m->k, m->n);
    int32_t place = loy_partition_of(id, m->audit->partitions);
    if (place != m->k) {
        FOUND(m, PLACE, m->who, loy_phrase("partition %d", place), loy_phrase("%d", m->k));
    }
    if (m->n < 1 || m->n >= m->audit->rows[m->k].next_n) {
        FOUND(m, NUMBER, m->who, loy_phrase("a number from 1 to below %d", m->audit->rows[m->k].next_n),
              loy_phrase("%" PRId64, m->n));
    }
    struct loy_str bytes = loy_rows_bytes(&member->rows, member->row, M_STATE);
    m->state_holds = loy_audit_state_read(bytes, m->state, &error) == LOY_OK;
    if (!m->state_holds) {
        FOUND(m, STATE, m->who, loy_phrase("a state of format 1"), loy_phrase("another one: %s", error.detail));
    }
    struct loy_str digest = loy_rows_bytes(&member->rows, member->row, M_DIGEST);
    if (!digest_holds(m, id, bytes, digest)) {
        FOUND(m, DIGEST, m->who, loy_phrase("the digest of its row"), loy_phrase("another one"));
    }
}

static void check_due(struct merge *m)
{
    bool has_row = !loy_rows_is_null(&m->members.rows, m->members.row, M_DUE_US);
    int64_t due_us = has_row ? integer(&m->members, M_DUE_US) : INT64_MAX;
    m->audit->due_rows += has_row;
    if (!m->state_holds) {
        return;
    }
    int64_t expected_s = loy_audit_state_due_s(m->state);
    int64_t expected_us = expected_s == INT64_MAX ? INT64_MAX : expected_s * 1000000;
    if (due_us != expected_us) {
        FOUND(m, DUE, m->who,
              expected_us == INT64_MAX ? loy_phrase("no due row") : loy_phrase("due at %" PRId64 " us", expected_us),
              has_row ? loy_phrase("due at %" PRId64 " us", due_us) : loy_phrase("no due row"));
    }
}

/* Rows of the journal, and entries, before the next member are nobody's. */
static enum loy_err skip_orphans(struct merge *m, struct loy_error *error)
{
    enum loy_err err = LOY_OK;
    while (!err && n_of(&m->journal) < m->n) {
        m->audit->journal_rows += integer(&m->journal, J_ROWS);
        FOUND(m, ORPHAN, loy_phrase("journal k %d, n %" PRId64, m->k, n_of(&m->journal)), loy_phrase("a member"),
              loy_phrase("none for %" PRId64 " rows", integer(&m->journal, J_ROWS)));
        err = loy_cursor_next(&m->journal, error);
    }
    while (!err && n_of(&m->entries) < m->n) {
        err = loy_cursor_next(&m->entries, error);
    }
    return err;
}

static enum loy_err check_member(struct merge *m, struct loy_error *error)
{
    struct sums sums = {.gone_wallet = NOTHING};
    m->n = n_of(&m->members);
    enum loy_err err = skip_orphans(m, error);
    if (err) {
        return err;
    }
    check_row(m);
    read_columns(m);
    while (!err && n_of(&m->entries) == m->n) {
        add_entries(m, &sums);
        err = loy_cursor_next(&m->entries, error);
    }
    close_gone(m, &sums);
    check_wallets(m, &sums);
    check_lots(m);
    check_due(m);
    bool has_journal = n_of(&m->journal) == m->n;
    check_numbering(m, has_journal);
    return err || !has_journal ? err : loy_cursor_next(&m->journal, error);
}

static enum loy_err check_partition(struct merge *m, struct loy_error *error)
{
    int64_t rows_before = m->audit->journal_rows, applied = 0;
    enum loy_err err = open_cursor(m, "members", members_select, &m->members, error);
    err = err ? err : open_cursor(m, "journals", journal_select, &m->journal, error);
    err = err ? err : open_cursor(m, "entries", entries_select, &m->entries, error);
    while (!err && !m->members.at_end) {
        err = check_member(m, error);
        err = err ? err : loy_cursor_next(&m->members, error);
    }
    m->n = INT64_MAX;
    err = err ? err : skip_orphans(m, error);
    loy_cursor_close(&m->members);
    loy_cursor_close(&m->journal);
    loy_cursor_close(&m->entries);
    for (uint32_t topic = 0; topic < m->audit->topics; topic++) {
        applied += m->audit->rows[m->k].totals[topic][LOY_OUTCOME_APPLIED];
    }
    if (!err && applied != m->audit->journal_rows - rows_before) {
        FOUND(m, APPLIED, loy_phrase("partition %d", m->k), loy_phrase("%" PRId64 " rows in its journal", applied),
              loy_phrase("%" PRId64, m->audit->journal_rows - rows_before));
    }
    return err;
}

/* Rows of `due` without a member, and of partitions that the installation does not have. */
static enum loy_err check_strays(struct merge *m, struct loy_error *error)
{
    static const char select[] =
        "SELECT 'due', d.k, d.n FROM due d LEFT JOIN member m ON m.k = d.k AND m.n = d.n WHERE m.n IS NULL "
        "UNION ALL SELECT 'member', k, n FROM member WHERE k NOT IN (SELECT k FROM partition) "
        "UNION ALL SELECT 'journal', k, n FROM journal WHERE k NOT IN (SELECT k FROM partition) "
        "UNION ALL SELECT 'outbox', k, 0 FROM outbox WHERE k NOT IN (SELECT k FROM partition)";
    struct loy_cursor cursor = {0};
    enum loy_err err = loy_cursor_open(m->audit->query, "strays", select, &cursor, error);
    while (!err && !(err = loy_cursor_next(&cursor, error)) && !cursor.at_end) {
        FOUND(m, ORPHAN,
              loy_phrase("%.*s k %" PRId64 ", n %" PRId64, LOY_STR_ARG(loy_rows_bytes(&cursor.rows, cursor.row, 0)),
                         integer(&cursor, 1), integer(&cursor, 2)),
              loy_phrase("a member in a partition of the installation"), loy_phrase("none"));
    }
    loy_cursor_close(&cursor);
    return err;
}

enum loy_err loy_audit_members(struct loy_audit *audit, struct loy_error *error)
{
    struct merge m = {.audit = audit, .state = malloc(sizeof *m.state)};
    if (!m.state) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a member's state");
    }
    enum loy_err err = LOY_OK;
    for (m.k = 0; m.k < audit->partitions && !err; m.k++) {
        err = check_partition(&m, error);
    }
    err = err ? err : check_strays(&m, error);
    free(m.state);
    return err;
}
