#include "controlplane/journal/fact_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CENTURY_MS (36525ll * 86400 * 1000)

bool fact_u64(const json_t *payload, const char *key, uint64_t *value)
{
	const json_t *v = json_object_get(payload, key);
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*value = (uint64_t)json_integer_value(v);
	return true;
}

bool fact_u32(const json_t *payload, const char *key, uint32_t *value)
{
	uint64_t v;
	if (!fact_u64(payload, key, &v) || v > UINT32_MAX)
		return false;
	*value = (uint32_t)v;
	return true;
}

int64_t fact_clock_step_ns(const json_t *payload)
{
	const json_t *v = json_object_get(payload, "clock_step_ms");
	json_int_t ms = json_is_integer(v) ? json_integer_value(v) : 0;
	return ms > -CENTURY_MS && ms < CENTURY_MS ? ms * 1000000 : 0;
}

bool fact_region(const json_t *payload, const char *key, uint64_t *region)
{
	const json_t *v = json_object_get(payload, key);
	if (json_is_integer(v)) {
		*region = (uint64_t)json_integer_value(v);
		return true;
	}
	size_t len;
	const char *text = fact_text(payload, key, &len);
	if (!text || len != FACT_REGION_BYTES - 1 || strspn(text, "0123456789abcdef") != len)
		return false;
	*region = strtoull(text, NULL, 16);
	return true;
}

const char *fact_text(const json_t *payload, const char *key, size_t *len)
{
	const json_t *v = json_object_get(payload, key);
	if (!json_is_string(v))
		return NULL;
	if (len)
		*len = json_string_length(v);
	return json_string_value(v);
}

bool fact_true(const json_t *payload, const char *key)
{
	return json_is_true(json_object_get(payload, key));
}

size_t fact_character(const char *text, size_t left)
{
	const unsigned char *p = (const unsigned char *)text;
	if (p[0] < 0x80)
		return 1;
	size_t n = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
		   : (p[0] & 0xf0) == 0xe0        ? 3
		   : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						  : 0;
	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

json_t *fact_string(const char *text, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *clean = malloc(3 * len + 1);
	if (!clean)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < len;) {
		size_t c = fact_character(text + i, len - i);
		memcpy(clean + n, c ? text + i : replacement, c ? c : 3);
		n += c ? c : 3;
		i += c ? c : 1;
	}
	json_t *string = json_stringn(clean, n);
	free(clean);
	return string;
}

json_t *fact_string_of_region(uint64_t region)
{
	char text[FACT_REGION_BYTES];
	snprintf(text, sizeof(text), "%016" PRIx64, region);
	return json_string(text);
}
