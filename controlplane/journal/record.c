#include "controlplane/journal/record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "controlplane/journal/crc32c.h"

#define CRC_AT 24 /* the sum covers what is before it and the payload after it */

static void put(uint8_t *out, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

uint32_t journal_encode(uint64_t sequence, uint64_t time_ns, const char *payload, size_t len, uint8_t *out)
{
	put(out, JOURNAL_MAGIC, 4);
	put(out + 4, len, 4);
	put(out + 8, sequence, 8);
	put(out + 16, time_ns, 8);
	memcpy(out + JOURNAL_HEADER_BYTES, payload, len);
	uint32_t crc = journal_crc32c(journal_crc32c(0, out, CRC_AT), payload, len);
	put(out + CRC_AT, crc, 4);
	return crc;
}

/* Bytes of the whole record, 0 while the header isn't there, -EUCLEAN when it can't be one. */
static int64_t frame(const uint8_t *data, size_t len)
{
	if (len < JOURNAL_HEADER_BYTES)
		return 0;
	uint64_t payload = get(data + 4, 4);
	if (get(data, 4) != JOURNAL_MAGIC || payload > JOURNAL_PAYLOAD_MAX)
		return -EUCLEAN;
	return (int64_t)(JOURNAL_HEADER_BYTES + payload);
}

static bool sum_is_right(const uint8_t *data, size_t bytes)
{
	uint32_t crc = journal_crc32c(0, data, CRC_AT);
	crc = journal_crc32c(crc, data + JOURNAL_HEADER_BYTES, bytes - JOURNAL_HEADER_BYTES);
	return crc == get(data + CRC_AT, 4);
}

static int parse(const uint8_t *text, size_t len, struct journal_record *record, json_t **payload)
{
	json_error_t error;
	json_t *v = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!v) /* a record must not count as damaged because memory is short */
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EUCLEAN;
	const char *name = json_string_value(json_object_get(v, "fact"));
	if (!name) {
		json_decref(v);
		return -EUCLEAN;
	}
	record->fact = fact_by_name(name);
	record->payload = v;
	*payload = v;
	return 0;
}

int journal_decode(const uint8_t *data, size_t len, uint64_t sequence, struct journal_record *record,
	json_t **payload, size_t *used)
{
	int64_t bytes = frame(data, len);
	if (bytes < 0)
		return (int)bytes;
	if (!bytes || (size_t)bytes > len) {
		*used = bytes ? (size_t)bytes : JOURNAL_HEADER_BYTES;
		return -EAGAIN;
	}
	if (!sum_is_right(data, (size_t)bytes))
		return -EUCLEAN;
	if (get(data + 8, 8) != sequence)
		return -EILSEQ;
	int e = parse(data + JOURNAL_HEADER_BYTES, (size_t)bytes - JOURNAL_HEADER_BYTES, record, payload);
	if (e)
		return e;
	record->sequence = sequence;
	record->time_ns = get(data + 16, 8);
	record->text = (const char *)data + JOURNAL_HEADER_BYTES;
	record->len = (size_t)bytes - JOURNAL_HEADER_BYTES;
	record->place = (struct journal_place){.crc = (uint32_t)get(data + CRC_AT, 4)};
	*used = (size_t)bytes;
	return 0;
}

unsigned journal_other_version(const uint8_t *data, size_t len)
{
	uint8_t ours[CRC_AT];
	if (len < JOURNAL_HEADER_BYTES || get(data, 3) != (JOURNAL_MAGIC & 0xffffff) || data[3] < '1' ||
		data[3] > '9' || data[3] == '0' + JOURNAL_VERSION)
		return 0;
	memcpy(ours, data, CRC_AT);
	put(ours, JOURNAL_MAGIC, 4);
	uint64_t payload = get(data + 4, 4);
	uint32_t crc = journal_crc32c(0, ours, CRC_AT);
	if (payload <= len - JOURNAL_HEADER_BYTES &&
		journal_crc32c(crc, data + JOURNAL_HEADER_BYTES, payload) == get(data + CRC_AT, 4))
		return 0;
	return (unsigned)(data[3] - '0');
}

unsigned journal_count_whole(const uint8_t *data, size_t len)
{
	unsigned n = 0;
	for (size_t at = 0; at + JOURNAL_HEADER_BYTES <= len;) {
		int64_t bytes = frame(data + at, len - at);
		bool whole = bytes > 0 && (size_t)bytes <= len - at && sum_is_right(data + at, (size_t)bytes);
		n += whole;
		at += whole ? (size_t)bytes : 1;
	}
	return n;
}
