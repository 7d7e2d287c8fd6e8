#include <ctype.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/document_build.h"
#include "controlplane/modules/document_table.h"

/* A name of the document in a warning. */
#define NAME "%.40s"

struct build {
	struct document *document;
	bool no_memory;
};

static const char *name_of(const xmlNode *node)
{
	return (const char *)node->name;
}

static int line_of(const xmlNode *node)
{
	long line = xmlGetLineNo(node);
	return line > 0 && line <= INT_MAX ? (int)line : 1;
}

static char *copy_trimmed(struct build *b, const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	size_t n = strlen(text);
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	char *copy = document_copy(b->document, text, n);
	if (!copy)
		b->no_memory = true;
	return copy ? copy : (char *)"";
}

/* The text right inside an element. */
static char *text_of(struct build *b, const xmlNode *element)
{
	size_t len = 0;
	for (const xmlNode *n = element->children; n; n = n->next)
		if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE)
			len += strlen((const char *)n->content);
	char *all = malloc(len + 1), *end = all;
	if (!all) {
		b->no_memory = true;
		return (char *)"";
	}
	for (const xmlNode *n = element->children; n; n = n->next)
		if (n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE)
			end = stpcpy(end, (const char *)n->content);
	*end = '\0';
	char *text = copy_trimmed(b, all);
	free(all);
	return text;
}

/* People write numbers with separators; they carry no meaning (RFC 3966, 5.1.1). */
static void drop_separators(char *number)
{
	char *to = number;
	for (const char *from = number; *from; from++)
		if (!strchr(" -.()\t\r\n", *from))
			*to++ = *from;
	*to = '\0';
}

static void set_default(struct document_verb *verb, const struct document_attribute *a)
{
	void *field = (char *)verb + a->offset;
	switch (a->type) {
	case ATTRIBUTE_NUMBER:
	case ATTRIBUTE_CHOICE:
		*(int *)field = a->def;
		break;
	case ATTRIBUTE_FLAG:
		*(bool *)field = a->def != 0;
		break;
	case ATTRIBUTE_STRING:
		*(const char **)field = a->def_text;
		break;
	case ATTRIBUTE_IGNORED:
		break;
	}
}

static bool parse_number(const char *text, const struct document_attribute *a, int *value)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < a->min || n > a->max)
		return false;
	*value = (int)n;
	return true;
}

static bool parse_choice(const char *text, const struct document_attribute *a, int *value)
{
	for (int i = 0; a->choices[i]; i++) {
		if (strcasecmp(text, a->choices[i]))
			continue;
		*value = i;
		return true;
	}
	return false;
}

static bool parse_flag(const char *text, bool *value)
{
	bool yes = !strcasecmp(text, "true");
	if (!yes && strcasecmp(text, "false"))
		return false;
	*value = yes;
	return true;
}

static void set_attribute(
	struct build *b, struct document_verb *verb, const struct document_attribute *a, char *text)
{
	void *field = (char *)verb + a->offset;
	bool good = true;
	char allowed[80] = "";
	switch (a->type) {
	case ATTRIBUTE_NUMBER:
		good = parse_number(text, a, field);
		snprintf(allowed, sizeof(allowed), "%d to %d", a->min, a->max);
		break;
	case ATTRIBUTE_FLAG:
		good = parse_flag(text, field);
		snprintf(allowed, sizeof(allowed), "true or false");
		break;
	case ATTRIBUTE_CHOICE:
		good = parse_choice(text, a, field);
		for (int i = 0; a->choices[i]; i++) {
			size_t n = strlen(allowed);
			snprintf(allowed + n, sizeof(allowed) - n, "%s%s", i ? ", " : "", a->choices[i]);
		}
		break;
	case ATTRIBUTE_STRING:
		good = !a->check(text);
		if (good)
			*(const char **)field = text;
		else
			snprintf(allowed, sizeof(allowed), "%s", a->check(text));
		break;
	case ATTRIBUTE_IGNORED:
		document_warn(b->document, verb->line, "%s: attribute %s is not available and has no effect",
			verb->name, a->name);
		return;
	}
	if (!good)
		document_warn(b->document, verb->line, "%s: %s=\"" NAME "\" is not %s; the default is taken",
			verb->name, a->name, text, allowed);
}

static const struct document_attribute *find_attribute(
	const struct document_verb_kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->attributes; i++)
		if (!strcmp(kind->attribute[i].name, name))
			return &kind->attribute[i];
	return NULL;
}

static void read_attributes(struct build *b, const xmlNode *element, const struct document_verb_kind *kind,
	struct document_verb *verb)
{
	for (size_t i = 0; i < kind->attributes; i++)
		set_default(verb, &kind->attribute[i]);
	for (const xmlAttr *x = element->properties; x; x = x->next) {
		const struct document_attribute *a = find_attribute(kind, (const char *)x->name);
		if (!a) {
			document_warn(b->document, verb->line,
				"%s: there is no attribute " NAME "; it is skipped", verb->name,
				(const char *)x->name);
			continue;
		}
		xmlChar *value = xmlNodeListGetString(element->doc, x->children, 1);
		set_attribute(b, verb, a, copy_trimmed(b, value ? (const char *)value : ""));
		xmlFree(value);
	}
}

static void make_unavailable(struct build *b, struct document_verb *verb, const char *name)
{
	char sentence[64];
	snprintf(sentence, sizeof(sentence), "%s is not available", name);
	verb->type = VERB_UNAVAILABLE;
	verb->name = name;
	verb->text = copy_trimmed(b, sentence);
}

/* What a verb can do without this, or can't. */
static bool check_play(struct build *b, struct document_verb *verb)
{
	if (*verb->u.Play.digits) {
		make_unavailable(b, verb, "Play digits");
		return true;
	}
	if (!*verb->text)
		document_warn(b->document, verb->line, "Play: there is no URL; it is skipped");
	return *verb->text != '\0';
}

static bool check_gather(struct build *b, struct document_verb *verb)
{
	if (!strstr(verb->u.Gather.input, "dtmf"))
		make_unavailable(b, verb, "Gather speech");
	else if (strstr(verb->u.Gather.input, "speech"))
		document_warn(b->document, verb->line, "Gather: speech is not available; digits are taken");
	return true;
}

static bool check_dial(struct build *b, struct document_verb *verb)
{
	drop_separators((char *)verb->text);
	if (*verb->u.Dial.callerId)
		drop_separators((char *)verb->u.Dial.callerId);
	if (verb->u.Dial.record > 1)
		document_warn(
			b->document, verb->line, "Dial: recording is not available; nothing is recorded");
	if (verb->children && *verb->text)
		document_warn(
			b->document, verb->line, "Dial: its text is skipped, since it has targets inside");
	if (verb->children > DOCUMENT_TARGETS_MAX) {
		document_warn(b->document, verb->line, "Dial: only the first %d targets are taken",
			DOCUMENT_TARGETS_MAX);
		verb->children = DOCUMENT_TARGETS_MAX;
	}
	if (!verb->children && !*verb->text)
		document_warn(b->document, verb->line, "Dial: there is nothing to dial; it is skipped");
	return verb->children || *verb->text;
}

static bool check_module(struct build *b, struct document_verb *verb)
{
	bool code = *verb->u.Module.code, capability = *verb->u.Module.capability;
	if (code && capability)
		document_warn(
			b->document, verb->line, "Module: capability is skipped, since there is a code");
	if (!code && !capability)
		document_warn(b->document, verb->line,
			"Module: there is neither code nor capability; it is skipped");
	if (verb->children > DOCUMENT_PARAMS_MAX) {
		document_warn(b->document, verb->line, "Module: only the first %d parameters are passed",
			DOCUMENT_PARAMS_MAX);
		verb->children = DOCUMENT_PARAMS_MAX;
	}
	return code || capability;
}

/* Checks what concerns more than one attribute. False: the verb is skipped, and a warning says so. */
static bool check_verb(struct build *b, struct document_verb *verb)
{
	switch (verb->type) {
	case VERB_Play:
		return check_play(b, verb);
	case VERB_Gather:
		return check_gather(b, verb);
	case VERB_Dial:
		return check_dial(b, verb);
	case VERB_Module:
		return check_module(b, verb);
	case VERB_Number:
		drop_separators((char *)verb->text);
		/* fall through */
	case VERB_Sip:
		if (!*verb->text)
			document_warn(b->document, verb->line, "%s: it is empty and skipped", verb->name);
		return *verb->text != '\0';
	case VERB_Parameter:
		if (!*verb->u.Parameter.name)
			document_warn(b->document, verb->line, "Parameter: there is no name; it is skipped");
		return *verb->u.Parameter.name != '\0';
	default:
		return true;
	}
}

static int read_children(struct build *b, const xmlNode *parent, const char *parent_name, unsigned context,
	struct document_verb **verbs);

/* False: skipped, or no memory. */
static bool read_verb(struct build *b, const xmlNode *element, const char *parent_name, unsigned context,
	struct document_verb *verb)
{
	const struct document_verb_kind *kind = document_kind(name_of(element));
	int line = line_of(element);
	if (!kind) {
		document_warn(
			b->document, line, "<" NAME "> is not a known verb; it is skipped", name_of(element));
		return false;
	}
	if (!(kind->contexts & context)) {
		document_warn(
			b->document, line, "%s may not be inside %s; it is skipped", kind->name, parent_name);
		return false;
	}
	*verb = (struct document_verb){.type = kind->type, .name = kind->name, .text = "", .line = line};
	if (kind->type == VERB_UNAVAILABLE) {
		make_unavailable(b, verb, kind->name);
		return !b->no_memory;
	}
	verb->text = text_of(b, element);
	read_attributes(b, element, kind, verb);
	struct document_verb *children = NULL;
	verb->children = read_children(b, element, kind->name, document_inside(kind->type), &children);
	verb->child = children;
	return !b->no_memory && check_verb(b, verb);
}

static int read_children(struct build *b, const xmlNode *parent, const char *parent_name, unsigned context,
	struct document_verb **verbs)
{
	size_t room = 0;
	int n = 0;
	for (const xmlNode *x = parent->children; x; x = x->next)
		room += x->type == XML_ELEMENT_NODE;
	if (!room)
		return 0;
	*verbs = document_alloc(b->document, room * sizeof(**verbs));
	if (!*verbs) {
		b->no_memory = true;
		return 0;
	}
	for (const xmlNode *x = parent->children; x && !b->no_memory; x = x->next)
		if (x->type == XML_ELEMENT_NODE && read_verb(b, x, parent_name, context, &(*verbs)[n]))
			n++;
	return n;
}

/* Counts nodes and attributes. libxml2 itself stops at a depth of 256, so the recursion is bounded. */
static bool count_nodes(const xmlNode *node, int depth, int *nodes, struct document_error *error)
{
	for (; node; node = node->next) {
		++*nodes;
		if (node->type != XML_ELEMENT_NODE)
			continue;
		for (const xmlAttr *a = node->properties; a; a = a->next)
			++*nodes;
		if (depth > DOCUMENT_DEPTH_MAX) {
			document_error_set(error, DOCUMENT_ERROR_DEPTH, NULL);
			return false;
		}
		if (!count_nodes(node->children, depth + 1, nodes, error))
			return false;
	}
	if (*nodes > DOCUMENT_NODES_MAX) {
		document_error_set(error, DOCUMENT_ERROR_NODES, NULL);
		return false;
	}
	return true;
}

/* In place of libxml2's own: a DOCTYPE ends the parsing before anything in it is looked at. */
static void refuse_doctype(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	xmlParserCtxt *parser = arg;
	*(bool *)parser->_private = true;
	xmlStopParser(parser);
}

static void set_malformed(struct document_error *error, xmlParserCtxt *parser)
{
	char detail[160];
	const xmlError *x = xmlCtxtGetLastError(parser);
	int n = snprintf(detail, sizeof(detail), "line %d: %s", x ? x->line : 1,
		x && x->message ? x->message : "empty");
	while (n > 0 && n < (int)sizeof(detail) && isspace((unsigned char)detail[n - 1]))
		detail[--n] = '\0';
	document_error_set(error, DOCUMENT_ERROR_MALFORMED, detail);
}

static int read_tree(struct document *d, const xmlNode *root, struct document_error *error)
{
	struct build b = {.document = d};
	int nodes = 0;
	if (!count_nodes(root, 1, &nodes, error))
		return -EINVAL;
	if (strcmp(name_of(root), "Response")) {
		document_error_set(error, DOCUMENT_ERROR_ROOT, name_of(root));
		return -EINVAL;
	}
	if (*text_of(&b, root))
		document_warn(d, line_of(root), "there is text outside the verbs; it is skipped");
	d->verbs = read_children(&b, root, "Response", IN_RESPONSE, &d->verb);
	if (!b.no_memory)
		return 0;
	document_error_set(error, DOCUMENT_ERROR_MEMORY, NULL);
	return -ENOMEM;
}

int document_parse_xml(struct document *d, const char *body, size_t len, struct document_error *error)
{
	int e = -EINVAL;
	bool doctype = false;
	xmlParserCtxt *parser = xmlNewParserCtxt();
	if (!parser) {
		document_error_set(error, DOCUMENT_ERROR_MEMORY, NULL);
		return -ENOMEM;
	}
	parser->_private = &doctype;
	parser->sax->internalSubset = refuse_doctype;
	xmlDoc *doc = xmlCtxtReadMemory(parser, body, (int)len, NULL, NULL,
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	if (doctype)
		document_error_set(error, DOCUMENT_ERROR_DOCTYPE, NULL);
	else if (!root)
		set_malformed(error, parser);
	else
		e = read_tree(d, root, error);
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(parser);
	return e;
}
