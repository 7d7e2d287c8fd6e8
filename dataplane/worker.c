#include "dataplane/worker.h"

#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <rte_ring.h>

#include "base/log.h"
#include "dataplane/classify.h"
#include "dataplane/fast.h"
#include "dataplane/liveness.h"
#include "dataplane/play.h"
#include "dataplane/relay.h"
#include "dataplane/report.h"

#define RX_BURST 32
/* Legs that may be played to in one loop before packets are received again. */
#define PLAY_BUDGET 256
#define PLAY_BURST  32
/* Frames that are fetched before their turn. */
#define PLAY_AHEAD 8
/* Frames that the kernel may be given per worker; more is a flood. */
#define KERNEL_FRAMES_PER_S 50000
#define KERNEL_BURST        256
/* After so many empty polls the worker sleeps, at most so long, and only if that is worth a system call. */
#define EMPTY_POLLS  64
#define SLEEP_US_MAX 200
#define SLEEP_US_MIN 20
/* Slow things are looked at every so often; all legs within SWEEP_MS. */
#define TICK_MS 1
/* What waited in the ports when a worker starts is emptied in a few ms at most; against a flood there is an
 * end. */
#define BACKLOG_MS 50
#define SWEEP_MS   64

_Static_assert(DP_FAST_PORTS >= SETTINGS_PORTS_MAX, "every port has a head");

int dp_worker_open(
	struct dp_worker *w, uint32_t index, const struct dp_worker_options *o, struct rte_mempool *pool)
{
	memset(w, 0, sizeof(*w));
	w->index = index;
	w->adaptive = o->adaptive;
	w->exchange = o->exchange;
	w->capture = o->capture;
	w->port = o->port;
	w->ports = o->ports;
	w->pool = pool;
	w->stop = o->stop;
	uint8_t macs[SETTINGS_PORTS_MAX][6];
	for (uint32_t p = 0; p < o->ports; p++)
		memcpy(macs[p], o->port[p].mac, sizeof(macs[p]));
	dp_fast_init(&w->fast, (enum dp_checksum)o->checksum, (const uint8_t(*)[6])macs, o->ports);
	dp_local_init(&w->local, tg_region_capacity(o->region), index);
	w->transmit = (struct dp_transmit){.legs = &w->legs,
		.capture = o->capture,
		.port = o->port,
		.ports = o->ports,
		.queue = (uint16_t)index};
	int e = dp_legs_open(&w->legs, o->region, index);
	if (e)
		return e;
	if (w->legs.damaged)
		log_error(dataplane, NULL, "rows-damaged",
			"worker=%u rows=%u effect=\"no media until they are released\"", index,
			w->legs.damaged);
	dp_legs_limit(&w->legs, o->packets_per_s);
	if (o->rtcp_interval_ms)
		w->legs.rtcp.minimum_ms = o->rtcp_interval_ms;
	dp_police_init(&w->to_kernel, w->legs.clock.hz, KERNEL_FRAMES_PER_S, KERNEL_BURST);
	return 0;
}

void dp_worker_close(struct dp_worker *w)
{
	dp_legs_close(&w->legs);
}

static void drop(struct dp_worker *w, struct rte_mbuf *m, enum tg_drop why)
{
	if (dp_capture_wanted(w->capture) == DP_CAPTURE_DROPS)
		dp_capture_frame(w->capture, w->index, m, false);
	dp_legs_drop(&w->legs, why, TG_NONE);
	rte_pktmbuf_free(m);
}

/* Not media. Ports that the kernel shares have given it its copy already. */
static void to_kernel(struct dp_worker *w, struct rte_mbuf *m, uint64_t now)
{
	const struct dp_port *port = NULL;
	for (uint32_t p = 0; p < w->ports; p++)
		if (w->port[p].id == m->port)
			port = &w->port[p];
	if (!port || port->kernel_has_it) {
		rte_pktmbuf_free(m);
		return;
	}
	if (!port->has_tap) {
		drop(w, m, TG_DROP_not_media);
		return;
	}
	if ((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(&m)) {
		drop(w, m, TG_DROP_no_buffer);
		return;
	}
	if (!dp_police_pass(&w->to_kernel, now) || rte_ring_sp_enqueue(w->exchange->to_kernel[w->index], m)) {
		drop(w, m, TG_DROP_kernel_full);
		return;
	}
	tg_counter_add(&w->legs.stats->to_kernel, 1);
}

static void hand_over(struct dp_worker *w, struct rte_mbuf *m, uint32_t owner)
{
	if (rte_ring_sp_enqueue(w->exchange->handover[w->index][owner], m))
		drop(w, m, TG_DROP_handover_full);
	else
		tg_counter_add(&w->legs.stats->handed_over, 1);
}

static void classify(const struct dp_worker *w, const struct rte_mbuf *m, uint16_t vlan, struct dp_packet *p)
{
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		/* The tag is beside the frame: it must be the port's, and nothing is in the frame. */
		if ((m->vlan_tci & 0xfff) != vlan) {
			*p = (struct dp_packet){.verdict = DP_KERNEL, .leg = TG_NONE};
			return;
		}
		vlan = 0;
	}
	dp_classify(&w->local, rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_data_len(m), vlan, p);
	if (p->leg != TG_NONE) {
		rte_prefetch0(&w->legs.ingress[p->leg]);
		rte_prefetch0((const uint8_t *)&w->legs.ingress[p->leg] + TG_CACHE_LINE);
	}
}

/* What the short way has counted in this burst belongs to the totals. */
static void settle_fast(struct dp_worker *w)
{
	w->legs.tally.v[TG_METER_rx_packets] += w->fast.packets;
	w->legs.tally.v[TG_METER_rx_octets] += w->fast.octets;
	w->fast.packets = w->fast.octets = 0;
}

/* A far end may send as soon as it was answered, and the command that opens its leg was in the ring before
 * that answer left. So a packet for a leg that isn't open looks there before it is dropped. */
static void catch_up_with_commands(struct dp_worker *w, uint32_t leg, uint64_t now)
{
	if (w->legs.place[leg] != TG_NONE || !tg_ring_waiting(tg_region_commands(w->legs.region, w->index)))
		return;
	dp_transmit_flush(&w->transmit);
	settle_fast(w); /* a snapshot among them compares rows with totals */
	dp_commands_run(&w->commands, &w->legs, now);
}

/* The frame begins with room for new IP and UDP headers in front of the RTP: fewer bytes than before, or more
 * where IPv4 becomes IPv6. */
static bool make_room(struct rte_mbuf *m, uint32_t rtp_at, uint32_t headers)
{
	return rtp_at >= headers ? rte_pktmbuf_adj(m, (uint16_t)(rtp_at - headers)) != NULL
				 : rte_pktmbuf_prepend(m, (uint16_t)(headers - rtp_at)) != NULL;
}

/* Of a packet that is still as it was received; NULL: one that we make, or one of IPv6. */
static void choose_checksum(const struct dp_worker *w, const uint8_t *ip, struct dp_flow *flow)
{
	if (flow->src_ip6)
		return;
	if (w->fast.checksum == DP_CHECKSUM_ZERO)
		flow->checksum = DP_CHECKSUM_ZERO;
	else if (w->fast.checksum == DP_CHECKSUM_CARRY && ip)
		dp_flow_carry(flow, ip);
}

static void handle(struct dp_worker *w, struct rte_mbuf *m, const struct dp_packet *p, uint64_t now)
{
	if (p->verdict == DP_KERNEL) {
		to_kernel(w, m, now);
		return;
	}
	if (p->leg == TG_NONE) {
		drop(w, m, (enum tg_drop)p->drop);
		return;
	}
	uint32_t owner = w->exchange->workers == 1 ? 0 : tg_capacity_worker(w->legs.cap, p->leg);
	if (owner != w->index) {
		hand_over(w, m, owner);
		return;
	}
	catch_up_with_commands(w, p->leg, now);
	struct dp_outgoing out;
	uint8_t *rtp = rte_pktmbuf_mtod(m, uint8_t *) + p->rtp_at;
	uint32_t wanted = dp_capture_wanted(w->capture);
	if (wanted == DP_CAPTURE_LEG + p->leg)
		dp_capture_frame(w->capture, w->index, m, false);
	w->legs.last_drop = TG_DROPS;
	if (!dp_relay(&w->legs, p, rtp, now, &out)) {
		if (wanted == DP_CAPTURE_DROPS && w->legs.last_drop != TG_DROPS)
			dp_capture_frame(w->capture, w->index, m, false);
		rte_pktmbuf_free(m);
		return;
	}
	choose_checksum(w, p->src_ip6 ? NULL : rtp - DP_UDP_BYTES - DP_IP_BYTES, &out.flow);
	dp_change_rtp(rtp, &out.rtp);
	if (!make_room(m, p->rtp_at, dp_flow_bytes(&out.flow))) {
		dp_legs_drop(&w->legs, TG_DROP_no_buffer, out.leg);
		rte_pktmbuf_free(m);
		return;
	}
	if (!out.link) {
		dp_waiting_add(&w->waiting, &w->transmit, m, &out, now);
		return;
	}
	dp_waiting_retry(&w->waiting, &w->transmit, now); /* what came first goes first */
	dp_transmit_rtp(&w->transmit, m, &out);
}

static void handle_slow(struct dp_worker *w, const struct dp_port *port, struct rte_mbuf *m, uint64_t now)
{
	struct dp_packet packet;
	m->port = port->id;
	classify(w, m, port->vlan, &packet);
	handle(w, m, &packet, now);
}

/* One after the other, but for what the cache can do meanwhile. */
static void handle_fast(
	struct dp_worker *w, const struct dp_port *port, struct rte_mbuf **m, uint32_t n, uint64_t now)
{
	uint32_t leg[RX_BURST];
	dp_fast_begin(&w->fast, &w->legs, now);
	for (uint32_t p = 0; p < w->fast.ports; p++)
		w->fast.frame_max[p] = DP_ETHER_BYTES + dp_port_mtu(&w->port[p]);
	for (uint32_t i = 0; i < n; i++) {
		leg[i] = dp_fast_leg(&w->local, rte_pktmbuf_mtod(m[i], const uint8_t *));
		if (leg[i] == TG_NONE)
			continue;
		rte_prefetch0(&w->legs.ingress[leg[i]]);
		rte_prefetch0((const uint8_t *)&w->legs.ingress[leg[i]] + TG_CACHE_LINE);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct dp_fast_out out;
		if (leg[i] != TG_NONE && !(m[i]->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) &&
			dp_fast_relay(&w->legs, &w->fast, leg[i], rte_pktmbuf_mtod(m[i], uint8_t *),
				rte_pktmbuf_data_len(m[i]), &out))
			dp_transmit_ready(&w->transmit, m[i], out.port, leg[i], out.rtp_bytes);
		else
			handle_slow(w, port, m[i], now);
	}
	settle_fast(w);
}

static void handle_burst(
	struct dp_worker *w, const struct dp_port *port, struct rte_mbuf **m, uint32_t n, uint64_t now)
{
	for (uint32_t i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	/* What waits for its next hop came first, and goes first. Captures are taken on the long way. */
	if (!port->vlan && !w->waiting.n && dp_capture_wanted(w->capture) == DP_CAPTURE_NOTHING) {
		handle_fast(w, port, m, n, now);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		handle_slow(w, port, m[i], now);
}

static uint32_t receive_ports(struct dp_worker *w, uint64_t now)
{
	struct rte_mbuf *m[RX_BURST];
	uint32_t total = 0;
	for (uint32_t p = 0; p < w->ports; p++) {
		uint32_t n = rte_eth_rx_burst(w->port[p].id, (uint16_t)w->index, m, RX_BURST);
		if (!n)
			continue;
		tg_counter_add(&w->legs.stats->rx_frames, n);
		handle_burst(w, &w->port[p], m, n, now);
		total += n;
	}
	return total;
}

/* A frame that came before this worker did. */
static void discard(struct dp_worker *w, struct rte_mbuf *m, uint16_t vlan, uint64_t now)
{
	struct dp_packet p;
	classify(w, m, vlan, &p);
	if (p.verdict == DP_KERNEL) {
		to_kernel(w, m, now);
		return;
	}
	enum tg_drop why = p.leg == TG_NONE ? (enum tg_drop)p.drop : TG_DROP_backlog;
	if (p.leg == TG_NONE || tg_capacity_worker(w->legs.cap, p.leg) != w->index) {
		drop(w, m, why);
		return;
	}
	catch_up_with_commands(w, p.leg, now);
	dp_relay_discard(&w->legs, &p, rte_pktmbuf_mtod(m, uint8_t *) + p.rtp_at, now);
	rte_pktmbuf_free(m);
}

/* What is in a port is as old as this process, and where its ring was full there is a hole behind it, which
 * listeners would see as loss if what lies on both sides were relayed. So it is not: streams go on behind it.
 * Until a poll finds nothing: a short one may mean only that the port has not looked for more. */
static void discard_backlog(struct dp_worker *w)
{
	struct rte_mbuf *m[RX_BURST];
	uint64_t now = rte_rdtsc(), end = now + BACKLOG_MS * w->legs.clock.ticks_per_ms;
	for (uint32_t p = 0; p < w->ports; p++) {
		uint32_t n = 1;
		for (; n && now < end; now = rte_rdtsc()) {
			n = rte_eth_rx_burst(w->port[p].id, (uint16_t)w->index, m, RX_BURST);
			tg_counter_add(&w->legs.stats->rx_frames, n);
			for (uint32_t i = 0; i < n; i++) {
				m[i]->port = w->port[p].id;
				discard(w, m[i], w->port[p].vlan, now);
			}
		}
	}
	dp_legs_flush(&w->legs);
}

/* That it came by. */
static const struct dp_port *port_of(const struct dp_worker *w, const struct rte_mbuf *m)
{
	uint32_t p = 0;
	while (p + 1 < w->ports && w->port[p].id != m->port)
		p++;
	return &w->port[p];
}

/* Frames of our legs that arrived at other workers. */
static uint32_t receive_handed_over(struct dp_worker *w, uint64_t now)
{
	struct rte_mbuf *m[RX_BURST];
	uint32_t total = 0;
	for (uint32_t from = 0; from < w->exchange->workers; from++) {
		struct rte_ring *ring = w->exchange->handover[from][w->index];
		uint32_t n = ring ? rte_ring_sc_dequeue_burst(ring, (void **)m, RX_BURST, NULL) : 0;
		for (uint32_t i = 0; i < n; i++)
			handle_slow(w, port_of(w, m[i]), m[i], now);
		total += n;
	}
	return total;
}

static uint32_t send_for_kernel(struct dp_worker *w)
{
	struct rte_mbuf *m[RX_BURST];
	if (w->index)
		return 0;
	uint32_t n = rte_ring_sc_dequeue_burst(w->exchange->from_kernel, (void **)m, RX_BURST, NULL);
	for (uint32_t i = 0; i < n; i++)
		dp_transmit_raw(&w->transmit, m[i], m[i]->port); /* here: the index of the port in our list */
	return n;
}

static void send_frame(struct dp_worker *w, struct rte_mbuf *m, struct dp_outgoing *out, const uint8_t *frame)
{
	uint32_t headers = dp_flow_bytes(&out->flow);
	uint8_t *rtp = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(headers + out->rtp_bytes)) + headers;
	dp_write_rtp(rtp, &out->rtp);
	memcpy(rtp + DP_RTP_BYTES, frame, out->rtp_bytes - DP_RTP_BYTES);
	choose_checksum(w, NULL, &out->flow);
	dp_transmit_rtp(&w->transmit, m, out);
}

/* One burst of those that are due. Returns how many had their turn. */
static uint32_t play_burst(struct dp_worker *w, uint64_t now)
{
	struct dp_due due[PLAY_BURST];
	struct rte_mbuf *m[PLAY_BURST];
	uint32_t n = dp_play_gather(&w->legs, now, due, PLAY_BURST), used = 0;
	uint32_t ahead = n < PLAY_AHEAD ? n : PLAY_AHEAD;
	if (!n)
		return 0;
	bool buffers = !rte_pktmbuf_alloc_bulk(w->pool, m, n);
	for (uint32_t i = 0; i < ahead; i++)
		dp_play_expect(&w->legs, &due[i]);
	for (uint32_t i = 0; i < n; i++) {
		struct dp_outgoing out;
		const uint8_t *frame;
		if (i + ahead < n)
			dp_play_expect(&w->legs, &due[i + ahead]);
		if (!dp_play_turn(&w->legs, &due[i], now, &out, &frame))
			continue;
		if (buffers)
			send_frame(w, m[used++], &out, frame);
		else
			dp_legs_drop(&w->legs, TG_DROP_no_buffer, out.leg);
	}
	if (buffers && used < n)
		rte_pktmbuf_free_bulk(m + used, n - used);
	return n;
}

static uint32_t play(struct dp_worker *w, uint64_t now)
{
	uint32_t total = 0, n;
	if (!w->legs.wheel.active)
		return 0;
	dp_wheel_advance(&w->legs.wheel, now);
	do {
		n = play_burst(w, now);
		total += n;
	} while (n == PLAY_BURST && total < PLAY_BUDGET);
	return total;
}

/* Once per TICK_MS: the clock, and a share of the legs. */
static void tick(struct dp_worker *w, uint64_t now)
{
	if (now < w->next_tick)
		return;
	w->next_tick = now + TICK_MS * w->legs.clock.ticks_per_ms;
	dp_liveness_sweep(&w->legs, w->legs.open_count / SWEEP_MS + 1, now);
	uint64_t utc = tg_timebase_utc_ns(tg_region_timebase(w->legs.region), now);
	atomic_store_explicit(&w->legs.stats->alive_ns, utc, memory_order_relaxed);
}

static void idle(struct dp_worker *w, uint64_t now)
{
	if (!w->adaptive) {
		rte_pause();
		return;
	}
	if (++w->empty_polls < EMPTY_POLLS)
		return;
	uint64_t per_us = w->legs.clock.hz / 1000000;
	uint64_t until = dp_wheel_quiet_until(&w->legs.wheel, now + SLEEP_US_MAX * per_us);
	uint64_t us = until > now ? (until - now) / per_us : 0;
	if (us < SLEEP_US_MIN)
		return;
	struct timespec t = {.tv_nsec = (long)us * 1000};
	nanosleep(&t, NULL);
}

uint64_t dp_worker_round(struct dp_worker *w, uint64_t now)
{
	struct tg_worker_stats *stats = w->legs.stats;
	uint32_t work = dp_commands_run(&w->commands, &w->legs, now);
	dp_waiting_retry(&w->waiting, &w->transmit, now);
	work += receive_ports(w, now);
	work += receive_handed_over(w, now);
	work += send_for_kernel(w);
	work += play(w, now);
	work += dp_report_send(&w->legs, &w->transmit, w->pool, now);
	dp_transmit_flush(&w->transmit);
	dp_legs_flush(&w->legs);
	tick(w, now);
	if (work)
		w->empty_polls = 0;
	else
		idle(w, now);
	uint64_t end = rte_rdtsc();
	tg_counter_add(work ? &stats->busy_cycles : &stats->idle_cycles, end - now);
	tg_counter_add(&stats->loops, 1);
	return end;
}

int dp_worker_run(void *arg)
{
	struct dp_worker *w = arg;
	/* Sleeps end when they are asked to, not up to 50 us later. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	uint64_t now = rte_rdtsc();
	tick(w, now);
	discard_backlog(w);
	now = rte_rdtsc();
	while (!atomic_load_explicit(w->stop, memory_order_relaxed))
		now = dp_worker_round(w, now);
	uint64_t utc = tg_timebase_utc_ns(tg_region_timebase(w->legs.region), now);
	atomic_store_explicit(&w->legs.stats->left_ns, utc, memory_order_relaxed);
	atomic_store_explicit(&w->legs.stats->alive_ns, 0, memory_order_release);
	return 0;
}
