/* A segment of the journal as anybody may have left it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t at = 0;
	for (uint64_t sequence = 1;; sequence++) {
		struct journal_record record;
		json_t *payload;
		size_t used = 0;
		if (journal_decode(data + at, len - at, sequence, &record, &payload, &used))
			break;
		if (!used || used > len - at || record.sequence != sequence || record.fact > FACTS)
			abort();
		json_decref(payload);
		at += used;
	}
	journal_count_whole(data, len);
	return 0;
}
