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
 * "bye LEG", "cancel LEG", "reinvite LEG", "state LEG", "counters", "drain", "quit". */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "controlplane/calls/negotiation.h"
#include "controlplane/sip/loop.h"
#include "controlplane/sip/ua.h"
#include "settings/settings.h"

#define LEGS_MAX 4096

struct probe {
	struct loop *loop;
	struct ua *ua;
	struct settings settings;
	char plan[LEGS_MAX][16]; /* what an incoming leg is for */
	bool late[LEGS_MAX];
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
	inet_pton(AF_INET, p->settings.sip.address, &d.ip_be);
	d.port = 20000;
	d.codecs = 3;
	d.codec[0] = (struct media_codec){MEDIA_PCMU, 0, 8000};
	d.codec[1] = (struct media_codec){MEDIA_PCMA, 8, 8000};
	d.codec[2] = (struct media_codec){MEDIA_TELEPHONE_EVENT, 101, 8000};
	return d;
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

/* 200 with our answer, or our offer where theirs is to come with the ACK. */
static void answer(struct probe *p, const struct ua_event *v, int status)
{
	struct media_description local = ours(p), d;
	struct negotiation_agreed agreed;
	if (v->bad_sdp) {
		ua_respond(p->ua, v->leg, 488, NULL, NULL);
		return;
	}
	if (!v->sdp)
		negotiation_offer(&local, &d);
	else if (negotiation_answer(v->sdp, &local, &d, &agreed)) {
		ua_respond(p->ua, v->leg, 488, NULL, NULL);
		return;
	}
	int rc = ua_respond(p->ua, v->leg, status, NULL, &d);
	if (rc)
		printf("respond leg=%llu rc=%d\n", (unsigned long long)v->leg, rc);
}

static void on_invite(struct probe *p, const struct ua_event *v)
{
	const char *user = strchr(v->request_uri, ':');
	char *plan = p->plan[v->leg % LEGS_MAX];
	user = user ? user + 1 : "";
	snprintf(plan, sizeof(p->plan[0]), "%.*s", (int)strcspn(user, "@;"), user);
	int status = strlen(plan) == 3 ? atoi(plan) : 0;
	if (status >= 300 && status < 700) {
		ua_respond(p->ua, v->leg, status, NULL, NULL);
		return;
	}
	ua_respond(p->ua, v->leg, 180, NULL, NULL);
	if (!strcmp(plan, "ring"))
		return;
	if (!strcmp(plan, "early"))
		answer(p, v, 183);
	answer(p, v, 200);
}

static void on_acked(struct probe *p, const struct ua_event *v)
{
	char *plan = p->plan[v->leg % LEGS_MAX];
	if (!strcmp(plan, "hangup"))
		ua_bye(p->ua, v->leg, 16, "Normal call clearing");
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
	struct media_description d;
	struct negotiation_agreed agreed;
	print_event(v);
	switch (v->kind) {
	case UA_INVITE:
		on_invite(p, v);
		break;
	case UA_ACKED:
		on_acked(p, v);
		break;
	case UA_NOT_ACKED:
		ua_bye(p->ua, v->leg, 102, NULL);
		break;
	case UA_ANSWERED:
		if (p->late[v->leg % LEGS_MAX] && v->sdp) {
			struct media_description local = ours(p);
			if (!negotiation_answer(v->sdp, &local, &d, &agreed))
				ua_ack(p->ua, v->leg, &d);
		} else {
			ua_ack(p->ua, v->leg, NULL);
		}
		break;
	case UA_REINVITE:
		if (strcmp(p->plan[v->leg % LEGS_MAX], "mute"))
			answer(p, v, 200);
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
	char *state = ua_dialog_state(p->ua, leg);
	printf("prepared leg=%llu state=%s\n", (unsigned long long)leg, state);
	free(state);
	ua_send(p->ua, leg);
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

static void command(struct probe *p, char *line)
{
	char *word = strtok(line, " "), *a = strtok(NULL, " "), *b = strtok(NULL, " "),
	     *c = strtok(NULL, " ");
	ua_leg leg = a ? strtoull(a, NULL, 10) : 0;
	struct media_description d;
	if (!word)
		return;
	if (!strcmp(word, "call") && a) {
		call(p, a, b, c, false);
	} else if (!strcmp(word, "late") && a) {
		call(p, a, NULL, NULL, true);
	} else if (!strcmp(word, "bad") && a) {
		bad(p, a);
	} else if (!strcmp(word, "bye")) {
		printf("bye rc=%d\n", ua_bye(p->ua, leg, 16, NULL));
	} else if (!strcmp(word, "cancel")) {
		printf("cancel rc=%d\n", ua_cancel(p->ua, leg));
	} else if (!strcmp(word, "reinvite")) {
		d = ours(p);
		d.direction = MEDIA_SENDONLY;
		printf("reinvite rc=%d\n", ua_reinvite(p->ua, leg, &d));
	} else if (!strcmp(word, "state")) {
		char *state = ua_dialog_state(p->ua, leg);
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
	static struct probe p;
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
