/* A registry file is read or refused with a reason; a snapshot answers every question. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/registry_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
const char *__lsan_default_suppressions(void);

/* libconfig's own parser loses the text of a string that stands where none may. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static void ask(const struct registry *registry)
{
	registry_account(registry, "AC00000000000000000000000000000001");
	registry_module(registry, "m");
	registry_number(registry, "+15551234");
	registry_number(registry, "");
	registry_module_by_url(registry, "http://h/app/x?y#z");
	registry_module_for_capability(registry, "say");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	if (!text)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	/* @include would read files of this machine. */
	if (!memmem(text, len, "@include", 8)) {
		struct registry *registry = NULL;
		char why[600] = "";
		int e = registry_parse(text, len, "fuzz", &registry, why, sizeof(why));
		if ((e != 0) != (why[0] != '\0') || (e != 0) != (registry == NULL))
			abort();
		if (registry)
			ask(registry);
		registry_unref(registry);
	}
	free(text);
	return 0;
}
