#include "cache/lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct lease {
	struct lease *chain;
	struct lease *older, *newer; /* all last equally long: the oldest ends first */
	struct id id;
	uint32_t item;
	uint64_t end_ns;
};

struct cache_leases {
	struct cache_store *store;
	struct lease *bucket[BUCKETS];
	struct lease *oldest, *newest;
	unsigned count;
};

int cache_leases_open(struct cache_leases **leases, struct cache_store *store)
{
	struct cache_leases *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->store = store;
	*leases = l;
	return 0;
}

/* Ids are random. */
static struct lease **bucket_of(struct cache_leases *l, const struct id *id)
{
	return &l->bucket[(id->b[0] | id->b[1] << 8) % BUCKETS];
}

static struct lease **find(struct cache_leases *l, const struct id *id)
{
	struct lease **at = bucket_of(l, id);
	while (*at && !id_equal(&(*at)->id, id))
		at = &(*at)->chain;
	return at;
}

int cache_lease_acquire(struct cache_leases *l, uint32_t item, uint64_t now_ns, struct id *id)
{
	struct lease *x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	int e = id_new(&x->id);
	if (e) {
		free(x);
		return e;
	}
	x->item = item;
	x->end_ns = now_ns + CACHE_LEASE_NS;
	struct lease **at = bucket_of(l, &x->id);
	x->chain = *at;
	*at = x;
	x->older = l->newest;
	if (l->newest)
		l->newest->newer = x;
	else
		l->oldest = x;
	l->newest = x;
	l->count++;
	cache_store_pin(l->store, item);
	*id = x->id;
	return 0;
}

int cache_lease_release(struct cache_leases *l, const struct id *id)
{
	struct lease **at = find(l, id), *x = *at;
	if (!x)
		return -ENOENT;
	*at = x->chain;
	if (x->older)
		x->older->newer = x->newer;
	else
		l->oldest = x->newer;
	if (x->newer)
		x->newer->older = x->older;
	else
		l->newest = x->older;
	l->count--;
	cache_store_unpin(l->store, x->item);
	free(x);
	return 0;
}

unsigned cache_leases_expire(struct cache_leases *l, uint64_t now_ns)
{
	unsigned n = 0;
	while (l->oldest && l->oldest->end_ns <= now_ns) {
		struct id id = l->oldest->id;
		cache_lease_release(l, &id);
		n++;
	}
	return n;
}

unsigned cache_leases_count(const struct cache_leases *l)
{
	return l->count;
}

void cache_leases_close(struct cache_leases *l)
{
	if (!l)
		return;
	cache_leases_expire(l, UINT64_MAX);
	free(l);
}
