#include "controlplane/modules/fetcher_limits.h"

#include <stddef.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

static int equals(struct span text, const char *word)
{
	return text.n == strlen(word) && !memcmp(text.p, word, text.n);
}

/* Cuts *rest at the first mark; returns what was before it. */
static struct span cut(struct span *rest, char mark)
{
	const char *at = memchr(rest->p, mark, rest->n);
	struct span head = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
	size_t used = head.n + (at != NULL);
	rest->p += used;
	rest->n -= used;
	return head;
}

static void read_number(struct span text, uint32_t min, uint32_t max, uint32_t *out)
{
	uint32_t value = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return;
		value = value * 10 + (uint32_t)(text.p[i] - '0');
		if (value > max)
			value = max + 1; /* no digit that follows makes it less */
	}
	if (text.n)
		*out = value < min ? min : value > max ? max : value;
}

static void read_retries(struct span text, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned kinds;
	} words[] = {{"ct", FETCHER_RETRY_CONNECT}, {"rt", FETCHER_RETRY_READ}, {"4xx", FETCHER_RETRY_CLIENT},
		{"5xx", FETCHER_RETRY_SERVER}, {"all", FETCHER_RETRY_ALL}};
	unsigned kinds = 0;
	while (text.n) {
		struct span word = cut(&text, ',');
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (equals(word, words[i].word))
				kinds |= words[i].kinds;
	}
	if (kinds)
		*out = kinds;
}

void fetcher_limits_read(const char *url, struct fetcher_limits *limits)
{
	const char *mark = strchr(url, '#');
	if (!mark)
		return;
	struct span rest = {mark + 1, strlen(mark + 1)};
	while (rest.n) {
		struct span value = cut(&rest, '&');
		if (!memchr(value.p, '=', value.n))
			continue;
		struct span key = cut(&value, '=');
		if (equals(key, "ct"))
			read_number(value, 100, 10000, &limits->connect_ms);
		else if (equals(key, "rt"))
			read_number(value, 100, 15000, &limits->read_ms);
		else if (equals(key, "tt"))
			read_number(value, 100, 15000, &limits->total_ms);
		else if (equals(key, "rc"))
			read_number(value, 0, 5, &limits->retries);
		else if (equals(key, "rp"))
			read_retries(value, &limits->retry_on);
	}
}
