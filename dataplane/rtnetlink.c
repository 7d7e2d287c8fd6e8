#include "dataplane/rtnetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>

/* The kernel answers at once; longer than this it does not answer at all. */
#define ANSWER_MS 200
#define KNOWN     (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

int dp_rtnetlink_open(struct dp_rtnetlink *rt)
{
	struct timeval wait = {.tv_usec = ANSWER_MS * 1000};
	memset(rt, 0, sizeof(*rt));
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!s)
		return -errno;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ||
		setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait))) {
		int e = -errno;
		mnl_socket_close(s);
		return e;
	}
	rt->socket = s;
	rt->port_id = mnl_socket_get_portid(s);
	return 0;
}

void dp_rtnetlink_close(struct dp_rtnetlink *rt)
{
	if (rt->socket)
		mnl_socket_close(rt->socket);
	rt->socket = NULL;
}

/* Sends the request and hands its answer to cb. An answer to an earlier question, which came too late, is
 * passed over by its sequence number. */
static int ask(struct dp_rtnetlink *rt, struct nlmsghdr *request, mnl_cb_t cb, void *data)
{
	char answer[8192];
	request->nlmsg_seq = ++rt->sequence;
	if (mnl_socket_sendto(rt->socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(rt->socket, answer, sizeof(answer));
		if (n < 0)
			return -errno;
		if (((struct nlmsghdr *)answer)->nlmsg_seq != request->nlmsg_seq)
			continue;
		return mnl_cb_run(answer, (size_t)n, request->nlmsg_seq, rt->port_id, cb, data) < 0 ? -errno
												    : 0;
	}
}

static int kernel_family(const struct tg_addr *a)
{
	return a->family == TG_FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

static size_t address_bytes(const struct tg_addr *a)
{
	return a->family == TG_FAMILY_IPV6 ? 16 : 4;
}

struct route_answer {
	uint32_t ifindex;
	struct tg_addr gateway;
	uint8_t type;
};

/* An address by the length that it has; another length leaves *out as it was. */
static void read_address(const void *at, size_t bytes, struct tg_addr *out)
{
	uint32_t ip_be;
	if (bytes == 16)
		*out = tg_addr_ipv6(at);
	if (bytes != sizeof(ip_be))
		return;
	memcpy(&ip_be, at, sizeof(ip_be));
	*out = tg_addr_ipv4(ip_be);
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	struct route_answer *out = data;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	out->type = rtm->rtm_type;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		size_t bytes = mnl_attr_get_payload_len(attr);
		if (mnl_attr_get_type(attr) == RTA_OIF && bytes >= 4)
			out->ifindex = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			read_address(mnl_attr_get_payload(attr), bytes, &out->gateway);
		if (mnl_attr_get_type(attr) == RTA_VIA && bytes > sizeof(struct rtvia)) {
			const struct rtvia *via = mnl_attr_get_payload(attr);
			read_address(via->rtvia_addr, bytes - sizeof(*via), &out->gateway);
		}
	}
	return MNL_CB_OK;
}

int dp_rtnetlink_route(
	struct dp_rtnetlink *rt, const struct tg_addr *to, unsigned *ifindex, struct tg_addr *via)
{
	char buf[MNL_NLMSG_HDRLEN + 256];
	struct route_answer answer = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (unsigned char)kernel_family(to);
	rtm->rtm_dst_len = (unsigned char)(8 * address_bytes(to));
	mnl_attr_put(nlh, RTA_DST, address_bytes(to), to->b);
	int e = ask(rt, nlh, on_route, &answer);
	if (e)
		return e;
	if (answer.type != RTN_UNICAST || !answer.ifindex)
		return -EHOSTUNREACH;
	*ifindex = answer.ifindex;
	*via = tg_addr_is_unspecified(&answer.gateway) ? *to : answer.gateway;
	return 0;
}

struct neighbour_answer {
	uint16_t state;
	bool has_mac;
	uint8_t mac[6];
};

static int on_neighbour(const struct nlmsghdr *nlh, void *data)
{
	struct neighbour_answer *out = data;
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	out->state = ndm->ndm_state;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm))
	{
		if (mnl_attr_get_type(attr) != NDA_LLADDR ||
			mnl_attr_get_payload_len(attr) != sizeof(out->mac))
			continue;
		memcpy(out->mac, mnl_attr_get_payload(attr), sizeof(out->mac));
		out->has_mac = true;
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *neighbour_request(char *buf, unsigned ifindex, const struct tg_addr *address)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ndmsg *ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	ndm->ndm_family = (unsigned char)kernel_family(address);
	ndm->ndm_ifindex = (int)ifindex;
	mnl_attr_put(nlh, NDA_DST, address_bytes(address), address->b);
	return nlh;
}

int dp_rtnetlink_neighbour(struct dp_rtnetlink *rt, unsigned ifindex, const struct tg_addr *address,
	struct dp_rtnetlink_neighbour *neighbour)
{
	char buf[MNL_NLMSG_HDRLEN + 256];
	struct neighbour_answer answer = {0};
	struct nlmsghdr *nlh = neighbour_request(buf, ifindex, address);
	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	int e = ask(rt, nlh, on_neighbour, &answer);
	if (e)
		return e;
	if (!(answer.state & KNOWN) || !answer.has_mac)
		return -ENOENT;
	memcpy(neighbour->mac, answer.mac, sizeof(answer.mac));
	neighbour->lasting = answer.state & (NUD_PERMANENT | NUD_NOARP);
	return 0;
}

int dp_rtnetlink_use(struct dp_rtnetlink *rt, unsigned ifindex, const struct tg_addr *address)
{
	char buf[MNL_NLMSG_HDRLEN + 256];
	struct nlmsghdr *nlh = neighbour_request(buf, ifindex, address);
	nlh->nlmsg_type = RTM_NEWNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
	((struct ndmsg *)mnl_nlmsg_get_payload(nlh))->ndm_flags = NTF_USE;
	return ask(rt, nlh, NULL, NULL);
}

struct link_answer {
	uint32_t parent;
	uint16_t vlan;
};

static int on_vlan_data(const struct nlattr *attr, void *data)
{
	struct link_answer *out = data;
	if (mnl_attr_get_type(attr) == IFLA_VLAN_ID && mnl_attr_get_payload_len(attr) >= 2)
		out->vlan = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int on_link_info(const struct nlattr *attr, void *data)
{
	/* The kind comes before its data; only VLAN interfaces have an IFLA_VLAN_ID of two bytes there. */
	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND && strcmp(mnl_attr_get_str(attr), "vlan"))
		return MNL_CB_STOP;
	if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
		return mnl_attr_parse_nested(attr, on_vlan_data, data);
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	struct link_answer *out = data;
	const struct nlattr *attr;
	mnl_attr_for_each(attr, nlh, sizeof(struct ifinfomsg))
	{
		if (mnl_attr_get_type(attr) == IFLA_LINK && mnl_attr_get_payload_len(attr) >= 4)
			out->parent = mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			mnl_attr_parse_nested(attr, on_link_info, out);
	}
	return MNL_CB_OK;
}

bool dp_rtnetlink_is_vlan(struct dp_rtnetlink *rt, unsigned ifindex, unsigned parent, uint16_t vlan)
{
	char buf[MNL_NLMSG_HDRLEN + 256];
	struct link_answer answer = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = (int)ifindex;
	return !ask(rt, nlh, on_link, &answer) && answer.parent == parent && answer.vlan == vlan;
}
