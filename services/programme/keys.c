#include "programme/keys.h"

enum { WORD_MAX = 48 };

const struct loy_key *loy_shape_key(const struct loy_shape *shape, struct loy_str name)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        if (loy_str_equal(loy_str(shape->keys[i].name), name)) {
            return &shape->keys[i];
        }
    }
    return NULL;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the matrix are enough. */
uint32_t loy_word_distance(struct loy_str a, struct loy_str b, uint32_t limit)
{
    uint32_t rows[3][WORD_MAX + 1];
    if (a.len > WORD_MAX || b.len > WORD_MAX) {
        return limit + 1;
    }
    for (uint32_t j = 0; j <= b.len; j++) {
        rows[0][j] = j;
    }
    for (uint32_t i = 1; i <= a.len; i++) {
        uint32_t *row = rows[i % 3];
        const uint32_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= b.len; j++) {
            uint32_t change = above[j - 1] + (a.at[i - 1] != b.at[j - 1]);
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), change);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1]) {
                row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
            }
        }
    }
    uint32_t distance = rows[a.len % 3][b.len];
    return distance > limit ? limit + 1 : distance;
}

const struct loy_key *loy_shape_nearest(const struct loy_shape *shape, struct loy_str word)
{
    const struct loy_key *nearest = NULL;
    uint32_t limit = word.len < 4 ? 1 : word.len < 8 ? 2 : 3;
    for (uint32_t i = 0; i < shape->count; i++) {
        uint32_t distance = loy_word_distance(word, loy_str(shape->keys[i].name), limit);
        if (distance <= limit) {
            nearest = &shape->keys[i];
            limit = distance ? distance - 1 : 0;
        }
    }
    return nearest;
}

const char *loy_key_type_words(enum loy_key_type type)
{
    static const char *const words[] = {
#define TYPE_WORDS(symbol, words) words,
        LOY_KEY_TYPES(TYPE_WORDS)
#undef TYPE_WORDS
    };
    return words[type];
}

struct loy_str loy_choice_next(const char **at, bool *ret_later)
{
    const char *word = *at;
    *ret_later = *word == '!';
    word += *ret_later;
    size_t len = strcspn(word, " ");
    *at = word[len] ? word + len + 1 : NULL;
    return (struct loy_str){word, len};
}
