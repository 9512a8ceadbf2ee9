/* Map: the entries of a map<string, string> in one order, so that the same event always gives the same bytes. Internal
 * to wire.
 *
 * Pure; any thread. Test: test_wire_decode.c. */
#ifndef LOY_ADAPTERS_WIRE_MAP_H
#define LOY_ADAPTERS_WIRE_MAP_H

#include <stdbool.h>
#include <stddef.h>

/* As protobuf-c lays out every entry of such a map; see the assertions in map.c. */
struct loy_wire_map_entry;

/* Sorts by key, in bytes; of equal keys the last one stays, and an absent value becomes the empty one. Every key must
 * be there. Returns true when nothing had to be changed. Quadratic: for the counts that rules.c allows. */
bool loy_wire_map_order(struct loy_wire_map_entry **entries, size_t *count);

#endif
