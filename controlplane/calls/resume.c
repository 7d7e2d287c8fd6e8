/* A session that another process left goes on: everything that was in flight and may be repeated is asked for
 * again. What was done already is recognised where it arrives: a far end takes an INVITE or a 2xx for a
 * retransmission, a worker takes a play that it knows, a stint that is open, for done. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/calls/session.h"

static void respond(struct session *s, int leg, int status, const struct media_description *sdp)
{
	struct action *a = session_add(s, ACTION_RESPOND, leg);
	if (!a)
		return;
	a->status = status;
	if (!sdp)
		return;
	a->sdp = malloc(sizeof(*a->sdp));
	if (a->sdp)
		*a->sdp = *sdp;
}

static void bye(struct session *s, int leg)
{
	struct action *a = session_add(s, ACTION_BYE, leg);
	if (!a)
		return;
	a->status = 16;
	a->text = strdup(s->reason);
}

static void resume_ending(struct session *s, int leg)
{
	const struct leg *l = s->leg[leg];
	if (!l->outbound && l->final_status >= 300) {
		respond(s, leg, l->final_status, NULL); /* perhaps once more: the caller may not have heard */
	} else if (l->answered_ns) {
		bye(s, leg);
	} else if (!l->outbound) {
		respond(s, leg, 480, NULL);
	} else {
		session_add(s, ACTION_RESEND, leg);
		session_add(s, ACTION_CANCEL, leg);
	}
}

static void resume_dialog(struct session *s, int leg)
{
	const struct leg *l = s->leg[leg];
	switch (l->state) {
	case LEG_INCOMING:
		respond(s, leg, 180, NULL);
		break;
	case LEG_CALLING:
	case LEG_RINGING:
		session_add(s, ACTION_RESEND, leg);
		if (l->cancelled)
			session_add(s, ACTION_CANCEL, leg);
		break;
	case LEG_ANSWERED:
		if (l->outbound)
			session_add(s, ACTION_ACK, leg);
		else if (!l->acked)
			respond(s, leg, 200, &l->local);
		break;
	case LEG_ENDING:
		resume_ending(s, leg);
		break;
	case LEG_GONE:
		break;
	}
}

static struct tg_leg_source source_of(const struct session *s, int leg)
{
	if (s->dial.bridged && s->dial.callee > 0 && (leg == 0 || leg == s->dial.callee)) {
		const struct leg *other = s->leg[leg == 0 ? s->dial.callee : 0];
		return (struct tg_leg_source){
			.kind = TG_SOURCE_RELAY, .peer = other->row.row, .generation = other->row.generation};
	}
	if (leg == 0 && s->play.playing)
		return (struct tg_leg_source){.kind = TG_SOURCE_PLAY,
			.stop_on_digit = s->play.stop_on_digit,
			.peer = s->play.item,
			.generation = s->play.generation,
			.play_id = s->play.id,
			.loops = s->play.loops};
	return (struct tg_leg_source){.kind = TG_SOURCE_NONE};
}

/* One chain brings every row to what the session wants; what is so already stays untouched. */
static void resume_media(struct session *s, const bool *stint_differs, const struct session_env *env)
{
	struct link_chain chain = {.n = 0};
	for (int i = 0; i < s->legs; i++) {
		if (!s->leg[i]->row_open || s->leg[i]->row_pending)
			continue;
		media_program(s, i, &chain, env);
		if (stint_differs[i] && chain.n < TG_CHAIN_MAX)
			chain.command[chain.n++] = (struct tg_command){.kind = TG_CMD_STINT,
				.leg = s->leg[i]->row.row,
				.generation = s->leg[i]->row.generation,
				.stint = s->stint};
	}
	for (int i = 0; i < s->legs; i++) {
		struct tg_leg_source source = source_of(s, i);
		media_hear(s, i, &chain, &source);
	}
	media_submit(s, &chain);
}

/* The release was decided, but the row never opened: it is opened and released, for a record of it. */
static void release_again(struct session *s)
{
	for (int i = 0; i < s->legs; i++)
		if (s->state != SESSION_RUNNING || s->leg[i]->state == LEG_ENDING ||
			s->leg[i]->state == LEG_GONE)
			media_release_rows(s, i);
}

void session_resume(struct session *s, const bool *stint_differs, const struct session_env *env)
{
	resume_media(s, stint_differs, env);
	release_again(s);
	for (int i = 0; i < s->legs; i++)
		resume_dialog(s, i);
	if (s->state == SESSION_RUNNING && s->wanted_url)
		instructions_fetch_again(s);
	if (s->state == SESSION_RUNNING && s->play.resolving) {
		struct action *a = session_add(s, ACTION_RESOLVE, -1);
		if (a)
			a->text = strdup(s->play.url);
	}
	if (s->state == SESSION_RUNNING && s->play.waiting)
		instructions_play_pending(s, env);
	session_maybe_close(s, env);
}
