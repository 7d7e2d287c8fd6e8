/* The user agent by itself, driven by a script: what it says is printed as lines, what it shall do is read as
 * lines.
 *
 *   ua_probe SETTINGS
 *
 * An INVITE is treated by the user part of its Request-URI:
 *   ring      180, and nothing more
 *   early     183 with SDP, then 200
 *   hangup    200, and BYE when the ACK is there
 *   hold      200, and a re-INVITE (sendonly) when the ACK is there
 *   mute      200, and no answer to a re-INVITE
 *   4xx, 5xx, 6xx  that status
 *   else      180, 200
 * Commands: "call URI [USER PASSWORD]", "late URI" (no offer), "bad KIND" (an INVITE that must be refused),
 * "bye LEG", "cancel LEG", "reinvite LEG", "state LEG", "counters", "drain", "quit".
 *
 * For a takeover: "keep FILE" has the state of each leg appended there, one JSON object a line, before what
 * depends on it is done; "die MOMENT" is death by SIGKILL at that moment ("before:send", "after:answer",
 * ...); "restore FILE" takes up what a predecessor kept, and "answer LEG", "refuse LEG", "send LEG", "ack
 * LEG" then repeat what it may have done. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/log.h"
#include "controlplane/calls/negotiation.h"
#include "controlplane/sip/loop.h"
#include "controlplane/sip/sdp.h"
#include "controlplane/sip/ua.h"
#include "settings/settings.h"

#define LEGS_MAX 4096

struct probe {
	struct loop *loop;
	struct ua *ua;
	struct settings settings;
	char plan[LEGS_MAX][16]; /* what an incoming leg is for */
	bool late[LEGS_MAX];
	struct media_description answer[LEGS_MAX]; /* what we answer; streams 0: nothing */
	int keep;                                  /* descriptor; -1: no */
	char die[32];
	int version;
	char input[4096];
	size_t used;
};

static const char *const kinds[] = {"INVITE", "CANCELLED", "ACKED", "NOT_ACKED", "PROGRESS", "ANSWERED",
	"FAILED", "REINVITE", "REINVITE_DONE", "ENDED", "GONE"};

static struct media_description ours(struct probe *p)
{
	struct media_description d = {
		.session_id = 4711, .streams = 1, .ptime = 20, .direction = MEDIA_SENDRECV};
	d.session_version = (uint64_t)++p->version;
	tg_addr_parse(p->settings.sip.address, &d.address);
	d.port = 20000;
	d.codecs = 3;
	d.codec[0] = (struct media_codec){MEDIA_PCMU, 0, 8000};
	d.codec[1] = (struct media_codec){MEDIA_PCMA, 8, 8000};
	d.codec[2] = (struct media_codec){MEDIA_TELEPHONE_EVENT, 101, 8000};
	return d;
}

/* Dies here, if that is wanted. */
static void moment(struct probe *p, const char *when, const char *what)
{
	char name[64];
	snprintf(name, sizeof(name), "%s:%s", when, what);
	if (!strcmp(p->die, name)) {
		fflush(stdout);
		kill(getpid(), SIGKILL);
	}
}

/* To be freed; NULL: the leg is gone. */
static char *dialog_text(struct probe *p, ua_leg leg)
{
	json_t *state = ua_dialog_state(p->ua, leg);
	char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
	json_decref(state);
	return text;
}

/* State before action. */
static void keep(struct probe *p, ua_leg leg, const char *action)
{
	char sdp[SDP_WRITE_BYTES] = "";
	const struct media_description *answer = &p->answer[leg % LEGS_MAX];
	if (p->keep < 0)
		return;
	if (answer->streams && sdp_write(answer, sdp, sizeof(sdp)) < 0)
		abort();
	json_t *state = ua_dialog_state(p->ua, leg), *dialog = state ? state : json_null();
	json_t *o = json_pack("{s:I, s:s, s:i, s:s, s:s, s:b, s:o}", "leg", (json_int_t)leg, "action", action,
		"version", p->version, "plan", p->plan[leg % LEGS_MAX], "answer", sdp, "late",
		(int)p->late[leg % LEGS_MAX], "dialog", dialog);
	char *line = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (!line || file_write_all(p->keep, line, strlen(line)) || file_write_all(p->keep, "\n", 1))
		abort();
	free(line);
	json_decref(o);
	moment(p, "before", action);
}

static void print_event(const struct ua_event *v)
{
	printf("%s leg=%llu", kinds[v->kind], (unsigned long long)v->leg);
	if (v->status)
		printf(" status=%d", v->status);
	if (v->reason)
		printf(" reason=%s", log_quote(v->reason));
	if (v->q850)
		printf(" q850=%d", v->q850);
	if (v->sdp)
		printf(" sdp=%u/%d/%d", ntohs(htons(v->sdp->port)), (int)v->sdp->direction, v->sdp->audio);
	if (v->bad_sdp)
		printf(" bad_sdp");
	if (v->local)
		printf(" local");
	if (v->crossed)
		printf(" crossed");
	if (v->kind == UA_INVITE) {
		printf(" trunk=%s source=%s from=%s", v->trunk, v->source, log_quote(v->from_user));
		printf(" to=%s uri=%s", log_quote(v->to_user), log_quote(v->request_uri));
		printf(" display=%s", log_quote(v->from_display ? v->from_display : ""));
		for (int i = 0; i < v->headers; i++)
			printf(" %s=%s", v->header[i].name, log_quote(v->header[i].value));
	}
	printf("\n");
}

/* Our answer, or our offer where theirs is to come with the ACK; 488 where there is none. */
static bool make_answer(struct probe *p, const struct ua_event *v)
{
	struct media_description local = ours(p), *d = &p->answer[v->leg % LEGS_MAX];
	struct negotiation_agreed agreed;
	if (!v->bad_sdp && !v->sdp) {
		negotiation_offer(&local, d);
		return true;
	}
	if (!v->bad_sdp && !negotiation_answer(v->sdp, &local, d, &agreed))
		return true;
	ua_respond(p->ua, v->leg, 488, NULL, NULL);
	return false;
}

static void answer(struct probe *p, ua_leg leg, int status)
{
	if (status == 200)
		keep(p, leg, "answer");
	int rc = ua_respond(p->ua, leg, status, NULL, &p->answer[leg % LEGS_MAX]);
	if (rc)
		printf("respond leg=%llu rc=%d\n", (unsigned long long)leg, rc);
	if (status == 200)
		moment(p, "after", "answer");
}

static void on_invite(struct probe *p, const struct ua_event *v)
{
	const char *user = strchr(v->request_uri, ':');
	char *plan = p->plan[v->leg % LEGS_MAX];
	user = user ? user + 1 : "";
	snprintf(plan, sizeof(p->plan[0]), "%.*s", (int)strcspn(user, "@;"), user);
	memset(&p->answer[v->leg % LEGS_MAX], 0, sizeof(p->answer[0]));
	int status = strlen(plan) == 3 ? atoi(plan) : 0;
	if (status >= 300 && status < 700) {
		ua_respond(p->ua, v->leg, status, NULL, NULL);
		return;
	}
	if (!make_answer(p, v))
		return;
	keep(p, v->leg, "ring");
	ua_respond(p->ua, v->leg, 180, NULL, NULL);
	moment(p, "after", "ring");
	if (!strcmp(plan, "ring"))
		return;
	if (!strcmp(plan, "early"))
		answer(p, v->leg, 183);
	answer(p, v->leg, 200);
}

static void bye(struct probe *p, ua_leg leg, int q850, const char *reason)
{
	keep(p, leg, "bye");
	int rc = ua_bye(p->ua, leg, q850, reason);
	if (rc)
		printf("bye leg=%llu rc=%d\n", (unsigned long long)leg, rc);
	moment(p, "after", "bye");
}

/* The far end's SDP, where it offered late and we are to answer. */
static void ack(struct probe *p, ua_leg leg, const struct media_description *offer)
{
	struct media_description local, *d = &p->answer[leg % LEGS_MAX];
	struct negotiation_agreed agreed;
	if (p->late[leg % LEGS_MAX] && offer) {
		local = ours(p);
		if (negotiation_answer(offer, &local, d, &agreed))
			return;
	}
	keep(p, leg, "ack");
	int rc = ua_ack(p->ua, leg, p->late[leg % LEGS_MAX] ? d : NULL);
	if (rc)
		printf("ack leg=%llu rc=%d\n", (unsigned long long)leg, rc);
	moment(p, "after", "ack");
}

static void on_acked(struct probe *p, const struct ua_event *v)
{
	char *plan = p->plan[v->leg % LEGS_MAX];
	if (!strcmp(plan, "hangup"))
		bye(p, v->leg, 16, "Normal call clearing");
	if (!strcmp(plan, "hold")) {
		*plan = '\0'; /* once */
		struct media_description d = ours(p);
		d.direction = MEDIA_SENDONLY;
		ua_reinvite(p->ua, v->leg, &d);
	}
}

static void on_event(void *ctx, const struct ua_event *v)
{
	struct probe *p = ctx;
	print_event(v);
	switch (v->kind) {
	case UA_INVITE:
		on_invite(p, v);
		break;
	case UA_ACKED:
		keep(p, v->leg, "acked");
		on_acked(p, v);
		break;
	case UA_NOT_ACKED:
		bye(p, v->leg, 102, NULL);
		break;
	case UA_PROGRESS:
		keep(p, v->leg, "progress");
		break;
	case UA_ANSWERED:
		ack(p, v->leg, v->sdp);
		break;
	case UA_CANCELLED:
		keep(p, v->leg, "cancelled");
		break;
	case UA_REINVITE:
		keep(p, v->leg, "reinvited");
		if (strcmp(p->plan[v->leg % LEGS_MAX], "mute") && make_answer(p, v))
			answer(p, v->leg, 200);
		break;
	case UA_GONE:
		keep(p, v->leg, "gone");
		break;
	default:
		break;
	}
	fflush(stdout);
}

static void call(struct probe *p, const char *target, const char *user, const char *password, bool late)
{
	struct media_description d = ours(p);
	static const struct ua_header header[] = {{"X-Probe", "one; two"}};
	struct ua_invite invite = {.target = target,
		.from_user = "+41791234567",
		.from_display = "Probe",
		.sdp = late ? NULL : &d,
		.header = header,
		.headers = 1,
		.username = user,
		.password = password};
	char why[128];
	ua_leg leg;
	int rc = ua_prepare(p->ua, &invite, &leg, why, sizeof(why));
	if (rc) {
		printf("refused rc=%d why=%s\n", rc, log_quote(why));
		return;
	}
	p->late[leg % LEGS_MAX] = late;
	char *state = dialog_text(p, leg);
	printf("prepared leg=%llu state=%s\n", (unsigned long long)leg, state);
	free(state);
	keep(p, leg, "send");
	ua_send(p->ua, leg);
	moment(p, "after", "send");
}

static void bad(struct probe *p, const char *what)
{
	struct media_description d = ours(p);
	struct ua_header header[] = {{"X-A", "b\r\nX-Evil: 1"}};
	struct ua_invite invite = {.target = "sip:a@127.0.0.1", .from_user = "1", .sdp = &d};
	char why[128];
	ua_leg leg;
	if (!strcmp(what, "header"))
		invite.header = header, invite.headers = 1;
	else if (!strcmp(what, "name"))
		header[0].name = "Via", header[0].value = "x", invite.header = header, invite.headers = 1;
	else if (!strcmp(what, "display"))
		invite.from_display = "a\" <sip:evil@x>;x=\"";
	else if (!strcmp(what, "user"))
		invite.from_user = "1\r\nX-Evil: 1";
	else if (!strcmp(what, "target"))
		invite.target = "sip:a@127.0.0.1?X-Evil=1";
	printf("refused rc=%d\n", ua_prepare(p->ua, &invite, &leg, why, sizeof(why)));
}

static void restore_one(struct probe *p, const json_t *o)
{
	unsigned long long old = (unsigned long long)json_integer_value(json_object_get(o, "leg"));
	const char *sdp = json_string_value(json_object_get(o, "answer"));
	ua_leg leg = 0;
	int rc = ua_restore(p->ua, json_object_get(o, "dialog"), &leg);
	if (rc) {
		printf("restore leg=%llu rc=%d\n", old, rc);
		return;
	}
	snprintf(p->plan[leg % LEGS_MAX], sizeof(p->plan[0]), "%s",
		json_string_value(json_object_get(o, "plan")));
	p->late[leg % LEGS_MAX] = json_is_true(json_object_get(o, "late"));
	p->version = (int)json_integer_value(json_object_get(o, "version"));
	if (*sdp)
		sdp_read(sdp, strlen(sdp), &p->answer[leg % LEGS_MAX]);
	printf("restored leg=%llu from=%llu state=%s\n", (unsigned long long)leg, old,
		json_string_value(json_object_get(json_object_get(o, "dialog"), "state")));
}

/* The last line of each leg counts. */
static void restore(struct probe *p, const char *path)
{
	char *data, key[24];
	size_t len;
	json_t *legs = json_object(), *o;
	if (file_read(path, 16u << 20, &data, &len)) {
		printf("restore failed\n");
		json_decref(legs);
		return;
	}
	for (char *line = strtok(data, "\n"); line; line = strtok(NULL, "\n")) {
		o = json_loads(line, 0, NULL);
		snprintf(key, sizeof(key), "%lld", (long long)json_integer_value(json_object_get(o, "leg")));
		json_object_set_new(legs, key, o);
	}
	const char *name;
	json_object_foreach(legs, name, o) if (!json_is_null(json_object_get(o, "dialog"))) restore_one(p, o);
	json_decref(legs);
	free(data);
	printf("restoration done\n");
}

static bool takeover_command(struct probe *p, const char *word, const char *argument, ua_leg leg)
{
	if (!strcmp(word, "keep") && argument) {
		p->keep = open(argument, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		printf(p->keep < 0 ? "keep failed\n" : "keeping\n");
	} else if (!strcmp(word, "die") && argument) {
		snprintf(p->die, sizeof(p->die), "%s", argument);
		printf("mortal\n");
	} else if (!strcmp(word, "restore") && argument) {
		restore(p, argument);
	} else if (!strcmp(word, "answer")) {
		answer(p, leg, 200);
		printf("answer done\n");
	} else if (!strcmp(word, "refuse")) {
		printf("refuse rc=%d\n", ua_respond(p->ua, leg, 486, NULL, NULL));
		keep(p, leg, "refuse");
	} else if (!strcmp(word, "send")) {
		keep(p, leg, "send");
		printf("send rc=%d\n", ua_send(p->ua, leg));
		moment(p, "after", "send");
	} else if (!strcmp(word, "ack")) {
		ack(p, leg, NULL);
		printf("ack done\n");
	} else {
		return false;
	}
	return true;
}

static void command(struct probe *p, char *line)
{
	char *word = strtok(line, " "), *a = strtok(NULL, " "), *b = strtok(NULL, " "),
	     *c = strtok(NULL, " ");
	ua_leg leg = a ? strtoull(a, NULL, 10) : 0;
	struct media_description d;
	if (!word)
		return;
	if (takeover_command(p, word, a, leg)) {
		fflush(stdout);
		return;
	}
	if (!strcmp(word, "call") && a) {
		call(p, a, b, c, false);
	} else if (!strcmp(word, "late") && a) {
		call(p, a, NULL, NULL, true);
	} else if (!strcmp(word, "bad") && a) {
		bad(p, a);
	} else if (!strcmp(word, "bye")) {
		keep(p, leg, "bye");
		printf("bye rc=%d\n", ua_bye(p->ua, leg, 16, NULL));
		moment(p, "after", "bye");
	} else if (!strcmp(word, "cancel")) {
		keep(p, leg, "cancel");
		printf("cancel rc=%d\n", ua_cancel(p->ua, leg));
		moment(p, "after", "cancel");
	} else if (!strcmp(word, "reinvite")) {
		d = ours(p);
		d.direction = MEDIA_SENDONLY;
		keep(p, leg, "reinvite");
		printf("reinvite rc=%d\n", ua_reinvite(p->ua, leg, &d));
		moment(p, "after", "reinvite");
	} else if (!strcmp(word, "state")) {
		char *state = dialog_text(p, leg);
		printf("state %s\n", state ? state : "null");
		free(state);
	} else if (!strcmp(word, "counters")) {
		const struct ua_counters *n = ua_counters(p->ua);
		printf("counters source=%llu rate=%llu limit=%llu malformed=%llu options=%llu\n",
			(unsigned long long)n->refused_source, (unsigned long long)n->refused_rate,
			(unsigned long long)n->refused_limit, (unsigned long long)n->malformed,
			(unsigned long long)n->options);
	} else if (!strcmp(word, "drain")) {
		ua_drain(p->ua, true);
		printf("draining\n");
	} else if (!strcmp(word, "quit")) {
		loop_stop(p->loop);
	}
	fflush(stdout);
}

static void on_input(void *ctx)
{
	struct probe *p = ctx;
	ssize_t n = read(STDIN_FILENO, p->input + p->used, sizeof(p->input) - 1 - p->used);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		loop_stop(p->loop);
		return;
	}
	p->used += (size_t)n;
	p->input[p->used] = '\0';
	char *line = p->input, *end;
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		command(p, line);
		line = end + 1;
	}
	p->used -= (size_t)(line - p->input);
	memmove(p->input, line, p->used + 1);
}

int main(int argc, char **argv)
{
	static struct probe p = {.keep = -1};
	char why[512] = "";
	int rc = argc == 2 ? settings_load(argv[1], &p.settings, why, sizeof(why)) : -EINVAL;
	if (rc) {
		fprintf(stderr, "usage: ua_probe SETTINGS: %s\n", why);
		return 2;
	}
	if (loop_create(&p.loop))
		return 1;
	rc = ua_create(&p.ua, loop_root(p.loop), &p.settings, on_event, &p, why, sizeof(why));
	if (!rc)
		rc = loop_watch(p.loop, STDIN_FILENO, on_input, &p);
	printf(rc ? "failed %s\n" : "ready %s\n", why);
	fflush(stdout);
	if (!rc)
		loop_run(p.loop);
	ua_destroy(p.ua);
	loop_destroy(p.loop);
	return rc ? 1 : 0;
}
