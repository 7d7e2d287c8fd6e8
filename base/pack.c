#include "base/pack.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM   4096
#define NUMBER_BYTES 10

static uint8_t *more(struct pack *p, size_t bytes)
{
	if (p->failed)
		return NULL;
	if (p->room - p->len < bytes) {
		size_t room = p->room ? 2 * p->room : FIRST_ROOM;
		if (room < p->len + bytes)
			room = p->len + bytes;
		uint8_t *bigger = realloc(p->data, room);
		if (!bigger) {
			p->failed = true;
			return NULL;
		}
		p->data = bigger;
		p->room = room;
	}
	return p->data + p->len;
}

void pack_number(struct pack *p, uint64_t number)
{
	uint8_t *at = more(p, NUMBER_BYTES);
	if (!at)
		return;
	for (; number > 0x7f; number >>= 7)
		*at++ = (uint8_t)(number | 0x80);
	*at++ = (uint8_t)number;
	p->len = (size_t)(at - p->data);
}

void pack_text(struct pack *p, const void *text, size_t len)
{
	pack_number(p, len);
	uint8_t *at = more(p, len + 1);
	if (!at)
		return;
	if (len)
		memcpy(at, text, len);
	at[len] = '\0';
	p->len += len + 1;
}

static uint64_t fail(struct unpack *u)
{
	u->failed = true;
	u->at = u->end;
	return 0;
}

uint64_t unpack_number(struct unpack *u)
{
	uint64_t number = 0;
	for (unsigned shift = 0; u->at < u->end && shift < 64; shift += 7) {
		uint8_t byte = *u->at++;
		uint64_t bits = byte & 0x7f;
		if (bits << shift >> shift != bits)
			return fail(u);
		number |= bits << shift;
		if (!(byte & 0x80))
			return number;
	}
	return fail(u);
}

uint64_t unpack_number_to(struct unpack *u, uint64_t max)
{
	uint64_t number = unpack_number(u);
	return number <= max ? number : fail(u);
}

const char *unpack_text(struct unpack *u, size_t *len)
{
	size_t left, n = unpack_number(u);
	left = (size_t)(u->end - u->at);
	if (u->failed || n >= left || u->at[n]) {
		fail(u);
		*len = 0;
		return "";
	}
	const char *text = (const char *)u->at;
	u->at += n + 1;
	*len = n;
	return text;
}

size_t unpack_count(struct unpack *u)
{
	uint64_t n = unpack_number(u);
	return n <= (uint64_t)(u->end - u->at) ? n : fail(u);
}
