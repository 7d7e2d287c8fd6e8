/* Answers that no transaction of this process waits for: those to an INVITE of the process before it.
 *
 * A 2xx comes until it is acknowledged, whatever became of the INVITE's transaction, so it is worked off
 * here. Anything else need not be: the INVITE, once repeated, has the far end say its last word again. */
#include "controlplane/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* By the first hex digits of the branch, which are random and ours. */
#define DIGITS  3
#define BUCKETS (1u << 4 * DIGITS)
#define COOKIE  "z9hG4bK"

static unsigned bucket_of(const char *branch)
{
	char digits[DIGITS + 1];
	snprintf(digits, sizeof(digits), "%s", branch + strlen(COOKIE));
	return (unsigned)strtoul(digits, NULL, 16) % BUCKETS;
}

int ua_stray_expect(struct sip_leg *leg)
{
	struct ua *ua = leg->ua;
	if (!ua->restored)
		ua->restored = su_zalloc(ua->home, BUCKETS * sizeof(struct sip_leg *));
	if (!ua->restored)
		return -ENOMEM;
	struct sip_leg **bucket = &ua->restored[bucket_of(leg->branch)];
	leg->restored_next = *bucket;
	*bucket = leg;
	return 0;
}

void ua_stray_forget(struct sip_leg *leg)
{
	if (!leg->ua->restored || !leg->restored)
		return;
	struct sip_leg **p = &leg->ua->restored[bucket_of(leg->branch)];
	while (*p && *p != leg)
		p = &(*p)->restored_next;
	if (*p)
		*p = leg->restored_next;
}

static bool is_answer_to(const sip_t *sip, const struct sip_leg *leg)
{
	char branch[UA_BRANCH_BYTES];
	snprintf(branch, sizeof(branch), "%s.%u", leg->branch, sip->sip_cseq->cs_seq);
	return !strcasecmp(sip->sip_via->v_branch, branch) && !strcmp(sip->sip_call_id->i_id, leg->call_id) &&
	       sip->sip_from->a_tag && !strcasecmp(sip->sip_from->a_tag, leg->local_tag);
}

static struct sip_leg *find(const struct ua *ua, const sip_t *sip)
{
	const char *branch = sip->sip_via ? sip->sip_via->v_branch : NULL;
	if (!ua->restored || !branch || sip->sip_via->v_next || strncasecmp(branch, COOKIE, strlen(COOKIE)))
		return NULL;
	struct sip_leg *leg = ua->restored[bucket_of(branch)];
	while (leg && !is_answer_to(sip, leg))
		leg = leg->restored_next;
	return leg;
}

/* The INVITE that the dead process sent, perhaps not the first of the leg, was answered. */
static void adopt(struct sip_leg *leg, msg_t *msg, const sip_t *sip)
{
	if (ua_dialog_renew(leg, sip->sip_cseq->cs_seq))
		return; /* it comes again */
	leg->invite_cseq = sip->sip_cseq->cs_seq;
	ua_answered(leg, msg, sip);
}

static bool is_other_fork(const struct sip_leg *leg, const sip_t *sip)
{
	const char *known = nta_leg_get_rtag(leg->dialog), *tag = sip->sip_to->a_tag;
	return known && tag && strcasecmp(known, tag);
}

/* Takes msg over. */
static void on_answer(struct sip_leg *leg, msg_t *msg, sip_t *sip)
{
	switch (leg->state) {
	case SIP_LEG_PREPARED:
		adopt(leg, msg, sip);
		break;
	case SIP_LEG_ANSWERED:
	case SIP_LEG_UP:
	case SIP_LEG_ENDING:
		if (is_other_fork(leg, sip)) {
			if (!nta_msg_ackbye(ua_listen_of(leg)->agent, msg))
				return;
		} else if (leg->state != SIP_LEG_ANSWERED) {
			ua_ack_again(leg, sip->sip_cseq->cs_seq);
		}
		break;
	default: /* CALLING: the INVITE's own transaction gets it */
		break;
	}
	msg_destroy(msg);
}

void ua_stray(struct ua *ua, msg_t *msg, sip_t *sip)
{
	bool is_2xx = sip && sip->sip_status && sip->sip_status->st_status / 100 == 2 && sip->sip_cseq &&
		      sip->sip_cseq->cs_method == sip_method_invite;
	struct sip_leg *leg = is_2xx ? find(ua, sip) : NULL;
	if (leg)
		on_answer(leg, msg, sip);
	else
		msg_destroy(msg);
}
