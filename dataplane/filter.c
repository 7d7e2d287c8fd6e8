#include "dataplane/filter.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/xdp/media_ports.h"

#define XDP_NAME "media_filter"
#define TC_NAME  "media_shield"
/* Where in the list of tc filters ours is: one fixed place, so that it is found again. */
#define TC_HANDLE   0x7467
#define TC_PRIORITY 0x7467
#define MAPS_MAX    8

static int failed(char *why, size_t n, int e, const char *what, const char *interface)
{
	snprintf(why, n, "cannot %s %s: %s%s", what, interface, strerror(-e),
		e == -EPERM || e == -EACCES ? "; run as root, or give CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW"
					    : "");
	return e;
}

int dp_filter_path(const char *object, char *path, size_t path_bytes, char *why, size_t why_bytes)
{
	static const char *const place[] = {"", "../lib/tollgate/"};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len < 0 ? 0 : len] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		slash[1] = '\0';
	for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++) {
		int n = snprintf(path, path_bytes, "%s%s%s", self, place[i], object);
		if (n > 0 && (size_t)n < path_bytes && !access(path, R_OK))
			return 0;
	}
	snprintf(why, why_bytes,
		"%s is neither in %s nor in ../lib/tollgate: install it beside tollgate-dataplane", object,
		self);
	return -ENOENT;
}

static int map_by_name(const struct bpf_prog_info *info, const char *name)
{
	const uint32_t *ids = (const uint32_t *)(uintptr_t)info->map_ids;
	for (uint32_t i = 0; i < info->nr_map_ids && i < MAPS_MAX; i++) {
		struct bpf_map_info map = {0};
		uint32_t bytes = sizeof(map);
		int fd = bpf_map_get_fd_by_id(ids[i]);
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &map, &bytes) &&
			!strncmp(map.name, name, sizeof(map.name) - 1))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

/* The program on the interface: *id 0 if there is none. ids: room for MAPS_MAX map ids. */
static int attached(unsigned ifindex, uint32_t *id, struct bpf_prog_info *info, uint32_t *ids)
{
	*id = 0;
	int e = bpf_xdp_query_id((int)ifindex, 0, id);
	if (e || !*id)
		return e;
	int fd = bpf_prog_get_fd_by_id(*id);
	if (fd < 0)
		return -errno;
	uint32_t bytes = sizeof(*info);
	memset(info, 0, sizeof(*info));
	info->nr_map_ids = MAPS_MAX;
	info->map_ids = (uintptr_t)ids;
	e = bpf_obj_get_info_by_fd(fd, info, &bytes) ? -errno : 0;
	close(fd);
	return e;
}

int dp_filter_xdp_clear(unsigned ifindex, const char *interface, char *why, size_t n)
{
	struct bpf_prog_info info;
	uint32_t id, ids[MAPS_MAX];
	int e = attached(ifindex, &id, &info, ids);
	if (e)
		return failed(why, n, e, "look for an XDP program on", interface);
	if (!id)
		return 0;
	if (strncmp(info.name, XDP_NAME, sizeof(info.name) - 1)) {
		snprintf(why, n,
			"interface %s has another XDP program (%s): take it off with `ip link set dev %s xdp "
			"off`",
			interface, info.name, interface);
		return -EBUSY;
	}
	e = bpf_xdp_detach((int)ifindex, 0, NULL);
	return e ? failed(why, n, e, "take the last run's XDP program off", interface) : 0;
}

/* Descriptors of what media_ports.bpf.h declares. Keys are addresses as on the wire. */
struct maps {
	int ports, address, address6;
};

static int configure(const struct maps *maps, const struct tg_capacity *cap, uint16_t vlan)
{
	uint32_t zero = 0;
	uint8_t yes = 1;
	struct media_ports ports = {.port_min = (uint16_t)cap->port_min,
		.port_max = (uint16_t)(cap->port_min + cap->ports - 1),
		.vlan = vlan};
	for (uint32_t i = 0; i < cap->addresses; i++) {
		bool ipv6 = cap->address[i].family == TG_FAMILY_IPV6;
		if (bpf_map_update_elem(
			    ipv6 ? maps->address6 : maps->address, cap->address[i].b, &yes, BPF_ANY))
			return -errno;
	}
	return bpf_map_update_elem(maps->ports, &zero, &ports, BPF_ANY) ? -errno : 0;
}

int dp_filter_xdp_configure(
	unsigned ifindex, const struct tg_capacity *cap, uint16_t vlan, char *why, size_t n)
{
	struct bpf_prog_info info;
	uint32_t id, ids[MAPS_MAX];
	int e = attached(ifindex, &id, &info, ids);
	if (!e && (!id || strncmp(info.name, XDP_NAME, sizeof(info.name) - 1)))
		e = -ENOENT;
	if (e)
		return failed(why, n, e, "find the XDP program that was attached to", "the interface");
	struct maps maps = {map_by_name(&info, "media_ports"), map_by_name(&info, "media_address"),
		map_by_name(&info, "media_address6")};
	e = maps.ports < 0 || maps.address < 0 || maps.address6 < 0 ? -ENOENT : configure(&maps, cap, vlan);
	const int fd[] = {maps.ports, maps.address, maps.address6};
	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return e ? failed(why, n, e, "configure the XDP program on", "the interface") : 0;
}

static int load(const char *path, struct bpf_object **object)
{
	struct bpf_object *o = bpf_object__open_file(path, NULL);
	if (!o)
		return -errno;
	int e = bpf_object__load(o);
	if (e)
		bpf_object__close(o);
	else
		*object = o;
	return e;
}

int dp_filter_tc_attach(unsigned ifindex, const struct tg_capacity *cap, uint16_t vlan, char *why, size_t n)
{
	char path[PATH_MAX];
	struct bpf_object *o = NULL;
	int e = dp_filter_path(TC_NAME ".bpf.o", path, sizeof(path), why, n);
	if (e)
		return e;
	e = load(path, &o);
	if (e)
		return failed(why, n, e, "load", path);
	struct maps maps = {bpf_object__find_map_fd_by_name(o, "media_ports"),
		bpf_object__find_map_fd_by_name(o, "media_address"),
		bpf_object__find_map_fd_by_name(o, "media_address6")};
	e = configure(&maps, cap, vlan);
	if (e) {
		failed(why, n, e, "configure", path);
		goto out;
	}
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY,
		.flags = BPF_TC_F_REPLACE,
		.prog_fd = bpf_program__fd(bpf_object__find_program_by_name(o, TC_NAME)));
	e = bpf_tc_hook_create(&hook);
	if (!e || e == -EEXIST)
		e = bpf_tc_attach(&hook, &opts);
	if (e)
		failed(why, n, e, "attach " TC_NAME " to", "the interface");
out:
	bpf_object__close(o); /* attached, it stays */
	return e;
}

void dp_filter_tc_detach(unsigned ifindex)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = TC_HANDLE, .priority = TC_PRIORITY);
	bpf_tc_detach(&hook, &opts);
}
