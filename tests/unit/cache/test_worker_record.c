#include <errno.h>
#include <string.h>

#include "cache/worker_record.h"
#include "tests/unit/cache/run_suite.h"

static uint8_t buf[2 * CACHE_RECORD_MAX];
static size_t fill;

static void put(uint32_t kind, const void *body, uint32_t bytes)
{
	struct cache_record_header h = {kind, bytes};
	memcpy(buf, &h, sizeof(h));
	if (body)
		memcpy(buf + sizeof(h), body, bytes);
	fill = sizeof(h) + bytes;
}

static void put_u32(uint32_t kind, uint32_t v)
{
	put(kind, &v, sizeof(v));
}

static void put_frames(uint32_t n)
{
	static uint8_t frames[CACHE_RECORD_BODY_MAX];
	put(CACHE_RECORD_FRAMES, frames, n * CACHE_FRAME_BYTES);
}

static int next(struct cache_record_stream *s)
{
	struct cache_record r;
	return cache_record_next(s, buf, fill, &r);
}

START_TEST(a_whole_stream)
{
	struct cache_record_stream s = {.max_frames = 100};
	struct cache_record r;
	put_u32(CACHE_RECORD_BEGIN, 60);
	ck_assert_int_eq(cache_record_next(&s, buf, fill, &r), (int)fill);
	ck_assert_uint_eq(r.frames, 60);
	for (uint32_t n = 50; n; n = n == 50 ? 10 : 0) {
		put_frames(n);
		ck_assert_int_eq(cache_record_next(&s, buf, fill, &r), (int)fill);
		ck_assert_uint_eq(r.frames, n);
		ck_assert_ptr_eq(r.payload, buf + sizeof(struct cache_record_header));
	}
	put_u32(CACHE_RECORD_END, 60);
	ck_assert_int_eq(cache_record_next(&s, buf, fill, &r), (int)fill);
	ck_assert(s.ended);
	ck_assert_int_eq(next(&s), -EBADMSG);
}
END_TEST

START_TEST(parts_wait_for_the_rest)
{
	struct cache_record_stream s = {.max_frames = 100};
	struct cache_record r;
	put_u32(CACHE_RECORD_BEGIN, 0);
	for (size_t n = 0; n < fill; n++)
		ck_assert_int_eq(cache_record_next(&s, buf, n, &r), 0);
	ck_assert(!s.begun);
	ck_assert_int_eq(next(&s), (int)fill);
	ck_assert(s.begun);
}
END_TEST

START_TEST(lies_are_refused)
{
	struct cache_record_stream begun = {.max_frames = 10, .begun = true};
	struct cache_record_stream s = {.max_frames = 10};
	put_u32(CACHE_RECORD_BEGIN, 11);
	ck_assert_int_eq(next(&s), -EBADMSG);
	put_frames(1);
	ck_assert_int_eq(next(&s), -EBADMSG); /* before BEGIN */
	put_u32(CACHE_RECORD_END, 0);
	ck_assert_int_eq(next(&s), -EBADMSG);
	s = begun;
	put_u32(CACHE_RECORD_BEGIN, 1);
	ck_assert_int_eq(next(&s), -EBADMSG); /* twice */
	put_frames(11);
	ck_assert_int_eq(next(&s), -EBADMSG); /* more than allowed */
	put(CACHE_RECORD_FRAMES, NULL, 0);
	ck_assert_int_eq(next(&s), -EBADMSG);
	put(CACHE_RECORD_FRAMES, NULL, 161);
	ck_assert_int_eq(next(&s), -EBADMSG);
	put_u32(CACHE_RECORD_END, 0);
	ck_assert_int_eq(next(&s), -EBADMSG); /* empty */
	put_u32(CACHE_RECORD_END, 1);
	ck_assert_int_eq(next(&s), -EBADMSG);
	s.announced = 5;
	put_frames(6);
	ck_assert_int_eq(next(&s), -EBADMSG); /* more than announced */
	put_frames(4);
	ck_assert_int_eq(next(&s), (int)fill);
	put_u32(CACHE_RECORD_END, 4);
	ck_assert_int_eq(next(&s), -EBADMSG); /* fewer than announced */
	put(77, NULL, 0);
	ck_assert_int_eq(next(&s), -EBADMSG);
	struct cache_record_header h = {CACHE_RECORD_FRAMES, UINT32_MAX};
	memcpy(buf, &h, sizeof(h));
	fill = sizeof(h);
	ck_assert_int_eq(next(&s), -EBADMSG); /* at once, not after 4 GiB */
}
END_TEST

START_TEST(failures)
{
	struct cache_record_stream s = {.max_frames = 10};
	struct cache_record r;
	struct {
		uint32_t error;
		char text[600];
	} body = {.error = CACHE_ERROR_DECODE, .text = "bad\nthing\xff"};
	put(CACHE_RECORD_FAIL, &body, 4 + 10);
	ck_assert_int_eq(cache_record_next(&s, buf, fill, &r), (int)fill);
	ck_assert_int_eq(r.failure.error, CACHE_ERROR_DECODE);
	ck_assert_str_eq(r.failure.sentence, "bad?thing?");
	s.ended = false;
	memset(body.text, 'x', sizeof(body.text));
	put(CACHE_RECORD_FAIL, &body, sizeof(body));
	ck_assert_int_eq(cache_record_next(&s, buf, fill, &r), (int)fill);
	ck_assert_uint_eq(strlen(r.failure.sentence), CACHE_SENTENCE_BYTES - 1);
	s.ended = false;
	put(CACHE_RECORD_FAIL, &body, 3);
	ck_assert_int_eq(next(&s), -EBADMSG);
	put_u32(CACHE_RECORD_FAIL, CACHE_OK);
	ck_assert_int_eq(next(&s), -EBADMSG);
	put_u32(CACHE_RECORD_FAIL, CACHE_ERRORS);
	ck_assert_int_eq(next(&s), -EBADMSG);
}
END_TEST

int main(void)
{
	return run_suite("worker_record", (const TTest *const[]){a_whole_stream, parts_wait_for_the_rest,
						  lies_are_refused, failures, NULL});
}
