#include <inttypes.h>
#include <stdio.h>

#include "tools/arena.h"
#include "tools/table.h"
#include "tools/text.h"

struct item {
	uint32_t index, generation, state, frames, pins, version;
	unsigned frame_ms, codec;
	uint64_t bytes, hits, made_ns;
	char digest[65];
};

static bool read_item(const struct tg_region *region, uint32_t index, struct item *i)
{
	const struct tg_media_item *m = tg_region_media(region, index);
	i->state = atomic_load_explicit(&m->state, memory_order_acquire);
	if (i->state == TG_MEDIA_FREE)
		return false;
	i->index = index;
	i->generation = atomic_load_explicit(&m->generation, memory_order_relaxed);
	i->frames = atomic_load_explicit(&m->frames_ready, memory_order_relaxed);
	i->pins = atomic_load_explicit(&m->pins, memory_order_relaxed);
	i->version = m->version;
	i->frame_ms = m->frame_ms;
	i->codec = m->codec;
	i->bytes = m->bytes;
	i->hits = atomic_load_explicit(&m->hits, memory_order_relaxed);
	i->made_ns = m->made_ns;
	text_hex(m->digest, sizeof(m->digest), i->digest);
	return true;
}

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {"free", "filling", "ready", "broken", "retired"};
	return state < sizeof(names) / sizeof(*names) ? names[state] : "unknown";
}

static const char *codec_name(unsigned codec)
{
	return codec == TG_CODEC_PCMU ? "PCMU" : codec == TG_CODEC_PCMA ? "PCMA" : "unknown";
}

static uint64_t play_ms(const struct item *i)
{
	return (uint64_t)i->frames * i->frame_ms;
}

static json_t *media_json(const struct tg_region *region)
{
	struct arena arena = arena_read(region);
	json_t *o = arena_json(&arena), *list = json_array();
	struct item i;
	for (uint32_t n = 0; n < arena.items; n++) {
		if (!read_item(region, n, &i))
			continue;
		json_array_append_new(list,
			json_pack("{s:I, s:I, s:s, s:s, s:I, s:o, s:o, s:I, s:o, s:o, s:s, s:I}", "item",
				(json_int_t)i.index, "generation", (json_int_t)i.generation, "state",
				state_name(i.state), "codec", codec_name(i.codec), "frames",
				(json_int_t)i.frames, "ms", tool_u64(play_ms(&i)), "bytes", tool_u64(i.bytes),
				"leases", (json_int_t)i.pins, "hits", tool_u64(i.hits), "made",
				tool_time(i.made_ns), "digest", i.digest, "version", (json_int_t)i.version));
	}
	json_object_set_new(o, "list", list);
	return o;
}

int command_media(const struct tool *tool)
{
	static const char *const titles[] = {
		">ITEM", "STATE", "CODEC", ">SECONDS", ">BYTES", ">LEASES", ">HITS", ">VERSION", "DIGEST"};
	struct table t = {.titles = titles, .columns = 9};
	struct tg_region *region;
	int status = tool_region(tool, &region);
	if (status)
		return status;
	if (tool->json) {
		status = tool_print(media_json(region));
		tg_region_close(region);
		return status;
	}
	struct arena arena = arena_read(region);
	struct item i;
	for (uint32_t n = 0; n < arena.items; n++) {
		if (!read_item(region, n, &i))
			continue;
		table_add(&t, "%u", i.index);
		table_add(&t, "%s", state_name(i.state));
		table_add(&t, "%s", codec_name(i.codec));
		table_add(&t, "%" PRIu64 ".%03u", play_ms(&i) / 1000, (unsigned)(play_ms(&i) % 1000));
		table_add(&t, "%" PRIu64, i.bytes);
		table_add(&t, "%u", i.pins);
		table_add(&t, "%" PRIu64, i.hits);
		table_add(&t, "%u", i.version);
		table_add(&t, "%.16s", i.digest);
	}
	table_print(&t, stdout);
	char used[32], all[32];
	printf("%u of %u items, %s of %s\n", arena.items_used, arena.items,
		text_bytes(arena.bytes_used, used, sizeof(used)), text_bytes(arena.bytes, all, sizeof(all)));
	tg_region_close(region);
	return tool_done();
}
