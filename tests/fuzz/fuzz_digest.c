/* A challenge from anybody, one parameter a line: the credentials must stay one line and within their quotes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PARAMS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct digest_request request = {
		"INVITE", "sip:a@b", "user", "secret", "0123456789abcdef"};
	const char *params[PARAMS_MAX + 1] = {NULL};
	char out[DIGEST_HEADER_BYTES], *text = malloc(len + 1);
	if (!text)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	int count = 0;
	for (char *line = strtok(text, "\n"); line && count < PARAMS_MAX; line = strtok(NULL, "\n"))
		params[count++] = line;
	struct digest_challenge challenge = {"Digest", params};
	if (!digest_answer(&challenge, &request, out, sizeof(out))) {
		size_t quotes = 0;
		for (const char *p = out; *p; p++) {
			quotes += *p == '"';
			if ((unsigned char)*p < ' ' || *p == '\\')
				abort();
		}
		if (quotes % 2 || !memchr(out, '\0', sizeof(out)))
			abort();
	}
	free(text);
	return 0;
}
