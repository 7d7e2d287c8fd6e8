#include "dataplane/telemetry.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

/* DPDK gives its handlers nothing of ours, so what they read is reached from here. The lock keeps the region
 * mapped while one reads; no worker takes it. */
static struct {
	pthread_mutex_t lock;
	const struct tg_region *region; /* NULL: closed */
	const struct dp_port *port;
	uint32_t ports;
	struct dp_capture *capture;
} source = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The number after the command; -EINVAL where there is none, something else, or none below `count`. */
static int number_of(const char *params, uint32_t count, uint32_t *n)
{
	char *end;
	if (!params || !isdigit((unsigned char)*params))
		return -EINVAL;
	unsigned long v = strtoul(params, &end, 10);
	if (*end || v >= count)
		return -EINVAL;
	*n = (uint32_t)v;
	return 0;
}

static uint32_t workers(void)
{
	return tg_region_capacity(source.region)->workers;
}

static int say_info(const char *params, struct rte_tel_data *d)
{
	char id[24];
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)tg_region_id(source.region));
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "version", TG_VERSION);
	rte_tel_data_add_dict_u64(d, "layout", TG_LAYOUT_VERSION);
	rte_tel_data_add_dict_string(d, "region", id);
	rte_tel_data_add_dict_u64(d, "huge_pages", tg_region_on_huge_pages(source.region));
	rte_tel_data_add_dict_u64(d, "workers", workers());
	rte_tel_data_add_dict_u64(d, "ports", source.ports);
	return rte_tel_data_add_dict_u64(d, "legs", tg_region_legs(source.region));
}

static int say_workers(const char *params, struct rte_tel_data *d)
{
	rte_tel_data_start_array(d, RTE_TEL_U64_VAL);
	for (uint32_t w = 0; w < workers(); w++)
		rte_tel_data_add_array_u64(d, w);
	return 0;
}

static int say_worker(const char *params, struct rte_tel_data *d)
{
	uint32_t w;
	if (number_of(params, workers(), &w))
		return -EINVAL;
	const struct tg_worker_stats *s = tg_region_stats(source.region, w);
	rte_tel_data_start_dict(d);
#define STAT(name, help) rte_tel_data_add_dict_u64(d, #name, tg_counter_read(&s->name));
	TG_WORKER_STATS(STAT)
#undef STAT
	return 0;
}

/* Of one worker, or of all together. */
static int say_drops(const char *params, struct rte_tel_data *d)
{
	uint32_t first = 0, end = workers();
	if (params && *params) {
		if (number_of(params, end, &first))
			return -EINVAL;
		end = first + 1;
	}
	rte_tel_data_start_dict(d);
	for (int why = 0; why < TG_DROPS; why++) {
		uint64_t n = 0;
		for (uint32_t w = first; w < end; w++)
			n += tg_counter_read(&tg_region_stats(source.region, w)->drops[why]);
		rte_tel_data_add_dict_u64(d, tg_drop_info[why].name, n);
	}
	return 0;
}

static int say_meters(const char *params, struct rte_tel_data *d)
{
	rte_tel_data_start_dict(d);
	for (int m = 0; m < TG_METERS; m++) {
		uint64_t n = 0;
		for (uint32_t w = 0; w < workers(); w++)
			n += tg_counter_read(&tg_region_stats(source.region, w)->total[m]);
		rte_tel_data_add_dict_u64(d, tg_meter_name[m], n);
	}
	return 0;
}

static int say_ports(const char *params, struct rte_tel_data *d)
{
	rte_tel_data_start_array(d, RTE_TEL_U64_VAL);
	for (uint32_t p = 0; p < source.ports; p++)
		rte_tel_data_add_array_u64(d, p);
	return 0;
}

static int say_port(const char *params, struct rte_tel_data *d)
{
	uint32_t p;
	if (number_of(params, source.ports, &p))
		return -EINVAL;
	const struct dp_port *port = &source.port[p];
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "ethdev", port->id);
	rte_tel_data_add_dict_string(d, "interface", port->settings->interface);
	rte_tel_data_add_dict_string(d, "device", port->settings->device);
	return rte_tel_data_add_dict_u64(d, "vlan", port->vlan);
}

static void add_address(
	struct rte_tel_data *d, const char *name, const struct tg_addr *address, uint16_t port)
{
	char text[TG_ADDR_PORT_TEXT];
	rte_tel_data_add_dict_string(d, name, tg_addr_format_port(address, port, text));
}

/* Legs that are open now, by index: as many as an answer holds. */
static int say_legs(const char *params, struct rte_tel_data *d)
{
	uint32_t shown = 0;
	rte_tel_data_start_array(d, RTE_TEL_U64_VAL);
	for (uint32_t leg = 0; leg < tg_region_legs(source.region); leg++) {
		const struct tg_ingress *row = tg_region_ingress(source.region, leg);
		if (!atomic_load_explicit(&row->generation, memory_order_relaxed))
			continue;
		if (shown++ == RTE_TEL_MAX_ARRAY_ENTRIES)
			break;
		rte_tel_data_add_array_u64(d, leg);
	}
	return 0;
}

static int say_leg(const char *params, struct rte_tel_data *d)
{
	static const char *const kinds[] = {"none", "relay", "play"};
	uint32_t leg;
	uint16_t port;
	if (number_of(params, tg_region_legs(source.region), &leg))
		return -EINVAL;
	const struct tg_ingress *row = tg_region_ingress(source.region, leg);
	const struct tg_egress *e = tg_region_egress(source.region, leg);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(
		d, "generation", atomic_load_explicit(&row->generation, memory_order_relaxed));
	const struct tg_addr *local = tg_capacity_address(tg_region_capacity(source.region), leg, &port);
	struct tg_addr remote = local->family == TG_FAMILY_IPV6
					? tg_addr_ipv6(tg_region_ipv6(source.region, leg)->match)
					: tg_addr_ipv4(row->match_ip_be);
	add_address(d, "local", local, port);
	add_address(d, "remote", &remote, be16toh(row->match_port_be));
	uint8_t kind = e->source;
	rte_tel_data_add_dict_string(d, "hears", kind < 3 ? kinds[kind] : "unknown");
	rte_tel_data_add_dict_u64(d, "rx_packets", tg_counter_read(&row->rx_packets));
	rte_tel_data_add_dict_u64(d, "rx_octets", tg_counter_read(&row->rx_octets));
	rte_tel_data_add_dict_u64(d, "forwarded_packets", tg_counter_read(&row->forwarded_packets));
	rte_tel_data_add_dict_u64(d, "played_packets", tg_counter_read(&e->played_packets));
	rte_tel_data_add_dict_u64(
		d, "dropped_packets", atomic_load_explicit(&row->dropped_packets, memory_order_relaxed));
	return rte_tel_data_add_dict_u64(d, "digits", e->stint_digits);
}

/* Where the frames go, or why they don't. */
static int say_capture_of(uint32_t what, struct rte_tel_data *d)
{
	char text[256];
	int e = dp_capture_start(source.capture, what, text, sizeof(text));
	rte_tel_data_start_dict(d);
	return rte_tel_data_add_dict_string(d, e ? "error" : "file", text);
}

static int say_capture_leg(const char *params, struct rte_tel_data *d)
{
	uint32_t leg;
	if (number_of(params, tg_region_legs(source.region), &leg))
		return -EINVAL;
	return say_capture_of(DP_CAPTURE_LEG + leg, d);
}

static int say_capture_drops(const char *params, struct rte_tel_data *d)
{
	return say_capture_of(DP_CAPTURE_DROPS, d);
}

static void add_capture(struct rte_tel_data *d)
{
	struct dp_capture_state state;
	dp_capture_look(source.capture, &state);
	rte_tel_data_add_dict_string(d, "file", state.path);
	rte_tel_data_add_dict_u64(d, "running", state.what != DP_CAPTURE_NOTHING);
	rte_tel_data_add_dict_u64(d, "frames", state.frames);
	rte_tel_data_add_dict_u64(d, "lost", state.lost);
}

static int say_capture(const char *params, struct rte_tel_data *d)
{
	rte_tel_data_start_dict(d);
	add_capture(d);
	return 0;
}

static int say_capture_stop(const char *params, struct rte_tel_data *d)
{
	char text[256];
	int e = dp_capture_stop(source.capture, text, sizeof(text));
	rte_tel_data_start_dict(d);
	if (e)
		rte_tel_data_add_dict_string(d, "error", text);
	else
		add_capture(d);
	return 0;
}

/* ENDPOINT(name, handler, help): /tollgate/NAME. */
#define ENDPOINTS(ENDPOINT)                                                                             \
	ENDPOINT(info, say_info, "Version, region and sizes. No parameters.")                           \
	ENDPOINT(workers, say_workers, "Numbers of the workers. No parameters.")                        \
	ENDPOINT(worker, say_worker, "Counters of a worker. Parameters: worker")                        \
	ENDPOINT(drops, say_drops, "Dropped frames by reason. Parameters: worker; none: all together")  \
	ENDPOINT(meters, say_meters, "What all workers have metered. No parameters.")                   \
	ENDPOINT(ports, say_ports, "Numbers of the media ports. No parameters.")                        \
	ENDPOINT(port, say_port, "A media port; /ethdev has its counters. Parameters: port")            \
	ENDPOINT(legs, say_legs, "Open legs, the first 512. No parameters.")                            \
	ENDPOINT(leg, say_leg, "One leg. Parameters: leg")                                              \
	ENDPOINT(capture, say_capture, "The capture that runs or ran last. No parameters.")             \
	ENDPOINT(capture_leg, say_capture_leg, "Captures a leg's frames to a file. Parameters: leg")    \
	ENDPOINT(capture_drops, say_capture_drops, "Captures dropped frames to a file. No parameters.") \
	ENDPOINT(capture_stop, say_capture_stop, "Ends the capture. No parameters.")

#define ENDPOINT(name, handler, help)                                                         \
	static int answer_##name(const char *cmd, const char *params, struct rte_tel_data *d) \
	{                                                                                     \
		pthread_mutex_lock(&source.lock);                                             \
		int e = source.region ? handler(params, d) : -ENODEV;                         \
		pthread_mutex_unlock(&source.lock);                                           \
		return e < 0 ? e : 0;                                                         \
	}
ENDPOINTS(ENDPOINT)
#undef ENDPOINT

int dp_telemetry_open(const struct tg_region *region, const struct dp_port *port, uint32_t ports,
	struct dp_capture *capture)
{
	int e = 0;
	pthread_mutex_lock(&source.lock);
	source.region = region;
	source.port = port;
	source.ports = ports;
	source.capture = capture;
	pthread_mutex_unlock(&source.lock);
#define ENDPOINT(name, handler, help) \
	e = e ? e : rte_telemetry_register_cmd("/tollgate/" #name, answer_##name, help);
	ENDPOINTS(ENDPOINT)
#undef ENDPOINT
	return e;
}

void dp_telemetry_close(void)
{
	pthread_mutex_lock(&source.lock);
	source.region = NULL;
	pthread_mutex_unlock(&source.lock);
}
