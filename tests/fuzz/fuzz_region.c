/* A region as anybody may have left it: [how][bytes]. Noise from some offset on, or a header of ours with
 * noise in one of its parts. Each role opens it: what is believed is read as the command line does, a worker
 * takes its rows up, and runs. Nothing may be touched outside, and closed + open = total. */
#include <stdint.h>
#include <stdlib.h>

#include "dataplane/command.h"
#include "dataplane/legs.h"
#include "dataplane/liveness.h"
#include "dataplane/meter.h"
#include "dataplane/play.h"
#include "tests/fuzz/spoiled_region.h"
#include "tools/arena.h"
#include "tools/legs.h"
#include "tools/planes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as_the_command_line(void)
{
	struct tg_region *region;
	struct leg *legs;
	size_t n;
	if (open_as(&region, TG_ROLE_READER))
		return;
	struct plane plane = plane_read(region, TG_ROLE_DATAPLANE, 1);
	struct arena arena = arena_read(region);
	char text[96];
	plane_text(&plane, text, sizeof(text));
	json_decref(arena_json(&arena));
	if (legs_read(region, tg_timebase_now(tg_region_timebase(region)), &legs, &n))
		abort();
	legs_sort(legs, n);
	for (size_t i = 0; i < n; i++)
		json_decref(leg_json(region, &legs[i]));
	free(legs);
	tg_region_close(region);
}

static void audit(struct tg_region *region, struct dp_legs *legs)
{
	struct tg_meter_record r = {0};
	for (uint32_t i = 0; i < TG_METER_RING && tg_ring_pop(tg_region_meters(region, 0), &r, 1); i++)
		;
	if (dp_meter_snapshot(legs, 0, 1) || tg_ring_pop(tg_region_meters(region, 0), &r, 1) != 1)
		abort();
	for (int i = 0; i < TG_METERS; i++)
		if (r.total.v[i] != r.closed.v[i] + r.counts.v[i])
			abort();
}

static void run(struct tg_region *region, struct dp_legs *legs)
{
	struct dp_commands commands = {0};
	struct dp_outgoing out;
	const uint8_t *frame;
	uint64_t now = tg_tsc();
	volatile uint8_t sum = 0;
	for (int round = 0; round < 20; round++) {
		uint32_t budget = 64;
		dp_commands_run(&commands, legs, now);
		now += 5 * legs->clock.ticks_per_ms;
		dp_wheel_advance(&legs->wheel, now);
		while (dp_play_next(legs, now, &budget, &out, &frame)) {
			for (uint32_t i = 0; i + 12 < out.rtp_bytes; i++)
				sum = (uint8_t)(sum + frame[i]);
			struct tg_sending_entry sent = {
				.leg = out.leg, .rtp_bytes = out.rtp_bytes, .as = out.as};
			dp_legs_sent(legs, &sent, 1);
		}
		dp_liveness_sweep(legs, LEGS, now);
	}
	audit(region, legs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_region *region;
	struct dp_legs legs;
	make_good();
	if (size < HOW)
		return 0;
	write_region(data, data + HOW, size - HOW < 8192 ? size - HOW : 8192);
	read_as_the_command_line();
	if (!open_as(&region, TG_ROLE_DATAPLANE)) {
		if (dp_legs_open(&legs, region, 0))
			abort();
		run(region, &legs);
		dp_legs_close(&legs);
		read_as_the_command_line();
		tg_region_close(region);
	}
	remove_files();
	return 0;
}
