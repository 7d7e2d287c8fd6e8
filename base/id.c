#include "base/id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int id_new(struct id *id)
{
	ssize_t n = getrandom(id->b, sizeof(id->b), 0);
	if (n == (ssize_t)sizeof(id->b))
		return 0;
	return n < 0 ? -errno : -EIO;
}

void id_format(const struct id *id, const char kind[static 2], char out[static ID_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	out[0] = kind[0];
	out[1] = kind[1];
	for (int i = 0; i < ID_BYTES; i++) {
		out[2 + 2 * i] = hex[id->b[i] >> 4];
		out[3 + 2 * i] = hex[id->b[i] & 15];
	}
	out[ID_TEXT_BYTES - 1] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int id_parse(const char *text, const char kind[static 2], struct id *id)
{
	if (strlen(text) != ID_TEXT_BYTES - 1 || text[0] != kind[0] || text[1] != kind[1])
		return -EINVAL;
	struct id got;
	for (int i = 0; i < ID_BYTES; i++) {
		int hi = hex_digit(text[2 + 2 * i]), lo = hex_digit(text[3 + 2 * i]);
		if (hi < 0 || lo < 0)
			return -EINVAL;
		got.b[i] = (uint8_t)(hi << 4 | lo);
	}
	*id = got;
	return 0;
}

bool id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, ID_BYTES) == 0;
}
