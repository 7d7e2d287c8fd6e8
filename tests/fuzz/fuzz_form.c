/* Text from outside as a webhook's parameter: once clean it stays as it is, and its encoding is plain. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_encoding(const char *text)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	if (!f)
		return;
	form_write(f, text);
	fclose(f);
	for (size_t i = 0; i < len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%", out[i]))
			abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = strndup((const char *)data, len);
	char *once = text ? form_clean(text) : NULL, *twice = once ? form_clean(once) : NULL;
	if (twice && strcmp(once, twice))
		abort();
	if (once)
		check_encoding(once);
	free(text);
	free(once);
	free(twice);
	return 0;
}
