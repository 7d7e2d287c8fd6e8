/* A document while it is made: memory and warnings. Between document.c and document_xml.c. */
#ifndef TG_MODULES_DOCUMENT_BUILD_H
#define TG_MODULES_DOCUMENT_BUILD_H

#include "controlplane/modules/document.h"

struct document_block;

struct document {
	struct document_verb *verb;
	int verbs;
	char *warning[DOCUMENT_WARNINGS_MAX];
	int warnings;
	struct document_block *blocks; /* what the verbs and texts lie in */
};

/* Zeroed memory that lives as long as the document, or NULL. */
void *document_alloc(struct document *document, size_t bytes);
char *document_copy(struct document *document, const char *text, size_t len);
/* Adds "line N: ..." */
void document_warn(struct document *document, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* XML into verbs. Returns 0, -EINVAL or -ENOMEM with the error. */
int document_parse_xml(struct document *document, const char *body, size_t len, struct document_error *error);

#endif
