#include "controlplane/sip/saved.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "controlplane/sip/legal.h"
#include "controlplane/sip/sdp.h"

#define LINE_BYTES_MAX   (16 * 1024)
#define CSEQ_MAX         0x7fffffffu /* RFC 3261 8.1.1.5 */
#define BRANCH_COOKIE    "z9hG4bK"
#define BRANCH_HEX       32
#define CREDENTIAL_BYTES 1024
#define ATTEMPTS_MAX     1000

static const struct {
	const char *name;
	enum saved_state state;
} states[] = {
	{"invited", SAVED_INVITED},
	{"prepared", SAVED_PREPARED},
	{"calling", SAVED_CALLING},
	{"answered", SAVED_ANSWERED},
	{"unacknowledged", SAVED_UNACKNOWLEDGED},
	{"up", SAVED_UP},
	{"ending", SAVED_ENDING},
};

static const char *string_of(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

/* One line, not empty, without control characters: it goes into messages. */
static bool is_line(const char *s, size_t max)
{
	if (!s || !*s || strlen(s) > max)
		return false;
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return true;
}

static bool read_line(const json_t *o, const char *name, size_t max, const char **out)
{
	*out = string_of(o, name);
	return is_line(*out, max);
}

/* As read_line(), or null. */
static bool read_optional(const json_t *o, const char *name, size_t max, const char **out)
{
	const json_t *value = json_object_get(o, name);
	*out = NULL;
	return !value || json_is_null(value) || read_line(o, name, max, out);
}

static bool read_number(const json_t *o, const char *name, uint32_t min, uint32_t max, uint32_t *out)
{
	const json_t *value = json_object_get(o, name);
	json_int_t n = json_integer_value(value);
	*out = (uint32_t)n;
	return json_is_integer(value) && n >= (json_int_t)min && n <= (json_int_t)max;
}

/* Left out is false. */
static bool read_bool(const json_t *o, const char *name, bool *out)
{
	const json_t *value = json_object_get(o, name);
	*out = json_is_true(value);
	return !value || json_is_boolean(value);
}

static bool read_lines(const json_t *o, const char *name, const char **out, int max, int *n)
{
	const json_t *list = json_object_get(o, name);
	*n = (int)json_array_size(list);
	if (list && (!json_is_array(list) || json_array_size(list) > (size_t)max))
		return false;
	for (int i = 0; i < *n; i++) {
		out[i] = json_string_value(json_array_get(list, (size_t)i));
		if (!is_line(out[i], LINE_BYTES_MAX))
			return false;
	}
	return true;
}

/* Text of a description that was sent or will be; null: none. */
static bool read_sdp(const json_t *o, const char *name, bool *any, struct media_description *out)
{
	const json_t *value = json_object_get(o, name);
	char text[SDP_WRITE_BYTES];
	*any = json_is_string(value);
	if (!*any)
		return !value || json_is_null(value);
	/* Ours always have audio. */
	return !sdp_read(json_string_value(value), json_string_length(value), out) && out->audio >= 0 &&
	       sdp_write(out, text, sizeof(text)) > 0;
}

static bool is_branch(const char *s)
{
	if (!s || strncmp(s, BRANCH_COOKIE, strlen(BRANCH_COOKIE)))
		return false;
	s += strlen(BRANCH_COOKIE);
	return strspn(s, "0123456789abcdef") == BRANCH_HEX && !s[BRANCH_HEX];
}

/* Tokens of RFC 3261 25.1, with '@' and the rest of what a Call-ID's words may have. */
static bool is_word(const char *s)
{
	if (!is_line(s, LINE_BYTES_MAX))
		return false;
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-.!%*_+`'~()<>:\\\"/[]?{}@", *p))
			return false;
	return true;
}

static bool is_bracketed(const char *s)
{
	return is_line(s, LINE_BYTES_MAX) && *s == '<' && strcspn(s, ">") == strlen(s) - 1;
}

/* 0.0.0.0 before an answer came. */
static bool read_peer(const char *text, struct tg_addr *peer)
{
	if (!tg_addr_parse(text, peer))
		return false;
	bool none = tg_addr_is_unspecified(peer);
	if (none && peer->family == TG_FAMILY_IPV4)
		*peer = (struct tg_addr){.family = TG_FAMILY_NONE};
	return !none || !peer->family;
}

static bool read_kind(struct saved *s)
{
	const char *state = string_of(s->json, "state"), *direction = string_of(s->json, "direction"),
		   *transport = string_of(s->json, "transport"), *peer = string_of(s->json, "peer");
	size_t i = 0, n = sizeof(states) / sizeof(states[0]);
	if (!state || !direction || !transport || !peer || !read_peer(peer, &s->peer))
		return false;
	while (i < n && strcmp(states[i].name, state))
		i++;
	if (i == n || (strcmp(direction, "in") && strcmp(direction, "out")) ||
		(strcmp(transport, "udp") && strcmp(transport, "tcp")))
		return false;
	s->state = states[i].state;
	s->outgoing = !strcmp(direction, "out");
	s->tcp = !strcmp(transport, "tcp");
	return true;
}

static bool read_dialog(struct saved *s)
{
	uint32_t attempt;
	const json_t *o = s->json;
	if (!read_line(o, "call_id", LINE_BYTES_MAX, &s->call_id) || !is_word(s->call_id) ||
		!read_line(o, "local", LINE_BYTES_MAX, &s->local) ||
		!read_line(o, "remote", LINE_BYTES_MAX, &s->remote) ||
		!read_line(o, "local_tag", LINE_BYTES_MAX, &s->local_tag) || !is_word(s->local_tag) ||
		!read_line(o, "branch", LINE_BYTES_MAX, &s->branch) || !is_branch(s->branch))
		return false;
	if (!read_number(o, "cseq_local", 1, CSEQ_MAX, &s->cseq_local) ||
		!read_number(o, "cseq_remote", 0, UINT32_MAX, &s->cseq_remote) ||
		!read_number(o, "invite_cseq", 0, CSEQ_MAX, &s->invite_cseq) ||
		!read_number(o, "attempt", 0, ATTEMPTS_MAX, &attempt))
		return false;
	s->attempt = (int)attempt;
	return read_optional(o, "target", LINE_BYTES_MAX, &s->target) &&
	       (!s->target || is_bracketed(s->target)) && read_optional(o, "uri", LINE_BYTES_MAX, &s->uri) &&
	       read_lines(o, "route", s->route, SAVED_ROUTES_MAX, &s->routes);
}

static bool is_header(char *line)
{
	char *colon = strchr(line, ':');
	if (!colon || colon[1] != ' ')
		return false;
	*colon = '\0';
	bool legal = legal_header_name(line) && legal_header_value(colon + 2);
	*colon = ':';
	return legal;
}

static bool read_invite_of_ours(struct saved *s)
{
	const json_t *o = s->json;
	if (!read_lines(o, "headers", s->header, SAVED_HEADERS_MAX, &s->headers))
		return false;
	for (int i = 0; i < s->headers; i++) {
		char line[LINE_BYTES_MAX + 1];
		memcpy(line, s->header[i], strlen(s->header[i]) + 1);
		if (!is_header(line))
			return false;
	}
	return read_bool(o, "cancelled", &s->cancelled) &&
	       read_bool(o, "out_authorized", &s->out_authorized) &&
	       read_bool(o, "authorization_proxy", &s->authorization_proxy) &&
	       read_bool(o, "bye_challenged", &s->bye_challenged) &&
	       read_optional(o, "username", CREDENTIAL_BYTES, &s->username) &&
	       (!s->username || legal_quoted(s->username)) &&
	       read_optional(o, "realm", CREDENTIAL_BYTES, &s->realm) &&
	       read_optional(o, "authorization", LINE_BYTES_MAX, &s->authorization) &&
	       read_sdp(o, "offer", &s->offered, &s->offer) && read_sdp(o, "sdp", &s->sent_any, &s->sent);
}

static int read_invite_of_theirs(struct saved *s)
{
	const json_t *value = json_object_get(s->json, "invite");
	size_t len = json_string_length(value);
	if (!value || json_is_null(value))
		return 0;
	const char *text = json_string_value(value);
	if (!len || len % 4 || len > SAVED_INVITE_BYTES / 3 * 4 || strcspn(text, "=") < len - 2)
		return -EINVAL;
	s->invite = malloc(len / 4 * 3 + 1);
	if (!s->invite)
		return -ENOMEM;
	int n = EVP_DecodeBlock(s->invite, (const unsigned char *)text, (int)len);
	if (n < 2)
		return -EINVAL;
	/* The decoder counts the padding as bytes. */
	s->invite_len = (size_t)n - (text[len - 1] == '=') - (text[len - 2] == '=');
	return 0;
}

/* Has it what its state needs? */
static bool is_whole(const struct saved *s)
{
	switch (s->state) {
	case SAVED_INVITED:
		return !s->outgoing && s->invite;
	case SAVED_PREPARED:
	case SAVED_CALLING:
		return s->outgoing && s->uri && legal_target(s->uri) && s->invite_cseq > 1;
	case SAVED_ANSWERED:
		return s->outgoing && s->uri && s->invite_cseq && s->target;
	case SAVED_UNACKNOWLEDGED:
		return s->invite && (s->target || !s->outgoing);
	case SAVED_UP:
		return s->target || !s->outgoing;
	case SAVED_ENDING:
		return (s->target || !s->outgoing) && s->cseq_local > 1;
	}
	return false;
}

int saved_read(struct saved *s, const json_t *dialog)
{
	memset(s, 0, sizeof(*s));
	s->json = json_incref((json_t *)dialog);
	if (!json_is_object(s->json) || !read_kind(s) || !read_dialog(s) || !read_invite_of_ours(s))
		return -EINVAL;
	/* A password is any text: it is hashed, not sent. */
	s->password = string_of(s->json, "password");
	int rc = read_invite_of_theirs(s);
	return rc ? rc : is_whole(s) ? 0 : -EINVAL;
}

void saved_free(struct saved *s)
{
	json_decref(s->json);
	free(s->invite);
	memset(s, 0, sizeof(*s));
}
