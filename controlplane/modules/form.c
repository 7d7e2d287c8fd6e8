#include "controlplane/modules/form.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the well-formed character at p, 0 for none (RFC 3629, 4). Ends at the NUL by itself: it continues
 * nothing. */
static size_t character_length(const unsigned char *p)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return continues(p[1]) ? 2 : 0;
	if ((p[0] & 0xf0) == 0xe0) {
		/* Neither a longer form than needed nor half of a surrogate pair. */
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return continues(p[1]) && continues(p[2]) ? 3 : 0;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
			return 0;
		return continues(p[1]) && continues(p[2]) && continues(p[3]) ? 4 : 0;
	}
	return 0;
}

char *form_clean(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *clean = malloc(3 * strlen(text) + 1), *to = clean;
	if (!clean)
		return NULL;
	while (*text) {
		size_t n = character_length((const unsigned char *)text);
		memcpy(to, n ? text : replacement, n ? n : 3);
		to += n ? n : 3;
		text += n ? n : 1;
	}
	*to = '\0';
	return clean;
}

void form_write(FILE *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	while (*text) {
		size_t n = strspn(text, plain);
		fwrite(text, 1, n, out);
		text += n;
		if (*text)
			fprintf(out, "%%%02X", (unsigned char)*text++);
	}
}
