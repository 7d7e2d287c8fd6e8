/* One worker of the dataplane, the driver's own limit and a 5tswap, in turns of 10 ms in one process on one
 * core, so that the machine's moods hit all three alike. The worker gets its legs through its command ring.
 *
 *     windows relay CPU LEGS SECONDS FILE CHECKSUM    FILE: of write_frames; CHECKSUM: enum dp_checksum
 *     windows play  CPU LEGS SECONDS ITEMS            free running: the wheel's time is made to run ahead
 *
 *     windows paced CPU LEGS SECONDS ITEMS            in real time: how late packets are given to the port
 *
 * Prints one JSON object; cycles are medians over the turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "contract/region_open.h"
#include "dataplane/worker.h"
#include "tests/perf/packets/plan.h"
#include "tests/perf/packets/renumber.h"

#define BURST       32
#define TURNS_PER_S 100
#define TURNS_MAX   20000
#define BUFFERS     350000
#define ITEM_FRAMES 500
#define FRAME_BYTES 160
#define AHEAD       20 /* play: us that the wheel's time moves on with each round */

enum way { WAY_IO, WAY_SWAP, WAY_OURS, WAYS };

static struct bench {
	struct tg_region *region;
	struct tg_capacity cap;
	struct dp_port port[2]; /* in, out */
	struct dp_exchange exchange;
	struct dp_capture *capture;
	struct dp_worker *worker;
	struct rte_mempool *pool;
	atomic_bool stop;
	double cycles[WAYS][TURNS_MAX];
	uint32_t turns[WAYS];
} b;

static void fail(const char *what)
{
	fprintf(stderr, "windows: %s\n", what);
	exit(1);
}

static void start_eal(const char *cpu, const char *file)
{
	char lcores[32], in[300];
	snprintf(lcores, sizeof(lcores), "--lcores=0@%s", cpu);
	snprintf(in, sizeof(in), "--vdev=net_pcap0,rx_pcap=%s,infinite_rx=1", file);
	char *arg[] = {"windows", lcores, "--no-pci", "--in-memory", "-m", "1100", "--log-level=warning",
		"--vdev=net_null0,no-rx=1", file ? in : "--vdev=net_null1,no-rx=1", NULL};
	if (rte_eal_init(9, arg) < 0)
		fail("DPDK did not start");
	b.pool = rte_pktmbuf_pool_create("frames", BUFFERS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!b.pool)
		fail("no memory for buffers");
}

static void start_port(struct dp_port *p, uint32_t index, const char *name)
{
	struct rte_eth_conf conf = {0};
	struct rte_ether_addr mac;
	*p = (struct dp_port){.index = index, .claim = -1};
	if (rte_eth_dev_get_port_by_name(name, &p->id) || rte_eth_dev_configure(p->id, 1, 1, &conf) ||
		rte_eth_rx_queue_setup(p->id, 0, 1024, 0, NULL, b.pool) ||
		rte_eth_tx_queue_setup(p->id, 0, 1024, 0, NULL) || rte_eth_dev_start(p->id) ||
		rte_eth_macaddr_get(p->id, &mac))
		fail("a port did not start");
	memcpy(p->mac, &mac, sizeof(p->mac));
}

static void open_region(uint32_t legs, uint32_t items)
{
	char why[512], name[64];
	snprintf(name, sizeof(name), "tollgate-windows-%d", getpid());
	b.cap = (struct tg_capacity){.workers = 1,
		.addresses = plan_addresses(legs),
		.port_min = PLAN_PORT_MIN,
		.ports = PLAN_PORTS,
		.media_items = items ? items : 1,
		.arena_bytes = items ? (uint64_t)items * ITEM_FRAMES * FRAME_BYTES : 4096};
	for (uint32_t a = 0; a < b.cap.addresses; a++)
		b.cap.address[a] = tg_addr_ipv4(plan_address_be(a));
	const char *dir = tg_region_place("/dev/hugepages", name);
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (tg_region_open(&b.region, dir, name, &b.cap, TG_ROLE_DATAPLANE, why, sizeof(why)))
		fail(why);
	unlink(path);
}

static void tell(const struct tg_command *c)
{
	while (tg_ring_push(tg_region_commands(b.region, 0), c))
		dp_worker_round(b.worker, tg_tsc());
}

static void settle(void)
{
	for (int i = 0; i < 10000 && tg_ring_waiting(tg_region_commands(b.region, 0)); i++)
		dp_worker_round(b.worker, tg_tsc());
	struct tg_next_hop *hop = tg_region_next_hops(b.region, 0);
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++)
		if (atomic_load(&hop[i].state) == TG_NEXT_HOP_WANTED)
			atomic_store(&hop[i].link, dp_link_pack(mac, 1, 0));
	if (tg_counter_read(&b.worker->legs.stats->refusals))
		fail("a command was refused");
}

static void program(uint32_t legs)
{
	for (uint32_t leg = 0; leg < legs; leg++)
		tell(&(struct tg_command){
			.kind = TG_CMD_PROGRAM, .leg = leg, .generation = 1, .program = plan_program(leg)});
}

static void relay_all(uint32_t legs)
{
	for (uint32_t leg = 0; leg < legs; leg++)
		tell(&(struct tg_command){.kind = TG_CMD_SOURCE,
			.leg = leg,
			.generation = 1,
			.source = {.kind = TG_SOURCE_RELAY, .peer = leg ^ 1, .generation = 1}});
}

static void play_all(uint32_t legs, uint32_t items)
{
	uint64_t random = PLAN_SEED;
	uint64_t *frame = (uint64_t *)tg_region_arena(b.region);
	for (uint64_t i = 0; i < b.cap.arena_bytes / 8; i++)
		frame[i] = plan_random(&random);
	for (uint32_t i = 0; i < items; i++) {
		struct tg_media_item *m = tg_region_media(b.region, i);
		m->frame_bytes = FRAME_BYTES;
		m->frame_ms = 20;
		m->codec = TG_CODEC_PCMU;
		m->offset = (uint64_t)i * ITEM_FRAMES * FRAME_BYTES;
		m->bytes = (uint64_t)ITEM_FRAMES * FRAME_BYTES;
		atomic_store(&m->generation, 1);
		atomic_store(&m->frames_ready, ITEM_FRAMES);
		atomic_store(&m->state, TG_MEDIA_READY);
	}
	for (uint32_t leg = 0; leg < legs; leg++)
		tell(&(struct tg_command){.kind = TG_CMD_SOURCE,
			.leg = leg,
			.generation = 1,
			.source = {.kind = TG_SOURCE_PLAY,
				.peer = (uint32_t)(plan_random(&random) >> 20) % items,
				.generation = 1,
				.play_id = 1 + leg,
				.loops = UINT32_MAX,
				.start_frame = (uint32_t)(plan_random(&random) >> 20) % ITEM_FRAMES}});
}

/* --- how late ------------------------------------------------------------------------------------------- */

#define LATE_UNIT_NS 100
#define LATE_MAX     100000 /* 10 ms, and all above */
static struct {
	uint64_t count[LATE_MAX + 1], packets, stalls, stolen, longest;
	bool on;
} late;

/* Of each packet that is given to the port: the time since it was due, which its leg remembers. */
static uint16_t note_lateness(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, void *arg)
{
	uint64_t now = tg_tsc(), hz = b.worker->legs.clock.hz;
	for (uint16_t i = 0; late.on && i < n; i++) {
		const uint8_t *frame = rte_pktmbuf_mtod(m[i], const uint8_t *);
		uint32_t ip;
		memcpy(&ip, frame + 26, sizeof(ip));
		struct tg_addr from = tg_addr_ipv4(ip);
		uint32_t leg = tg_capacity_leg(&b.cap, &from, (uint16_t)(frame[34] << 8 | frame[35]));
		uint64_t due = b.worker->legs.egress[leg].last_tx_tsc;
		uint64_t units = now > due ? (uint64_t)((double)(now - due) * 1e9 / (double)hz / LATE_UNIT_NS)
					   : 0;
		late.count[units < LATE_MAX ? units : LATE_MAX]++;
		late.packets++;
	}
	return n;
}

static double late_us(double share)
{
	uint64_t seen = 0, wanted = (uint64_t)(share * (double)late.packets);
	for (uint32_t i = 0; i <= LATE_MAX; i++) {
		seen += late.count[i];
		if (seen >= wanted && seen)
			return i * LATE_UNIT_NS / 1000.0;
	}
	return 0;
}

/* What a loop that does nothing loses on this processor: gaps of more than 5 us. */
static void watch_machine(double seconds, uint64_t hz)
{
	uint64_t begin = tg_tsc(), before = begin, end = begin + (uint64_t)(seconds * (double)hz);
	while (before < end) {
		uint64_t now = tg_tsc(), gap = now - before;
		if (gap > hz / 200000) {
			late.stalls++;
			late.stolen += gap;
		}
		late.longest = gap > late.longest ? gap : late.longest;
		before = now;
	}
}

static void run_paced(double seconds)
{
	uint64_t hz = b.worker->legs.clock.hz, now, warm;
	if (!rte_eth_add_tx_callback(b.port[1].id, 0, note_lateness, NULL))
		fail("lateness can't be noted");
	watch_machine(seconds, hz);
	for (now = tg_tsc(), warm = now + hz / 2; now < warm;)
		now = dp_worker_round(b.worker, now);
	late.on = true;
	uint64_t begin = now, end = now + (uint64_t)(seconds * (double)hz);
	while (now < end)
		now = dp_worker_round(b.worker, now);
	printf("{\"mpps\": %.2f, \"lateness_us\": {\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}, ",
		(double)late.packets / ((double)(now - begin) / (double)hz) / 1e6, late_us(0.5),
		late_us(0.99), late_us(1));
	printf("\"stalls\": {\"over_5us\": %llu, \"stolen_percent\": %.3f, \"longest_us\": %.0f}}\n",
		(unsigned long long)late.stalls, (double)late.stolen * 100 / (seconds * (double)hz),
		(double)late.longest * 1e6 / (double)hz);
}

/* --- the ways ------------------------------------------------------------------------------------------- */

static uint32_t io(void)
{
	struct rte_mbuf *m[BURST];
	uint16_t n = rte_eth_rx_burst(b.port[0].id, 0, m, BURST);
	return rte_eth_tx_burst(b.port[1].id, 0, m, n);
}

/* What testpmd's 5tswap does: addresses and ports exchanged, on all layers. */
static void swap(struct rte_mbuf *m)
{
	typedef uint16_t __attribute__((may_alias, aligned(1))) u16;
	typedef uint32_t __attribute__((may_alias, aligned(1))) u32;
	uint8_t *f = rte_pktmbuf_mtod(m, uint8_t *), mac[6];
	memcpy(mac, f, 6);
	memcpy(f, f + 6, 6);
	memcpy(f + 6, mac, 6);
	if (*(u16 *)(f + 12) == RTE_BE16(0x0800)) {
		u32 *ip = (u32 *)(f + 26), from = ip[0];
		ip[0] = ip[1];
		ip[1] = from;
		if (f[23] == 17) {
			u16 *udp = (u16 *)(f + 14 + 4 * (f[14] & 15)), source = udp[0];
			udp[0] = udp[1];
			udp[1] = source;
		}
	}
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	m->l2_len = 14;
	m->l3_len = 20;
	m->l4_len = 8;
}

static uint32_t swap_burst(void)
{
	struct rte_mbuf *m[BURST];
	uint16_t n = rte_eth_rx_burst(b.port[0].id, 0, m, BURST);
	for (uint16_t i = 0; i < n; i++) {
		if (i + 1 < n)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + 1], void *));
		swap(m[i]);
	}
	return rte_eth_tx_burst(b.port[1].id, 0, m, n);
}

static uint64_t sent(void)
{
	return tg_counter_read(&b.worker->legs.stats->tx_frames);
}

static void turn(enum way way, uint64_t length, uint64_t *ahead)
{
	uint64_t begin = tg_tsc(), now = begin, frames = 0, before = sent();
	while (now - begin < length) {
		if (way == WAY_OURS) {
			dp_worker_round(b.worker, *ahead ? *ahead : now);
			now = tg_tsc();
			if (*ahead)
				*ahead += b.worker->legs.clock.hz / 1000000 * AHEAD;
		} else {
			frames += way == WAY_IO ? io() : swap_burst();
			now = tg_tsc();
		}
	}
	if (way == WAY_OURS)
		frames = sent() - before;
	if (frames && b.turns[way] < TURNS_MAX)
		b.cycles[way][b.turns[way]++] = (double)(now - begin) / (double)frames;
}

static int compare(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;
	return (d > 0) - (d < 0);
}

static double median(enum way way)
{
	if (!b.turns[way])
		return 0;
	qsort(b.cycles[way], b.turns[way], sizeof(double), compare);
	return b.cycles[way][b.turns[way] / 2];
}

static void run(double seconds, bool play)
{
	uint64_t hz = b.worker->legs.clock.hz, end = tg_tsc() + (uint64_t)(seconds * (double)hz);
	uint64_t ahead = play ? tg_tsc() : 0;
	while (tg_tsc() < end)
		for (enum way way = play ? WAY_OURS : WAY_IO; way < WAYS; way++)
			turn(way, hz / TURNS_PER_S, &ahead);
	double ours = median(WAY_OURS), swapped = median(WAY_SWAP);
	printf("{\"cycles_per_packet\": %.1f, \"mpps\": %.2f", ours, (double)hz / ours / 1e6);
	if (!play)
		printf(", \"io_cycles\": %.1f, \"swap_cycles\": %.1f, \"ratio\": %.3f", median(WAY_IO),
			swapped, swapped / ours);
	printf(", \"hz\": %llu, \"drops\": {", (unsigned long long)hz);
	const struct tg_worker_stats *stats = b.worker->legs.stats;
	bool first = true;
	for (int i = 0; i < TG_DROPS; i++) {
		uint64_t n = tg_counter_read(&stats->drops[i]);
		if (n)
			printf("%s\"%s\": %llu", first ? "" : ", ", tg_drop_info[i].name,
				(unsigned long long)n);
		first = first && !n;
	}
	printf("}}\n");
}

int main(int argc, char **argv)
{
	bool paced = argc > 1 && !strcmp(argv[1], "paced");
	bool play = paced || (argc > 1 && !strcmp(argv[1], "play"));
	if (argc != (play ? 6 : 7))
		return 2;
	uint32_t legs = (uint32_t)atoi(argv[3]), items = play ? (uint32_t)atoi(argv[5]) : 0;
	open_region(legs, items);
	start_eal(argv[2], play ? NULL : argv[5]);
	start_port(&b.port[0], 0, play ? "net_null1" : "net_pcap0");
	start_port(&b.port[1], 1, "net_null0");
	b.worker = aligned_alloc(TG_CACHE_LINE, sizeof(*b.worker));
	if (dp_capture_open(&b.capture, b.region, "/tmp"))
		fail("no capture");
	struct dp_worker_options o = {.region = b.region,
		.exchange = &b.exchange,
		.capture = b.capture,
		.port = b.port,
		.ports = 2,
		.checksum = play ? 0 : (uint8_t)atoi(argv[6]),
		.packets_per_s = 500000,
		.stop = &b.stop};
	if (!b.worker || dp_exchange_open(&b.exchange, 1) || dp_worker_open(b.worker, 0, &o, b.pool))
		fail("no worker");
	program(legs);
	settle();
	if (play)
		play_all(legs, items);
	else
		relay_all(legs);
	settle();
	if (!play && renumber_port(b.port[0].id, 0, legs, 0))
		fail("frames can't be renumbered");
	if (paced)
		run_paced(atof(argv[4]));
	else
		run(atof(argv[4]), play);
	return 0;
}
