#include "controlplane/modules/document_table.h"

#include <string.h>

static const char *const methods[] = {"POST", "GET", NULL};
static const char *const reasons[] = {"rejected", "busy", NULL};
/* What asks for a recording comes after the first. */
static const char *const records[] = {"do-not-record", "false", "true", "record-from-answer",
	"record-from-ringing", "record-from-answer-dual", "record-from-ringing-dual", NULL};

#define OFFSET(verb, field) offsetof(struct document_verb, u.verb.field)

/* The last entry keeps verbs without attributes from having empty arrays; it is not counted. */
#define VERB(verb, contexts) static const struct document_attribute verb##_attributes[] = {
#define NUMBER(verb, field, value, lowest, highest) \
	{.name = #field,                            \
		.type = ATTRIBUTE_NUMBER,           \
		.offset = OFFSET(verb, field),      \
		.def = value,                       \
		.min = lowest,                      \
		.max = highest},
#define FLAG(verb, field, value) \
	{.name = #field, .type = ATTRIBUTE_FLAG, .offset = OFFSET(verb, field), .def = value},
#define CHOICE(verb, field, value, allowed)    \
	{.name = #field,                       \
		.type = ATTRIBUTE_CHOICE,      \
		.offset = OFFSET(verb, field), \
		.def = value,                  \
		.choices = allowed},
#define STRING_NAMED(verb, field, attribute, value, allowed) \
	{.name = attribute,                                  \
		.type = ATTRIBUTE_STRING,                    \
		.offset = OFFSET(verb, field),               \
		.def_text = value,                           \
		.check = document_##allowed},
#define STRING(verb, field, value, allowed) STRING_NAMED(verb, field, #field, value, allowed)
#define IGNORED(verb, field)                {.name = #field, .type = ATTRIBUTE_IGNORED},
#define VERB_END(verb)       \
	{                    \
		.name = NULL \
	}                    \
	}                    \
	;
#include "controlplane/modules/verb.def"

static const struct document_verb_kind kinds[] = {
#define VERB(verb, where)                              \
	{#verb, VERB_##verb, where, verb##_attributes, \
		sizeof(verb##_attributes) / sizeof(verb##_attributes[0]) - 1},
#define UNAVAILABLE(verb, where) {#verb, VERB_UNAVAILABLE, where, NULL, 0},
#include "controlplane/modules/verb.def"
};

const struct document_verb_kind *document_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

unsigned document_inside(enum document_verb_type type)
{
	switch (type) {
	case VERB_Gather:
		return IN_GATHER;
	case VERB_Dial:
		return IN_DIAL;
	case VERB_Module:
		return IN_MODULE;
	default:
		return 0;
	}
}
