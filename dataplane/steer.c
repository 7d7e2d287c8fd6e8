#include "dataplane/steer.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_flow.h>

#include "base/log.h"
#include "dataplane/steer_plan.h"

static struct rte_flow *add_rule(
	const struct dp_port *p, const struct dp_steer_rule *rule, struct rte_flow_error *error)
{
	struct rte_flow_item_vlan vlan = {.tci = htobe16(p->vlan)}, vlan_mask = {.tci = htobe16(0xfff)};
	struct rte_flow_item_ipv4 ip = {.hdr.dst_addr = tg_addr_ipv4_be(&rule->address)},
				  ip_mask = {.hdr.dst_addr = UINT32_MAX};
	struct rte_flow_item_ipv6 ip6 = {.hdr = {.vtc_flow = 0}}, ip6_mask = {.hdr = {.vtc_flow = 0}};
	memcpy(ip6.hdr.dst_addr, rule->address.b, sizeof(ip6.hdr.dst_addr));
	memset(ip6_mask.hdr.dst_addr, 0xff, sizeof(ip6_mask.hdr.dst_addr));
	bool ipv6 = rule->address.family == TG_FAMILY_IPV6;
	struct rte_flow_item_udp udp = {.hdr.dst_port = htobe16(rule->port)},
				 udp_mask = {.hdr.dst_port = htobe16(rule->mask)};
	struct rte_flow_action_queue queue = {.index = (uint16_t)rule->worker};
	struct rte_flow_attr attr = {.ingress = 1};
	struct rte_flow_item pattern[5] = {{.type = RTE_FLOW_ITEM_TYPE_ETH}};
	uint32_t n = 1;
	if (p->vlan)
		pattern[n++] = (struct rte_flow_item){
			.type = RTE_FLOW_ITEM_TYPE_VLAN, .spec = &vlan, .mask = &vlan_mask};
	pattern[n++] = ipv6 ? (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_IPV6,
				      .spec = &ip6,
				      .mask = &ip6_mask}
			    : (struct rte_flow_item){
				      .type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &ip, .mask = &ip_mask};
	pattern[n++] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_UDP,
		.spec = rule->mask ? &udp : NULL,
		.mask = rule->mask ? &udp_mask : NULL};
	pattern[n] = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_END};
	const struct rte_flow_action action[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue}, {.type = RTE_FLOW_ACTION_TYPE_END}};
	return rte_flow_create(p->id, &attr, pattern, action, error);
}

static void steer_by_rules(const struct dp_port *p, const struct dp_steer_rule *rule, uint32_t n)
{
	struct rte_flow_error error = {0};
	uint32_t made = 0;
	while (made < n && add_rule(p, &rule[made], &error))
		made++;
	if (made == n) {
		log_info(port, NULL, "steering", "port=%u by=rte_flow rules=%u", p->index, n);
		return;
	}
	if (made)
		rte_flow_flush(p->id, &(struct rte_flow_error){0});
	log_info(port, NULL, "steering",
		"port=%u by=rss effect=\"workers hand packets of each other's legs over\" reason=%s",
		p->index, log_quote(error.message ? error.message : "the driver has no flow rules"));
}

void dp_steer(const struct dp_port *p, const struct tg_capacity *cap)
{
	if (cap->workers == 1)
		return;
	struct dp_steer_rule *rule = malloc(DP_STEER_RULES_MAX * sizeof(*rule));
	if (!rule) {
		log_warn(port, NULL, "steering", "port=%u by=rss reason=\"out of memory\"", p->index);
		return;
	}
	steer_by_rules(p, rule, dp_steer_plan(cap, rule));
	free(rule);
}
