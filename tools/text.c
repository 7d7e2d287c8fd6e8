#include "tools/text.h"

#include <inttypes.h>
#include <stdio.h>

const char *text_show(const char *text, size_t len, char *out, size_t bytes)
{
	size_t n = 0;
	for (size_t i = 0; i < len && text[i]; i++) {
		unsigned char c = (unsigned char)text[i];
		char one[8];
		int more = c == '\\'              ? snprintf(one, sizeof(one), "\\\\")
			   : c >= ' ' && c < 0x7f ? snprintf(one, sizeof(one), "%c", c)
						  : snprintf(one, sizeof(one), "\\x%02x", c);
		if (n + (size_t)more >= bytes)
			break;
		for (int k = 0; k < more; k++)
			out[n++] = one[k];
	}
	out[n] = '\0';
	return out;
}

const char *text_seconds(uint64_t s, char *out, size_t bytes)
{
	uint64_t days = s / 86400, hours = s / 3600 % 24, minutes = s / 60 % 60;
	if (days)
		snprintf(out, bytes, "%" PRIu64 "d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, days, hours,
			minutes, s % 60);
	else if (hours)
		snprintf(out, bytes, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, minutes, s % 60);
	else
		snprintf(out, bytes, "%" PRIu64 ":%02" PRIu64, minutes, s % 60);
	return out;
}

const char *text_bytes(uint64_t n, char *out, size_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	if (n < 1024) {
		snprintf(out, bytes, "%" PRIu64 " B", n);
		return out;
	}
	double v = (double)n / 1024;
	size_t u = 0;
	for (; v >= 1024 && u + 1 < sizeof(units) / sizeof(*units); u++)
		v /= 1024;
	snprintf(out, bytes, "%.1f %s", v, units[u]);
	return out;
}

const char *text_hex(const uint8_t *data, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
	out[2 * n] = '\0';
	return out;
}
