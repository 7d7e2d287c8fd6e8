#include "tests/unit/modules/document_dump.h"

#include "base/log.h"
#include "controlplane/modules/document_table.h"

static void dump_attribute(FILE *out, const struct document_verb *verb, const struct document_attribute *a)
{
	const void *field = (const char *)verb + a->offset;
	switch (a->type) {
	case ATTRIBUTE_NUMBER:
		fprintf(out, " %s=%d", a->name, *(const int *)field);
		break;
	case ATTRIBUTE_CHOICE:
		fprintf(out, " %s=%s", a->name, a->choices[*(const int *)field]);
		break;
	case ATTRIBUTE_FLAG:
		fprintf(out, " %s=%s", a->name, *(const bool *)field ? "true" : "false");
		break;
	case ATTRIBUTE_STRING:
		fprintf(out, " %s=%s", a->name, log_quote(*(const char *const *)field));
		break;
	case ATTRIBUTE_IGNORED:
		break;
	}
}

static void dump_verbs(FILE *out, const struct document_verb *verb, int n, int depth)
{
	for (int i = 0; i < n; i++, verb++) {
		fprintf(out, "%*s%s", 2 * depth, "", verb->name);
		if (verb->type == VERB_UNAVAILABLE) {
			fputs(" (not available)\n", out);
			continue;
		}
		const struct document_verb_kind *kind = document_kind(verb->name);
		for (size_t a = 0; a < kind->attributes; a++)
			dump_attribute(out, verb, &kind->attribute[a]);
		fprintf(out, " text=%s\n", log_quote(verb->text));
		dump_verbs(out, verb->child, verb->children, depth + 1);
	}
}

void document_dump(FILE *out, const struct document *document)
{
	dump_verbs(out, document_verb(document, 0), document_verbs(document), 0);
	for (int i = 0; i < document_warnings(document); i++)
		fprintf(out, "warning: %s\n", document_warning(document, i));
}
