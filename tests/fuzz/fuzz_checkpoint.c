/* A checkpoint as anybody may have left it. The first byte says which part: what every file has, or what the
 * records' parts put there, which are then saved again: that must give what loads to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/calls/recovery.h"
#include "controlplane/cdr/session.h"
#include "controlplane/journal/checkpoint.h"
#include "controlplane/metering/usage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct unpack reading(const struct pack *p)
{
	return (struct unpack){.at = p->data, .end = p->data + p->len};
}

static void must_be_same(struct pack *a, struct pack *b)
{
	if (a->len != b->len || (a->len && memcmp(a->data, b->data, a->len)))
		abort();
	free(a->data);
	free(b->data);
}

static void try_file(const uint8_t *data, size_t len)
{
	struct checkpoint c;
	char why[64], *copy = malloc(len + 1);
	if (!copy)
		return;
	memcpy(copy, data, len);
	checkpoint_parse(&c, copy, len, why, sizeof(why));
	checkpoint_release(&c);
}

static void try_usage(struct unpack u)
{
	struct usage *one, *two;
	struct pack first = {0}, second = {0};
	if (usage_create(&one))
		return;
	if (!usage_load(one, &u)) {
		usage_save(one, &first);
		u = reading(&first);
		if (usage_create(&two) || usage_load(two, &u))
			abort();
		usage_save(two, &second);
		usage_destroy(two);
		must_be_same(&first, &second);
	}
	usage_destroy(one);
}

static void try_recovery(struct unpack u)
{
	struct recovery *one, *two;
	struct pack first = {0}, second = {0};
	if (recovery_create(&one))
		return;
	if (!recovery_load(one, &u)) {
		recovery_save(one, &first);
		u = reading(&first);
		if (recovery_create(&two) || recovery_load(two, &u))
			abort();
		recovery_save(two, &second);
		recovery_destroy(two);
		must_be_same(&first, &second);
	}
	recovery_destroy(one);
}

static void try_session(struct unpack u)
{
	struct cdr_session *one, *two;
	struct pack first = {0}, second = {0};
	if (cdr_session_load(&one, &u))
		return;
	cdr_session_save(one, &first);
	u = reading(&first);
	if (cdr_session_load(&two, &u))
		abort();
	cdr_session_parse(two);
	cdr_session_save(two, &second);
	cdr_session_free(two);
	cdr_session_free(one);
	must_be_same(&first, &second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	struct unpack u = {.at = data + 1, .end = data + len};
	switch (data[0]) {
	case 'f':
		try_file(data + 1, len - 1);
		break;
	case 'u':
		try_usage(u);
		break;
	case 'r':
		try_recovery(u);
		break;
	case 's':
		try_session(u);
		break;
	default:
		break;
	}
	return 0;
}
