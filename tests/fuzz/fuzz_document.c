/* A document is read or refused with a reason; what was read can be walked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static size_t walk(const struct document_verb *verb, int n)
{
	size_t bytes = 0;
	for (int i = 0; i < n; i++)
		bytes += strlen(verb[i].text) + strlen(verb[i].name) + walk(verb[i].child, verb[i].children);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct document *document = NULL;
	struct document_error error = {0};
	int e = document_parse((const char *)data, len, "text/xml", "http://h/", &document, &error);
	if ((e != 0) != (error.number != 0) || (e != 0) != (document == NULL))
		abort();
	if (document) {
		if (walk(document_verb(document, 0), document_verbs(document)) > 64 * DOCUMENT_BYTES_MAX)
			abort();
		for (int i = 0; i < document_warnings(document); i++)
			if (strncmp(document_warning(document, i), "line ", 5))
				abort();
	}
	document_free(document);
	return 0;
}
