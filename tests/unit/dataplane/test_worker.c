/* The worker's loop on a port that is two rings in memory. */
#include "dataplane/worker.h"

#include <pthread.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/wire.h"
#include "tests/unit/dataplane/fixture.h"

#define PLACES  1024 /* as AF_XDP's ring has */
#define BUFFERS 4095
#define LIVE    40

static struct rte_mempool *pool;
static struct rte_ring *in, *away;
static struct dp_exchange exchange;
static struct dp_port port;
static struct dp_worker worker;
static atomic_bool stop;
static pthread_t thread;

/* What DPDK takes when it starts and leaves to the kernel at the end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:rte_eal_init";
}

static void start_environment(void)
{
	char *args[] = {"test", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "64", "-l",
		"0", "--log-level", "error"};
	ck_assert_int_ge(rte_eal_init(sizeof(args) / sizeof(args[0]), args), 0);
	pool = rte_pktmbuf_pool_create("frames", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	in = rte_ring_create("in", PLACES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	away = rte_ring_create("away", PLACES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	ck_assert(pool && in && away);
	int id = rte_eth_from_rings("wire", &in, 1, &away, 1, SOCKET_ID_ANY);
	ck_assert_int_ge(id, 0);
	struct rte_eth_conf conf = {0};
	ck_assert_int_eq(rte_eth_dev_configure((uint16_t)id, 1, 1, &conf), 0);
	ck_assert_int_eq(rte_eth_rx_queue_setup((uint16_t)id, 0, PLACES, SOCKET_ID_ANY, NULL, pool), 0);
	ck_assert_int_eq(rte_eth_tx_queue_setup((uint16_t)id, 0, PLACES, SOCKET_ID_ANY, NULL), 0);
	ck_assert_int_eq(rte_eth_dev_start((uint16_t)id), 0);
	ck_assert_int_eq(dp_exchange_open(&exchange, 1), 0);
	port = (struct dp_port){.id = (uint16_t)id, .has_tap = true, .claim = -1};
}

/* The region's legs get a worker; it does not run yet. */
static void open_worker(void)
{
	struct dp_worker_options o = {
		.region = f.region, .exchange = &exchange, .port = &port, .ports = 1, .stop = &stop};
	ck_assert_int_eq(dp_worker_open(&worker, 0, &o, pool), 0);
	f.legs.hops = worker.legs.hops;
	resolve(1);
	resolve(2);
}

static void *run(void *arg)
{
	dp_worker_run(arg);
	return NULL;
}

static struct rte_mbuf *frame(const void *bytes, uint16_t n)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	ck_assert_ptr_nonnull(m);
	memcpy(rte_pktmbuf_append(m, n), bytes, n);
	return m;
}

/* Alice's: G.711 with 160 bytes, to leg 1's port. False: the port has no place left. */
static bool arrives(uint16_t seq)
{
	uint8_t b[14 + 20 + 8 + 172] = {[12] = 0x08, [14] = 0x45, [22] = 64, [23] = 17};
	dp_put16(b + 16, 20 + 8 + 172);
	memcpy(b + 26, &(uint32_t){ALICE_BE}, 4);
	memcpy(b + 30, &(uint32_t){GATEWAY_BE}, 4);
	dp_put16(b + 34, 4000);
	dp_put16(b + 36, 20002);
	dp_put16(b + 38, 8 + 172);
	b[42] = 0x80;
	dp_put16(b + 44, seq);
	dp_put16(b + 48, (uint16_t)(seq * 160));
	b[53] = 7; /* SSRC */
	struct rte_mbuf *m = frame(b, sizeof(b));
	if (!rte_ring_sp_enqueue(in, m))
		return true;
	rte_pktmbuf_free(m);
	return false;
}

static void wait_for(const tg_counter *counter, uint64_t n)
{
	for (int i = 0; tg_counter_read(counter) < n; i++) {
		ck_assert_msg(i < 50000, "it says %" PRIu64 ", not %" PRIu64, tg_counter_read(counter), n);
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
}

/* Numbers of the packets that were sent, which must follow each other from `next`. */
static uint32_t check_sent(uint16_t next)
{
	uint32_t n = 0;
	struct rte_mbuf *m;
	for (; !rte_ring_sc_dequeue(away, (void **)&m); n++) {
		ck_assert_uint_eq(dp_get16(rte_pktmbuf_mtod(m, uint8_t *) + 44), (uint16_t)(next + n));
		rte_pktmbuf_free(m);
	}
	return n;
}

/* Nobody polled for so long that the ring was full, and what came after was dropped. Listeners hear a stream
 * that goes on with the next number, behind the hole. */
START_TEST(a_ring_that_was_full_leaves_no_gap)
{
	static const uint8_t arp[60] = {[12] = 0x08, 0x06};
	struct dp_outgoing out;
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 0, 0);
	ck_assert(relay(&p, &out));
	dp_legs_close(&f.legs);
	start_environment();
	open_worker();
	const struct tg_worker_stats *stats = worker.legs.stats;
	ck_assert_int_eq(rte_ring_sp_enqueue(in, frame(arp, sizeof(arp))), 0);
	uint16_t seq = 1;
	while (arrives(seq))
		seq++;
	uint32_t held = seq - 1u;
	ck_assert_uint_eq(held, PLACES - 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, run, &worker), 0);
	wait_for(&stats->drops[TG_DROP_backlog], held);
	wait_for(&stats->loops, 1);
	for (uint16_t i = 0; i < LIVE; i++)
		ck_assert(arrives((uint16_t)(seq + 500 + i)));
	wait_for(&stats->tx_frames, LIVE);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(check_sent((uint16_t)(out.rtp.seq + 1)), LIVE);
	ck_assert_uint_eq(tg_counter_read(&stats->drops[TG_DROP_backlog]), held);
	ck_assert_uint_eq(rte_ring_count(exchange.to_kernel[0]), 1);
	ck_assert_uint_eq(stats->sending.n, 0);
	ck_assert_uint_eq(stats->alive_ns, 0);
	ck_assert_uint_gt(stats->left_ns, 0);
	struct tg_meter both = {0}, one;
	for (uint32_t leg = 1; leg <= 2; leg++) {
		dp_meter_open_counts(&worker.legs, leg, &one);
		tg_meter_add(&both, &one);
	}
	ck_assert_uint_eq(both.v[TG_METER_rx_packets], 1 + held + LIVE);
	ck_assert_uint_eq(both.v[TG_METER_dropped_packets], held);
	ck_assert_uint_eq(both.v[TG_METER_relayed_packets], 1 + LIVE);
	dp_worker_close(&worker);
	dp_exchange_close(&exchange);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), BUFFERS);
	rte_eth_dev_stop(port.id);
	rte_eth_dev_close(port.id);
	tg_region_close(f.region);
	rte_eal_cleanup();
}
END_TEST

TESTS("worker", a_ring_that_was_full_leaves_no_gap)
