/* Leases: "I am about to play this item, don't evict it". Each is one pin; it ends when its holder says so,
 * or after CACHE_LEASE_NS, so that a holder that forgot doesn't keep memory for ever. */
#ifndef TG_CACHE_LEASE_H
#define TG_CACHE_LEASE_H

#include <stdint.h>

#include "base/id.h"
#include "cache/store.h"

#define CACHE_LEASE_NS (4ull * 3600 * 1000000000)

struct cache_leases;

/* Returns 0 or -ENOMEM. The store must live longer. */
int cache_leases_open(struct cache_leases **leases, struct cache_store *store);
/* Ends all. */
void cache_leases_close(struct cache_leases *leases);

/* now_ns: monotonic, never before an earlier call's. Returns 0 and the id, or -errno. */
int cache_lease_acquire(struct cache_leases *leases, uint32_t item, uint64_t now_ns, struct id *id);
/* Returns 0, or -ENOENT for one that is not or no longer there. */
int cache_lease_release(struct cache_leases *leases, const struct id *id);
/* Ends those that have run out. Returns how many. */
unsigned cache_leases_expire(struct cache_leases *leases, uint64_t now_ns);
unsigned cache_leases_count(const struct cache_leases *leases);

#endif
