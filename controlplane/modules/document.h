/* The XML that a module's URI answers with, as a tree of verbs: parsed once, checked, immutable.
 *
 * Verbs and attributes are listed once in verb.def. What isn't understood is skipped with a warning; an
 * attribute whose value is out of range has its default, with a warning. A document with an error is refused
 * as a whole. The parser has no network, takes no DOCTYPE and so no entities. */
#ifndef TG_MODULES_DOCUMENT_H
#define TG_MODULES_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#define DOCUMENT_BYTES_MAX    65536
#define DOCUMENT_NODES_MAX    10000 /* elements, attributes, texts */
#define DOCUMENT_DEPTH_MAX    16
#define DOCUMENT_WARNINGS_MAX 64 /* what is more is counted only */
#define DOCUMENT_TARGETS_MAX  10 /* of a Dial */
#define DOCUMENT_PARAMS_MAX   8  /* of a Module */

/* Causes, in document_error.def. Several may have one number. */
enum document_error_kind {
#define ERROR(name, number, sentence) DOCUMENT_ERROR_##name,
#include "controlplane/modules/document_error.def"
#undef ERROR
	DOCUMENT_ERRORS
};

struct document_error {
	enum document_error_kind kind;
	int number;         /* as applications know it ("ErrorCode") */
	char sentence[240]; /* printable ASCII */
};

enum document_verb_type {
#define VERB(name, contexts) VERB_##name,
#include "controlplane/modules/verb.def"
	VERB_UNAVAILABLE, /* known, but not there: name says which, text says so in a sentence */
};

enum { DOCUMENT_POST, DOCUMENT_GET };      /* method */
enum { DOCUMENT_REJECTED, DOCUMENT_BUSY }; /* Reject, reason */

struct document_verb {
	enum document_verb_type type;
	const char *name;
	const char *text; /* without white space around it; of a number without separators */
	int line;
	const struct document_verb *child;
	int children;
	union {
#define VERB(name, contexts)                            struct {
#define NUMBER(verb, name, def, min, max)               int name;
#define FLAG(verb, name, def)                           bool name;
#define CHOICE(verb, name, def, choices)                int name;
#define STRING(verb, name, def, check)                  const char *name;
#define STRING_NAMED(verb, name, attribute, def, check) const char *name;
#define VERB_END(name) \
	}              \
	name;
#include "controlplane/modules/verb.def"
	} u;
};

struct document;

/* The answer of an application server: XML, or a sound ("audio/...": a document that plays url). body need
 * not end with NUL. Returns 0 and the document, the caller's to free; or -EINVAL (-ENOMEM) and the error. */
int document_parse(const char *body, size_t len, const char *content_type, const char *url,
	struct document **document, struct document_error *error);
void document_free(struct document *document);

/* Verbs at the top, in order; strings live as long as the document. */
int document_verbs(const struct document *document);
const struct document_verb *document_verb(const struct document *document, int i);

/* What was skipped or corrected: "line 3: ...". Holds text of the document: quote it. */
int document_warnings(const struct document *document);
const char *document_warning(const struct document *document, int i);

/* Number and sentence of a cause. */
int document_error_number(enum document_error_kind kind);
const char *document_error_sentence(enum document_error_kind kind);
/* Fills in number and sentence; detail, if not NULL, is added in parentheses, cut and made printable. */
void document_error_set(struct document_error *error, enum document_error_kind kind, const char *detail);

#endif
