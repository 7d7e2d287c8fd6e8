#include "controlplane/sip/source.h"

#include <string.h>

#include "base/clock.h"

void source_init(struct source_table *table, const struct settings *settings, uint64_t now_ns)
{
	memset(table, 0, sizeof(*table));
	for (int i = 0; i < settings->trunks; i++) {
		const struct settings_trunk *s = &settings->trunk[i];
		struct source_trunk *t = &table->trunk[table->trunks++];
		memcpy(t->name, s->name, sizeof(t->name));
		t->range = s->range;
		t->call_ns = CLOCK_NS_PER_S / (uint64_t)(s->calls_per_second > 0 ? s->calls_per_second : 1);
		t->credit_ns = CLOCK_NS_PER_S;
		t->seen_ns = now_ns;
		t->max_calls = s->max_calls;
	}
}

int source_find(const struct source_table *table, const struct tg_addr *address)
{
	for (int i = 0; i < table->trunks; i++)
		if (settings_in_range(&table->trunk[i].range, address))
			return i;
	return -1;
}

enum source_verdict source_admit(struct source_table *table, int trunk, uint64_t now_ns)
{
	struct source_trunk *t = &table->trunk[trunk];
	uint64_t passed = now_ns > t->seen_ns ? now_ns - t->seen_ns : 0;
	t->seen_ns = now_ns;
	if (passed > CLOCK_NS_PER_S)
		passed = CLOCK_NS_PER_S;
	t->credit_ns += passed;
	if (t->credit_ns > CLOCK_NS_PER_S)
		t->credit_ns = CLOCK_NS_PER_S;
	if (t->calls >= t->max_calls)
		return SOURCE_LIMIT;
	if (t->credit_ns < t->call_ns)
		return SOURCE_RATE;
	t->credit_ns -= t->call_ns;
	t->calls++;
	return SOURCE_ADMITTED;
}

void source_adopt(struct source_table *table, int trunk)
{
	table->trunk[trunk].calls++;
}

void source_release(struct source_table *table, int trunk)
{
	if (table->trunk[trunk].calls > 0)
		table->trunk[trunk].calls--;
}
