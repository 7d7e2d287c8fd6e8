#include "contract/region_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What no version of the layout or of a struct will reach: beyond it a number is noise. */
#define VERSION_MAX      65535u
#define STRUCT_BYTES_MAX (1u << 20)
/* Of time stamp counters, in Hz. */
#define TICKS_MIN 1000000ull
#define TICKS_MAX 100000000000ull

static int explain(char *why, size_t n, int e, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int explain(char *why, size_t n, int e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, n, fmt, ap);
	va_end(ap);
	return e;
}

/* IPv4 first, then as many of IPv6 as it says. */
static bool addresses_in_order(const struct tg_capacity *cap)
{
	if (cap->ipv6_addresses > cap->addresses)
		return false;
	for (uint32_t a = 0; a < cap->addresses; a++)
		if (cap->address[a].family !=
			(a + cap->ipv6_addresses < cap->addresses ? TG_FAMILY_IPV4 : TG_FAMILY_IPV6))
			return false;
	return true;
}

int tg_check_capacity(const struct tg_capacity *cap, char *why, size_t n)
{
	if (cap->workers < 1 || cap->workers > TG_WORKERS_MAX || cap->addresses < 1 ||
		cap->addresses > TG_ADDRS_MAX || cap->ports < 2 || cap->ports > 65536 || (cap->ports & 1) ||
		(cap->port_min & 1) || cap->port_min < 1024 || cap->port_min > 65536 ||
		cap->port_min + cap->ports > 65536 || cap->media_items < 1 || cap->arena_bytes < 4096 ||
		cap->arena_bytes > 1ull << 60 || cap->workers > cap->addresses * (cap->ports / 2) ||
		!addresses_in_order(cap))
		return explain(why, n, -EINVAL, "capacity out of range: check media.* in the settings");
	return 0;
}

static int check_version(const struct tg_header *found, const struct tg_header *wanted, char *why, size_t n)
{
	if (!found->layout_version || found->layout_version > VERSION_MAX)
		return explain(
			why, n, -EUCLEAN, "layout version %u, which there is none", found->layout_version);
	if (found->layout_version != wanted->layout_version)
		return explain(why, n, -EPROTO,
			"has layout version %u, this program has %u: let calls end (tollgate drain), stop "
			"both planes, "
			"remove the file, start again",
			found->layout_version, wanted->layout_version);
	for (int i = 0; i < TG_STRUCTS; i++)
		if (!found->struct_bytes[i] || found->struct_bytes[i] > STRUCT_BYTES_MAX)
			return explain(why, n, -EUCLEAN, "a %s of %u bytes", tg_struct_name[i],
				found->struct_bytes[i]);
	for (int i = 0; i < TG_STRUCTS; i++)
		if (found->struct_bytes[i] != wanted->struct_bytes[i])
			return explain(why, n, -EPROTO,
				"has a %s of %u bytes, this program has %u: the planes are of different "
				"builds; let "
				"calls end (tollgate drain), stop both, remove the file, start again",
				tg_struct_name[i], found->struct_bytes[i], wanted->struct_bytes[i]);
	return 0;
}

/* Everything behind the header follows from its capacity. */
static int check_parts(const struct tg_header *found, uint64_t bytes, char *why, size_t n)
{
	struct tg_header expect;
	if (tg_check_capacity(&found->capacity, why, n))
		return explain(why, n, -EUCLEAN, "a capacity out of range in its header");
	tg_layout(&expect, &found->capacity);
	if (found->total_bytes != expect.total_bytes || memcmp(found->part, expect.part, sizeof(expect.part)))
		return explain(why, n, -EUCLEAN, "parts that lie elsewhere than its capacity puts them");
	if (bytes < found->total_bytes)
		return explain(why, n, -EUCLEAN, "truncated: %llu bytes, its header says %llu",
			(unsigned long long)bytes, (unsigned long long)found->total_bytes);
	return 0;
}

static int check_settings(
	const struct tg_capacity *found, const struct tg_capacity *wanted, char *why, size_t n)
{
	if (!memcmp(found, wanted, sizeof(*found)))
		return 0;
	return explain(why, n, -EPROTO,
		"was made for %u workers, %u addresses, ports %u+%u, %u media items, %llu arena bytes; the "
		"settings now say "
		"%u, %u, %u+%u, %u, %llu (or other addresses): put the settings back, or let calls end "
		"(tollgate drain), "
		"stop both planes, remove the file, start again",
		found->workers, found->addresses, found->port_min, found->ports, found->media_items,
		(unsigned long long)found->arena_bytes, wanted->workers, wanted->addresses, wanted->port_min,
		wanted->ports, wanted->media_items, (unsigned long long)wanted->arena_bytes);
}

int tg_check_header(
	const struct tg_header *found, uint64_t bytes, const struct tg_header *wanted, char *why, size_t n)
{
	struct tg_header own;
	tg_layout(&own, wanted ? &wanted->capacity : &found->capacity);
	int e = check_version(found, &own, why, n);
	if (!e)
		e = check_parts(found, bytes, why, n);
	if (!e && wanted)
		e = check_settings(&found->capacity, &wanted->capacity, why, n);
	return e;
}

int tg_check_rings(uint8_t *base, char *why, size_t n)
{
	static const struct {
		enum tg_part part;
		uint32_t count, bytes;
		const char *name;
	} kind[] = {{TG_PART_COMMANDS, TG_COMMAND_RING, sizeof(struct tg_command), "command"},
		{TG_PART_EVENTS, TG_EVENT_RING, sizeof(struct tg_event), "event"},
		{TG_PART_METERS, TG_METER_RING, sizeof(struct tg_meter_record), "meter"}};
	const struct tg_header *h = (const struct tg_header *)base;
	struct tg_ring view;
	for (uint32_t w = 0; w < h->capacity.workers; w++)
		for (size_t k = 0; k < sizeof(kind) / sizeof(*kind); k++)
			if (tg_ring_attach(&view, base + tg_layout_ring(h, kind[k].part, w), kind[k].count,
				    kind[k].bytes))
				return explain(
					why, n, -EUCLEAN, "a damaged %s ring of worker %u", kind[k].name, w);
	return 0;
}

int tg_check_clock(const struct tg_timebase *tb, char *why, size_t n)
{
	uint64_t hz = atomic_load_explicit(&tb->ticks_per_s, memory_order_relaxed);
	uint64_t rate = atomic_load_explicit(&tb->ns_per_tick_q32, memory_order_relaxed);
	uint64_t nominal = hz < TICKS_MIN || hz > TICKS_MAX
				   ? 0
				   : (uint64_t)(((unsigned __int128)1000000000ull << 32) / hz);
	/* It is slewed by 500 ppm at most. */
	if (!nominal || rate < nominal - nominal / 1000 || rate > nominal + nominal / 1000)
		return explain(why, n, -EUCLEAN,
			"a damaged clock: %llu ticks per second, %llu/2^32 ns per tick",
			(unsigned long long)hz, (unsigned long long)rate);
	return 0;
}
