/* A CDR file as anybody may have left it: JSON lines, a NUL, CSV. The first byte's last bit says whether it
 * is open. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cdr/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void on_fault(void *ctx, const char *file, uint64_t line, const char *sentence)
{
	for (; *sentence; sentence++)
		if (*sentence < 0x20 || *sentence > 0x7e)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cdr_verify *verify;
	if (!len || cdr_verify_create(&verify, on_fault, NULL))
		return 0;
	const char *json = (const char *)data + 1, *csv = memchr(json, 0, len - 1);
	size_t json_len = csv ? (size_t)(csv - json) : len - 1;
	struct cdr_verify_pair pair = {.stem = "gw1-1",
		.text = {json, csv ? csv + 1 : ""},
		.len = {json_len, csv ? len - 2 - json_len : 0},
		.open = data[0] & 1};
	cdr_verify_add(verify, &pair);
	cdr_verify_free(verify);
	return 0;
}
