#include "controlplane/journal/record.h"

#include <errno.h>

#include "tests/unit/journal/scratch.h"

static const char text[] = "{\"at_ns\":17,\"fact\":\"digit\",\"session\":\"x\"}";
#define TEXT_BYTES (sizeof(text) - 1)
#define ALL_BYTES  (JOURNAL_HEADER_BYTES + TEXT_BYTES)

static int decode(const uint8_t *data, size_t len, uint64_t sequence, size_t *used)
{
	struct journal_record record;
	json_t *payload;
	int e = journal_decode(data, len, sequence, &record, &payload, used);
	if (!e)
		json_decref(payload);
	return e;
}

START_TEST(round_trip)
{
	uint8_t out[ALL_BYTES];
	journal_encode(0x1122334455667788ull, 1700000000000000001ull, text, TEXT_BYTES, out);
	ck_assert_mem_eq(out, "JNL1", 4);
	ck_assert_uint_eq(out[8], 0x88);
	ck_assert_uint_eq(out[15], 0x11);
	struct journal_record r;
	json_t *payload;
	size_t used = 0;
	ck_assert_int_eq(journal_decode(out, sizeof(out), 0x1122334455667788ull, &r, &payload, &used), 0);
	ck_assert_uint_eq(used, sizeof(out));
	ck_assert_uint_eq(r.sequence, 0x1122334455667788ull);
	ck_assert_uint_eq(r.time_ns, 1700000000000000001ull);
	ck_assert_int_eq(r.fact, FACT_digit);
	ck_assert_str_eq(json_string_value(json_object_get(r.payload, "session")), "x");
	json_decref(payload);
}
END_TEST

START_TEST(cut_anywhere_asks_for_more)
{
	uint8_t out[ALL_BYTES];
	journal_encode(1, 2, text, TEXT_BYTES, out);
	for (size_t len = 0; len < sizeof(out); len++) {
		size_t used = 0;
		ck_assert_int_eq(decode(out, len, 1, &used), -EAGAIN);
		ck_assert_uint_eq(used, len < JOURNAL_HEADER_BYTES ? JOURNAL_HEADER_BYTES : ALL_BYTES);
	}
}
END_TEST

START_TEST(no_flipped_bit_goes_unseen)
{
	uint8_t out[ALL_BYTES];
	journal_encode(1, 2, text, TEXT_BYTES, out);
	for (size_t bit = 0; bit < 8 * sizeof(out); bit++) {
		size_t used;
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_ne(decode(out, sizeof(out), 1, &used), 0);
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	size_t used;
	ck_assert_int_eq(decode(out, sizeof(out), 1, &used), 0);
}
END_TEST

START_TEST(wrong_sequence)
{
	uint8_t out[ALL_BYTES];
	size_t used;
	journal_encode(5, 2, text, TEXT_BYTES, out);
	ck_assert_int_eq(decode(out, sizeof(out), 4, &used), -EILSEQ);
	ck_assert_int_eq(decode(out, sizeof(out), 6, &used), -EILSEQ);
}
END_TEST

static int of_text(const char *payload, size_t len)
{
	uint8_t out[512];
	size_t used;
	journal_encode(1, 2, payload, len, out);
	return decode(out, JOURNAL_HEADER_BYTES + len, 1, &used);
}

START_TEST(payload_must_be_a_fact)
{
	ck_assert_int_eq(of_text("", 0), -EUCLEAN);
	ck_assert_int_eq(of_text("[]", 2), -EUCLEAN);
	ck_assert_int_eq(of_text("{}", 2), -EUCLEAN);
	ck_assert_int_eq(of_text("{\"fact\":7}", 10), -EUCLEAN);
	ck_assert_int_eq(of_text("{\"fact\":\"digit\"}x", 17), -EUCLEAN);
	ck_assert_int_eq(of_text("{\"fact\":\"digit\"}", 16), 0);
}
END_TEST

/* Of a newer version: read, not cut off. */
START_TEST(unknown_fact)
{
	uint8_t out[128];
	const char *payload = "{\"fact\":\"of_tomorrow\"}";
	journal_encode(1, 2, payload, strlen(payload), out);
	struct journal_record r;
	json_t *v;
	size_t used;
	ck_assert_int_eq(journal_decode(out, sizeof(out), 1, &r, &v, &used), 0);
	ck_assert_int_eq(r.fact, FACTS);
	json_decref(v);
}
END_TEST

START_TEST(length_out_of_range)
{
	uint8_t out[ALL_BYTES];
	size_t used;
	journal_encode(1, 2, text, TEXT_BYTES, out);
	uint32_t too_long = JOURNAL_PAYLOAD_MAX + 1;
	memcpy(out + 4, &too_long, 4);
	ck_assert_int_eq(decode(out, sizeof(out), 1, &used), -EUCLEAN);
}
END_TEST

START_TEST(whole_records_are_found)
{
	uint8_t out[3 * ALL_BYTES + 5];
	memset(out, 'J', sizeof(out));
	journal_encode(7, 2, text, TEXT_BYTES, out + 3);
	journal_encode(8, 2, text, TEXT_BYTES, out + 3 + ALL_BYTES);
	ck_assert_uint_eq(journal_count_whole(out, sizeof(out)), 2);
	ck_assert_uint_eq(journal_count_whole(out, 3 + ALL_BYTES + 4), 1);
	ck_assert_uint_eq(journal_count_whole(out, 0), 0);
}
END_TEST

SCRATCH_MAIN("record", 10, round_trip, cut_anywhere_asks_for_more, no_flipped_bit_goes_unseen, wrong_sequence,
	payload_must_be_a_fact, unknown_fact, length_out_of_range, whole_records_are_found)
