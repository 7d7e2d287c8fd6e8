/* Finds what belongs to a number (a leg of the user agent, a request): a hash map of u64 to a pointer and an
 * index. */
#ifndef TG_CALLS_LEG_INDEX_H
#define TG_CALLS_LEG_INDEX_H

#include <stdint.h>

struct leg_index;

int leg_index_create(struct leg_index **index);
void leg_index_destroy(struct leg_index *index);
/* Returns 0 or -ENOMEM. key: not there yet. */
int leg_index_put(struct leg_index *index, uint64_t key, void *owner, int leg);
/* NULL when there is none; leg may be NULL. */
void *leg_index_get(const struct leg_index *index, uint64_t key, int *leg);
void leg_index_drop(struct leg_index *index, uint64_t key);

#endif
