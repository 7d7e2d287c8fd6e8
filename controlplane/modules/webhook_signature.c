#include "controlplane/modules/webhook_signature.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHA1_BYTES 20

/* strcmp() compares as unsigned bytes, whatever the locale. */
static int compare_params(const void *a, const void *b)
{
	const struct webhook_param *const *p = a, *const *q = b;
	int order = strcmp((*p)->name, (*q)->name);
	return order ? order : strcmp((*p)->value, (*q)->value);
}

static void write_params(FILE *out, const struct webhook *hook)
{
	const struct webhook_param *sorted[WEBHOOK_PARAMS_MAX] = {NULL};
	for (int i = 0; i < hook->params; i++)
		sorted[i] = &hook->param[i];
	qsort(sorted, (size_t)hook->params, sizeof(sorted[0]), compare_params);
	for (int i = 0; i < hook->params; i++)
		if (!i || compare_params(&sorted[i - 1], &sorted[i]))
			fprintf(out, "%s%s", sorted[i]->name, sorted[i]->value);
}

int webhook_sign(const char *url, const struct webhook *hook, const char *auth_token,
	char signature[static WEBHOOK_SIGNATURE_BYTES])
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	fputs(url, out);
	if (hook && hook->params)
		write_params(out, hook);
	int failed = ferror(out);
	failed |= fclose(out);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	if (!failed && !HMAC(EVP_sha1(), auth_token, (int)strlen(auth_token), (unsigned char *)text, len, mac,
			       &mac_len))
		failed = 1;
	free(text);
	if (failed || mac_len != SHA1_BYTES)
		return -ENOMEM;
	EVP_EncodeBlock((unsigned char *)signature, mac, SHA1_BYTES);
	return 0;
}
