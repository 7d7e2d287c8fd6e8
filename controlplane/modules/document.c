#include "controlplane/modules/document.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controlplane/modules/document_build.h"

struct document_block {
	struct document_block *next;
	_Alignas(16) char data[];
};

static const struct {
	int number;
	const char *sentence;
} errors[] = {
#define ERROR(name, number, sentence) {number, sentence},
#include "controlplane/modules/document_error.def"
#undef ERROR
};

int document_error_number(enum document_error_kind kind)
{
	return errors[kind].number;
}

const char *document_error_sentence(enum document_error_kind kind)
{
	return errors[kind].sentence;
}

void document_error_set(struct document_error *error, enum document_error_kind kind, const char *detail)
{
	error->kind = kind;
	error->number = errors[kind].number;
	int n = snprintf(error->sentence, sizeof(error->sentence), "%s%s%.120s%s", errors[kind].sentence,
		detail ? " (" : "", detail ? detail : "", detail ? ")" : "");
	for (int i = 0; i < n && error->sentence[i]; i++)
		if (error->sentence[i] < ' ' || error->sentence[i] > '~')
			error->sentence[i] = '?';
}

void *document_alloc(struct document *document, size_t bytes)
{
	struct document_block *b = calloc(1, sizeof(*b) + bytes);
	if (!b)
		return NULL;
	b->next = document->blocks;
	document->blocks = b;
	return b->data;
}

char *document_copy(struct document *document, const char *text, size_t len)
{
	char *copy = document_alloc(document, len + 1);
	if (copy)
		memcpy(copy, text, len);
	return copy;
}

void document_warn(struct document *document, int line, const char *fmt, ...)
{
	if (document->warnings == DOCUMENT_WARNINGS_MAX)
		return;
	char text[240];
	int n = snprintf(text, sizeof(text), "line %d: ", line);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	char *copy = document_copy(document, text, strlen(text));
	if (copy)
		document->warning[document->warnings++] = copy;
}

/* Type and subtype, without parameters. */
static bool is_type(const char *content_type, const char *type)
{
	size_t n = strlen(type);
	content_type += strspn(content_type, " \t");
	if (strncasecmp(content_type, type, n))
		return false;
	return type[n - 1] == '/' || !content_type[n] || strchr("; \t", content_type[n]);
}

static int make_sound(struct document *d, const char *url, struct document_error *error)
{
	d->verb = document_alloc(d, sizeof(*d->verb));
	char *text = document_copy(d, url, strlen(url));
	if (!d->verb || !text) {
		document_error_set(error, DOCUMENT_ERROR_MEMORY, NULL);
		return -ENOMEM;
	}
	*d->verb = (struct document_verb){.type = VERB_Play, .name = "Play", .text = text, .line = 1};
	d->verb->u.Play.loop = 1;
	d->verb->u.Play.digits = "";
	d->verbs = 1;
	return 0;
}

static int make(struct document *d, const char *body, size_t len, const char *content_type, const char *url,
	struct document_error *error)
{
	if (is_type(content_type, "audio/"))
		return make_sound(d, url, error);
	enum document_error_kind kind;
	if (is_type(content_type, "text/plain"))
		kind = DOCUMENT_ERROR_SPEECH;
	else if (!is_type(content_type, "text/xml") && !is_type(content_type, "application/xml") &&
		 !is_type(content_type, "text/html"))
		kind = DOCUMENT_ERROR_CONTENT_TYPE;
	else if (len > DOCUMENT_BYTES_MAX)
		kind = DOCUMENT_ERROR_TOO_LARGE;
	else
		return document_parse_xml(d, body, len, error);
	document_error_set(error, kind, kind == DOCUMENT_ERROR_CONTENT_TYPE ? content_type : NULL);
	return -EINVAL;
}

int document_parse(const char *body, size_t len, const char *content_type, const char *url,
	struct document **document, struct document_error *error)
{
	struct document *d = calloc(1, sizeof(*d));
	if (!d) {
		document_error_set(error, DOCUMENT_ERROR_MEMORY, NULL);
		return -ENOMEM;
	}
	int e = make(d, body, len, content_type ? content_type : "", url, error);
	if (e) {
		document_free(d);
		return e;
	}
	*document = d;
	return 0;
}

void document_free(struct document *document)
{
	if (!document)
		return;
	while (document->blocks) {
		struct document_block *next = document->blocks->next;
		free(document->blocks);
		document->blocks = next;
	}
	free(document);
}

int document_verbs(const struct document *document)
{
	return document->verbs;
}

const struct document_verb *document_verb(const struct document *document, int i)
{
	return i >= 0 && i < document->verbs ? &document->verb[i] : NULL;
}

int document_warnings(const struct document *document)
{
	return document->warnings;
}

const char *document_warning(const struct document *document, int i)
{
	return i >= 0 && i < document->warnings ? document->warning[i] : NULL;
}
