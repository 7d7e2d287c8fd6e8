/* The fragment of a URL from outside: whatever it says, the limits stay in their ranges. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/fetcher_limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fetcher_limits l = {5000, 15000, 15000, 1, FETCHER_RETRY_CONNECT};
	char *url = strndup((const char *)data, len);
	if (!url)
		return 0;
	fetcher_limits_read(url, &l);
	free(url);
	if (l.connect_ms < 100 || l.connect_ms > 10000 || l.read_ms < 100 || l.read_ms > 15000 ||
		l.total_ms < 100 || l.total_ms > 15000 || l.retries > 5 || !l.retry_on ||
		l.retry_on > FETCHER_RETRY_ALL)
		abort();
	return 0;
}
