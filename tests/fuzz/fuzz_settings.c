/* A settings file is read or refused with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
const char *__lsan_default_suppressions(void);

/* libconfig's own parser loses the text of a string that stands where none may. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
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
		struct settings settings;
		char why[600] = "";
		int e = settings_parse(text, len, "fuzz", NULL, &settings, why, sizeof(why));
		if ((e != 0) != (why[0] != '\0'))
			abort();
	}
	free(text);
	return 0;
}
