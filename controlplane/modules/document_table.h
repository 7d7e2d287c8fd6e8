/* The tables that verb.def makes. */
#ifndef TG_MODULES_DOCUMENT_TABLE_H
#define TG_MODULES_DOCUMENT_TABLE_H

#include <stddef.h>

#include "controlplane/modules/document.h"

/* Where a verb may be. */
enum { IN_RESPONSE = 1, IN_GATHER = 2, IN_DIAL = 4, IN_MODULE = 8 };

enum document_attribute_type {
	ATTRIBUTE_NUMBER,
	ATTRIBUTE_FLAG,
	ATTRIBUTE_CHOICE,
	ATTRIBUTE_STRING,
	ATTRIBUTE_IGNORED
};

struct document_attribute {
	const char *name;
	enum document_attribute_type type;
	size_t offset; /* in struct document_verb */
	int def, min, max;
	const char *def_text;
	const char *(*check)(const char *text); /* STRING: NULL, or what is allowed */
	const char *const *choices;             /* CHOICE: NULL-terminated */
};

struct document_verb_kind {
	const char *name;
	enum document_verb_type type;
	unsigned contexts;
	const struct document_attribute *attribute;
	size_t attributes;
};

/* NULL: not of the vocabulary. */
const struct document_verb_kind *document_kind(const char *name);

/* The context of a verb's children; 0: it has none. */
unsigned document_inside(enum document_verb_type type);

/* Checks of strings, in document_check.c. */
const char *document_check_any(const char *text);
const char *document_check_dial_digits(const char *text);
const char *document_check_keys(const char *text);
const char *document_check_input(const char *text);
const char *document_check_parameter(const char *text);

#endif
