#include "controlplane/calls/leg_index.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS 4096u /* keys count up: they spread by themselves */

struct entry {
	struct entry *next;
	uint64_t key;
	void *owner;
	int leg;
};

struct leg_index {
	struct entry *bucket[BUCKETS];
};

int leg_index_create(struct leg_index **index)
{
	*index = calloc(1, sizeof(**index));
	return *index ? 0 : -ENOMEM;
}

void leg_index_destroy(struct leg_index *index)
{
	if (!index)
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (index->bucket[i]) {
			struct entry *e = index->bucket[i];
			index->bucket[i] = e->next;
			free(e);
		}
	}
	free(index);
}

int leg_index_put(struct leg_index *index, uint64_t key, void *owner, int leg)
{
	struct entry *e = malloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	*e = (struct entry){index->bucket[key % BUCKETS], key, owner, leg};
	index->bucket[key % BUCKETS] = e;
	return 0;
}

void *leg_index_get(const struct leg_index *index, uint64_t key, int *leg)
{
	for (const struct entry *e = index->bucket[key % BUCKETS]; e; e = e->next) {
		if (e->key != key)
			continue;
		if (leg)
			*leg = e->leg;
		return e->owner;
	}
	return NULL;
}

void leg_index_drop(struct leg_index *index, uint64_t key)
{
	for (struct entry **at = &index->bucket[key % BUCKETS]; *at; at = &(*at)->next) {
		struct entry *e = *at;
		if (e->key != key)
			continue;
		*at = e->next;
		free(e);
		return;
	}
}
