#include "controlplane/modules/fetch_error.h"

#include "controlplane/modules/fetcher_limits.h"

const struct fetch_error_entry *fetch_error_entry(enum fetch_error error)
{
	static const struct fetch_error_entry entries[FETCH_ERRORS] = {
#define FETCH_ERROR(name, number, retry, sentence) [FETCH_##name] = {number, FETCHER_RETRY_##retry, sentence},
#include "controlplane/modules/fetch_error.def"
#undef FETCH_ERROR
	};
	return &entries[error];
}
