#include "cache/freshness.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

struct directives {
	bool no_store, no_cache, is_private;
	int64_t max_age, s_maxage; /* -1: absent */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* delta-seconds (RFC 9111 section 1.2.2): digits only; too large means very long. -1: not a number. */
static int64_t delta_seconds(const char *p, size_t n)
{
	int64_t v = 0;
	if (!n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = 10 * v + (p[i] - '0');
		if (v > CACHE_FRESH_MAX_S)
			v = CACHE_FRESH_MAX_S;
	}
	return v;
}

static bool is_name(const char *p, size_t n, const char *name)
{
	return strlen(name) == n && !strncasecmp(p, name, n);
}

/* A number that cannot be read makes the answer stale, and the smallest of several counts (section 4.2.1). */
static void shorten(int64_t *age, const char *value, size_t n)
{
	int64_t v = delta_seconds(value, n);
	if (v < 0)
		v = 0;
	if (*age < 0 || v < *age)
		*age = v;
}

static void apply(struct directives *d, const char *name, size_t n, const char *value, size_t value_n)
{
	if (is_name(name, n, "no-store"))
		d->no_store = true;
	else if (is_name(name, n, "no-cache"))
		d->no_cache = true;
	else if (is_name(name, n, "private"))
		d->is_private = true;
	else if (is_name(name, n, "max-age"))
		shorten(&d->max_age, value, value_n);
	else if (is_name(name, n, "s-maxage"))
		shorten(&d->s_maxage, value, value_n);
}

/* One directive: token [ "=" ( token / quoted-string ) ]. Returns where the next begins. */
static const char *directive(struct directives *d, const char *p)
{
	const char *name = p;
	while (*p && *p != '=' && *p != ',' && !is_space(*p))
		p++;
	size_t n = (size_t)(p - name), value_n = 0;
	const char *value = "";
	while (is_space(*p))
		p++;
	if (*p == '=') {
		do
			p++;
		while (is_space(*p));
		char end = ',';
		if (*p == '"') {
			end = '"';
			p++;
		}
		value = p;
		while (*p && *p != end && (end == '"' || !is_space(*p)))
			p += end == '"' && *p == '\\' && p[1] ? 2 : 1;
		value_n = (size_t)(p - value);
	}
	apply(d, name, n, value, value_n);
	while (*p && *p != ',')
		p++;
	return p;
}

static struct directives parse(const char *p)
{
	struct directives d = {.max_age = -1, .s_maxage = -1};
	while (p && *p) {
		if (is_space(*p) || *p == ',')
			p++;
		else
			p = directive(&d, p);
	}
	return d;
}

/* Lifetime by Expires. An Expires that is not a date means "already over" (section 5.3). */
static int64_t by_expires(const struct cache_answer_fields *f, int64_t now_s)
{
	time_t expires = curl_getdate(f->expires, NULL);
	time_t date = f->date ? curl_getdate(f->date, NULL) : -1;
	if (date < 0)
		date = now_s;
	return expires <= date ? 0 : (int64_t)expires - (int64_t)date;
}

struct cache_freshness cache_freshness(
	const struct cache_answer_fields *f, bool shared, int64_t now_s, uint32_t default_s)
{
	struct directives d = parse(f->cache_control);
	struct cache_freshness out = {.keep = !d.no_store && !(d.is_private && shared)};
	if (!out.keep || d.no_cache)
		return out;
	int64_t life = default_s;
	if (shared && d.s_maxage >= 0)
		life = d.s_maxage;
	else if (d.max_age >= 0)
		life = d.max_age;
	else if (f->expires)
		life = by_expires(f, now_s);
	if (f->age) {
		int64_t age = delta_seconds(f->age, strspn(f->age, "0123456789"));
		if (age > 0)
			life -= age;
	}
	if (life < 0)
		life = 0;
	if (life > CACHE_FRESH_MAX_S)
		life = CACHE_FRESH_MAX_S;
	out.fresh_s = (uint32_t)life;
	return out;
}
