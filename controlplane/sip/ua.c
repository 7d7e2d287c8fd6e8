#include "controlplane/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/su_log.h>
#include <sofia-sip/tport_tag.h>

#include "base/clock.h"
#include "base/log.h"

#define ALLOW_TEXT        "INVITE, ACK, BYE, CANCEL, OPTIONS"
#define MESSAGE_BYTES_MAX (64 * 1024)
/* A TCP connection without traffic, and one that has sent half a message, in ms. */
#define TCP_IDLE_MS 180000
#define TCP_HALF_MS 30000

int ua_random_text(char out[static UA_TAG_BYTES])
{
	struct id id;
	int rc = id_new(&id);
	for (int i = 0; !rc && i < ID_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", id.b[i]);
	return rc;
}

static struct sip_leg **bucket_of(struct ua *ua, ua_leg number)
{
	return &ua->bucket[number & (ua->buckets - 1)];
}

struct sip_leg *ua_leg_new(struct ua *ua)
{
	struct sip_leg *leg = su_home_new(sizeof(*leg));
	if (!leg)
		return NULL;
	leg->ua = ua;
	leg->number = ++ua->last;
	leg->trunk = -1;
	struct sip_leg **bucket = bucket_of(ua, leg->number);
	leg->next = *bucket;
	*bucket = leg;
	leg->all_next = ua->all;
	leg->all_prev = &ua->all;
	if (ua->all)
		ua->all->all_prev = &leg->all_next;
	ua->all = leg;
	return leg;
}

struct sip_leg *ua_leg_find(struct ua *ua, ua_leg number)
{
	struct sip_leg *leg = *bucket_of(ua, number);
	while (leg && leg->number != number)
		leg = leg->next;
	return leg;
}

int ua_leg_identify(struct sip_leg *leg, uint32_t *cseq)
{
	char text[UA_TAG_BYTES];
	int rc = ua_random_text(text);
	if (rc)
		return rc;
	snprintf(leg->branch, sizeof(leg->branch), "z9hG4bK%s", text);
	*cseq = (uint32_t)su_randint(1, 0x7fff);
	return 0;
}

const char *ua_next_branch(const struct sip_leg *leg, char out[static UA_BRANCH_BYTES])
{
	snprintf(out, UA_BRANCH_BYTES, "%s.%u", leg->branch, nta_leg_get_seq(leg->dialog) + 1);
	return out;
}

void ua_leg_uncount(struct sip_leg *leg)
{
	if (leg->trunk < 0)
		return;
	source_release(&leg->ua->source, leg->trunk);
	leg->ua->incoming--;
	leg->trunk = -1;
}

void ua_leg_free(struct sip_leg *leg)
{
	struct ua *ua = leg->ua;
	struct sip_leg **p = bucket_of(ua, leg->number);
	while (*p != leg)
		p = &(*p)->next;
	*p = leg->next;
	*leg->all_prev = leg->all_next;
	if (leg->all_next)
		leg->all_next->all_prev = leg->all_prev;
	ua_stray_forget(leg);
	ua_leg_uncount(leg);
	su_home_unref(leg->home);
}

/* Lets go of everything of the stack; running transactions end by themselves. */
static void let_go(struct sip_leg *leg)
{
	su_timer_destroy(leg->guard);
	su_timer_destroy(leg->retry);
	leg->guard = leg->retry = NULL;
	ua_in_drop(leg);
	ua_out_drop(leg);
	nta_outgoing_destroy(leg->bye);
	leg->bye = NULL;
	nta_leg_destroy(leg->dialog);
	leg->dialog = NULL;
}

void ua_leg_over(struct sip_leg *leg)
{
	if (leg->state == SIP_LEG_OVER)
		return;
	leg->state = SIP_LEG_OVER;
	let_go(leg);
	ua_event_add(leg, UA_GONE);
}

/* Sofia's own messages: of use only to someone who looks for a fault. */
static void sofia_log(void *stream, char const *fmt, va_list ap)
{
	char line[512];
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\r\n")] = '\0';
	log_debug(sip, NULL, "sofia", "text=%s", log_quote(line));
}

/* Address and port as a URL has them. */
static const char *host_port(const struct ua_listen *l, const struct settings *s, char out[TG_ADDR_PORT_TEXT])
{
	return tg_addr_format_port(&l->address, (uint16_t)s->sip.port, out);
}

static int open_transport(const struct ua *ua, const struct ua_listen *l, const struct settings *s,
	const char *transport, char *why, size_t why_bytes)
{
	char url[128], at[TG_ADDR_PORT_TEXT];
	snprintf(url, sizeof(url), "sip:%s;transport=%s", host_port(l, s, at), transport);
	if (!nta_agent_add_tport(l->agent, (url_string_t *)url, TPTAG_SERVER(1), TPTAG_IDLE(TCP_IDLE_MS),
		    TPTAG_TIMEOUT(TCP_HALF_MS), TAG_END()))
		return 0;
	int rc = errno ? -errno : -EADDRINUSE;
	snprintf(why, why_bytes, "sip.%s %s, sip.port %d, %s: %s; %s",
		l == ua->listen ? "address" : "second_address", tg_addr_format(&l->address, at), s->sip.port,
		transport, strerror(-rc),
		rc == -EADDRINUSE      ? "see who has it with `ss -lnp`"
		: rc == -EADDRNOTAVAIL ? "see this host's addresses with `ip -brief address`"
				       : "check the addresses and sip.port in the settings");
	return rc;
}

static bool is_guest(const struct sip_leg *leg)
{
	return leg->tcp && leg->peer.family && leg->state != SIP_LEG_OVER &&
	       source_find(&leg->ua->source, &leg->peer) < 0;
}

void ua_welcome(struct sip_leg *leg)
{
	struct ua *ua = leg->ua;
	struct tg_addr address[TCP_FILTER_GUESTS_MAX];
	int n = 0, at = (int)(ua_listen_of(leg) - ua->listen);
	struct tcp_filter *filter = &ua->listen[at].filter;
	if (!is_guest(leg) || filter->family != leg->peer.family || tcp_filter_has_guest(filter, &leg->peer))
		return;
	/* Those whose calls are over are no guests any more. */
	address[n++] = leg->peer;
	bool full = false;
	for (const struct sip_leg *l = ua->all; l; l = l->all_next) {
		int i = 0;
		if (l->peer.family != filter->family || !is_guest(l))
			continue;
		while (i < n && !tg_addr_equal(&address[i], &l->peer))
			i++;
		if (i == TCP_FILTER_GUESTS_MAX)
			full = true;
		else if (i == n)
			address[n++] = l->peer;
	}
	int rc = tcp_filter_set_guests(filter, address, n);
	if ((rc || full) && !ua->guests_full)
		log_warn(sip, NULL, "tcp-guests-full",
			"reason=\"%s\" effect=\"some far ends of calls can't open TCP connections\" "
			"advice=\"list their addresses in sip.trunks\"",
			rc ? strerror(-rc) : "too many addresses");
	ua->guests_full = rc || full;
}

static void on_watch(su_root_magic_t *magic, su_timer_t *timer, void *arg)
{
	struct ua *ua = arg;
	for (int i = 0; i < ua->listens; i++)
		tcp_filter_watch(&ua->listen[i].filter);
}

static int open_filters(struct ua *ua, const struct settings *s, char *why, size_t why_bytes)
{
	int rc = 0;
	for (int i = 0; !rc && i < ua->listens; i++)
		rc = tcp_filter_attach(&ua->listen[i].filter, &ua->listen[i].address, s);
	if (rc) {
		snprintf(why, why_bytes,
			"the TCP port could not be closed to strangers: %s; mount /proc, or set sip.tcp = "
			"false",
			strerror(-rc));
		return rc;
	}
	ua->watch = su_timer_create(su_root_task(ua->root), TCP_FILTER_WATCH_MS);
	if (ua->watch && !su_timer_set_for_ever(ua->watch, on_watch, ua))
		return 0;
	snprintf(why, why_bytes, "out of memory");
	return -ENOMEM;
}

static int open_agent(
	struct ua *ua, struct ua_listen *l, const struct settings *s, char *why, size_t why_bytes)
{
	l->agent = nta_agent_create(ua->root, (url_string_t *)-1, ua_on_message, ua, NTATAG_UA(1),
		NTATAG_MERGE_482(1), NTATAG_MAXSIZE(MESSAGE_BYTES_MAX), NTATAG_USE_NAPTR(0),
		NTATAG_CANCEL_487(0), TAG_END());
	if (!l->agent) {
		snprintf(why, why_bytes, "the SIP stack could not be started: %s", strerror(errno));
		return -ENOMEM;
	}
	int rc = open_transport(ua, l, s, "udp", why, why_bytes);
	return !rc && s->sip.tcp ? open_transport(ua, l, s, "tcp", why, why_bytes) : rc;
}

static int open_agents(struct ua *ua, const struct settings *s, char *why, size_t why_bytes)
{
	int rc = 0;
	for (int i = 0; !rc && i < ua->listens; i++)
		rc = open_agent(ua, &ua->listen[i], s, why, why_bytes);
	if (!rc && s->sip.tcp)
		rc = open_filters(ua, s, why, why_bytes);
	return rc;
}

static int make_contacts(struct ua *ua, const struct settings *s)
{
	char url[128], at[TG_ADDR_PORT_TEXT];
	for (int i = 0; i < ua->listens; i++) {
		struct ua_listen *l = &ua->listen[i];
		snprintf(url, sizeof(url), "<sip:%s>", host_port(l, s, at));
		l->udp = sip_contact_make(ua->home, url);
		snprintf(url, sizeof(url), "<sip:%s;transport=tcp>", at);
		if (s->sip.tcp)
			l->tcp = sip_contact_make(ua->home, url);
		if (!l->udp || (s->sip.tcp && !l->tcp))
			return -ENOMEM;
	}
	return 0;
}

static int make_headers(struct ua *ua, const struct settings *s)
{
	ua->allow = sip_allow_make(ua->home, ALLOW_TEXT);
	ua->accept = sip_accept_make(ua->home, "application/sdp");
	struct id secret;
	int rc = id_new(&secret);
	memcpy(ua->secret, secret.b, sizeof(ua->secret));
	if (rc)
		return rc;
	return ua->allow && ua->accept ? make_contacts(ua, s) : -ENOMEM;
}

int ua_create(struct ua **ua_out, struct su_root_t *root, const struct settings *settings, ua_handler handler,
	void *ctx, char *why, size_t why_bytes)
{
	struct tg_addr address, second;
	bool two = *settings->sip.second_address;
	if (!tg_addr_parse(settings->sip.address, &address) || !tg_addr_is_host(&address) ||
		(two && (!tg_addr_parse(settings->sip.second_address, &second) ||
				!tg_addr_is_host(&second)))) {
		snprintf(why, why_bytes,
			"sip.address %s, sip.second_address %s: must be addresses of this host; peers are "
			"told them",
			settings->sip.address, settings->sip.second_address);
		return -EINVAL;
	}
	struct ua *ua = su_home_new(sizeof(*ua));
	if (!ua) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	su_home_init(ua->spare.home);
	ua->listens = two ? 2 : 1;
	ua->listen[0] = (struct ua_listen){.address = address, .filter.fd = -1};
	if (two)
		ua->listen[1] = (struct ua_listen){.address = second, .filter.fd = -1};
	su_log_redirect(NULL, sofia_log, NULL);
	ua->root = (su_root_t *)root; /* opaque to those who have no Sofia headers */
	ua->handler = handler;
	ua->ctx = ctx;
	ua->max_sessions = settings->sip.max_sessions;
	source_init(&ua->source, settings, clock_mono_ns());
	for (ua->buckets = 1024; ua->buckets < 2u * (uint32_t)ua->max_sessions;)
		ua->buckets *= 2;
	ua->bucket = su_zalloc(ua->home, ua->buckets * sizeof(ua->bucket[0]));
	ua->counters = su_zalloc(ua->home, sizeof(*ua->counters));
	int rc = ua->bucket && ua->counters ? ua_events_open(ua) : -ENOMEM;
	if (!rc)
		rc = sofia_stderr_replace(&ua->log_stream);
	if (!rc)
		rc = make_headers(ua, settings);
	if (rc)
		snprintf(why, why_bytes, "%s", strerror(-rc));
	else
		rc = open_agents(ua, settings, why, why_bytes);
	if (rc) {
		ua_destroy(ua);
		return rc;
	}
	log_info(sip, NULL, "listening", "address=%s second_address=%s port=%d tcp=%s trunks=%d",
		settings->sip.address, two ? settings->sip.second_address : "-", settings->sip.port,
		settings->sip.tcp ? "yes" : "no", ua->source.trunks);
	*ua_out = ua;
	return 0;
}

void ua_destroy(struct ua *ua)
{
	if (!ua)
		return;
	if (ua->wake)
		ua_events_close(ua);
	while (ua->all) {
		let_go(ua->all);
		ua_leg_free(ua->all);
	}
	su_timer_destroy(ua->watch);
	for (int i = 0; i < ua->listens; i++)
		nta_agent_destroy(ua->listen[i].agent);
	sofia_stderr_restore(&ua->log_stream);
	su_home_deinit(ua->spare.home);
	su_home_unref(ua->home);
}

void ua_drain(struct ua *ua, bool draining)
{
	ua->draining = draining;
}

const struct ua_counters *ua_counters(const struct ua *ua)
{
	ua->counters->malformed = ua->malformed;
	for (int i = 0; i < ua->listens; i++) {
		usize_t refused = 0;
		nta_agent_get_stats(ua->listen[i].agent, NTATAG_S_BAD_MESSAGE_REF(refused), TAG_END());
		ua->counters->malformed += refused;
	}
	return ua->counters;
}

const char *ua_call_id(struct ua *ua, ua_leg number)
{
	const struct sip_leg *leg = ua_leg_find(ua, number);
	return leg ? leg->call_id : NULL;
}
