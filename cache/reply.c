#include "cache/reply.h"

#include <jansson.h>

#include "base/clock.h"
#include "cache/address.h"
#include "contract/region.h"

static char *dump(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

char *cache_reply_failure(const struct cache_failure *f)
{
	json_t *o = json_pack("{s:s, s:s}", "error", cache_error_name(f->error), "sentence", f->sentence);
	if (o && f->origin_status)
		json_object_set_new(o, "origin_status", json_integer(f->origin_status));
	return dump(o);
}

static const char *state_name(uint32_t state)
{
	switch (state) {
	case TG_MEDIA_FREE:
		return "free";
	case TG_MEDIA_FILLING:
		return "filling";
	case TG_MEDIA_READY:
		return "ready";
	case TG_MEDIA_BROKEN:
		return "broken";
	case TG_MEDIA_RETIRED:
		return "retired";
	}
	return "unknown";
}

/* What every answer about an item has. */
static json_t *describe(const struct cache_http_parts *p, uint32_t item)
{
	const struct tg_media_item *m = tg_region_media(p->region, item);
	const struct cache_store *store = p->resolver->store;
	uint32_t state = atomic_load_explicit(&m->state, memory_order_acquire);
	uint32_t frames = atomic_load_explicit(&m->frames_ready, memory_order_acquire);
	char address[CACHE_ADDRESS_BYTES];
	cache_address_format(cache_store_digest(store, item), m->version, m->codec, address);
	json_t *o = json_pack("{s:s, s:I, s:I, s:s, s:i, s:s}", "address", address, "item", (json_int_t)item,
		"generation", (json_int_t)atomic_load_explicit(&m->generation, memory_order_relaxed), "codec",
		cache_codec_name(m->codec), "ptime", (int)m->frame_ms, "state", state_name(state));
	bool known = state == TG_MEDIA_READY;
	if (!o)
		return NULL;
	json_object_set_new(o, "frames", known ? json_integer(frames) : json_null());
	json_object_set_new(
		o, "duration_ms", known ? json_integer((json_int_t)frames * m->frame_ms) : json_null());
	return o;
}

char *cache_reply_item(const struct cache_http_parts *p, uint32_t item, const struct id *lease, bool hit)
{
	char id[ID_TEXT_BYTES];
	id_format(lease, CACHE_ID_KIND_LEASE, id);
	json_t *o = describe(p, item);
	if (o) {
		json_object_set_new(o, "lease", json_string(id));
		json_object_set_new(o, "served", json_string(hit ? "hit" : "miss"));
	}
	return dump(o);
}

static void set_time(json_t *o, const char *key, uint64_t utc_ns)
{
	char text[CLOCK_TEXT_BYTES];
	if (utc_ns)
		clock_format_utc(utc_ns, text);
	json_object_set_new(o, key, utc_ns ? json_string(text) : json_null());
}

static json_t *list_entry(const struct cache_http_parts *p, uint32_t item)
{
	const struct tg_media_item *m = tg_region_media(p->region, item);
	struct cache_origin origin = cache_store_origin(p->resolver->store, item);
	json_t *o = describe(p, item);
	if (!o)
		return NULL;
	json_object_set_new(o, "bytes", json_integer((json_int_t)m->bytes));
	json_object_set_new(o, "pins", json_integer(atomic_load_explicit(&m->pins, memory_order_relaxed)));
	json_object_set_new(
		o, "hits", json_integer((json_int_t)atomic_load_explicit(&m->hits, memory_order_relaxed)));
	set_time(o, "made", m->made_ns);
	set_time(o, "fresh_until", origin.fresh_ns);
	json_t *source = origin.shown ? json_string(origin.shown) : NULL;
	json_object_set_new(o, "source", source ? source : json_null());
	return o;
}

char *cache_reply_list(const struct cache_http_parts *p)
{
	json_t *list = json_array();
	json_int_t total = 0;
	for (uint32_t i = 0, n = tg_region_capacity(p->region)->media_items; i < n; i++) {
		const struct tg_media_item *m = tg_region_media(p->region, i);
		if (atomic_load_explicit(&m->state, memory_order_relaxed) == TG_MEDIA_FREE)
			continue;
		if (++total <= CACHE_LIST_MAX)
			json_array_append_new(list, list_entry(p, i));
	}
	return dump(json_pack("{s:I, s:o}", "total", total, "items", list));
}

static json_t *failures(const struct cache_counters *c)
{
	json_t *o = json_object();
	for (enum cache_error e = CACHE_OK + 1; e < CACHE_ERRORS; e++)
		json_object_set_new(o, cache_error_name(e), json_integer((json_int_t)c->failures[e]));
	return o;
}

char *cache_reply_stats(const struct cache_http_parts *p)
{
	struct cache_store_figures f = cache_store_figures(p->resolver->store);
	json_t *o = json_object();
#define COUNTER(name, help) json_object_set_new(o, #name, json_integer((json_int_t)p->counters->name));
#include "cache/counters.def"
#undef COUNTER
	json_object_set_new(o, "failures", failures(p->counters));
	const struct {
		const char *key;
		uint64_t value;
	} now[] = {{"items", f.items}, {"items_used", f.items_used}, {"items_ready", f.items_ready},
		{"items_retiring", f.items_retiring}, {"bytes", f.bytes}, {"bytes_used", f.bytes_used},
		{"largest_hole_bytes", f.largest_hole}, {"evictions", f.evictions},
		{"leases_open", cache_leases_count(p->leases)}, {"under_way", p->resolver->jobs},
		{"workers_running", cache_pool_busy(p->resolver->pool)}};
	for (size_t i = 0; i < sizeof(now) / sizeof(now[0]); i++)
		json_object_set_new(o, now[i].key, json_integer((json_int_t)now[i].value));
	return dump(o);
}
