#include "contract/leg.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "tests/unit/contract/suite.h"

static struct tg_desired row;
static atomic_bool done;

static void fill(uint32_t v)
{
	tg_desired_write_begin(&row);
	row.generation = v;
	memset(row.session, (int)(v & 0xff), sizeof(row.session));
	row.stint = v;
	row.since_ns = v;
	tg_desired_write_end(&row);
}

static void *write_many(void *arg)
{
	for (uint32_t i = 1; i < 200000; i++)
		fill(i);
	atomic_store(&done, true);
	return NULL;
}

START_TEST(a_reader_never_sees_half_a_change)
{
	pthread_t writer;
	struct tg_desired copy;
	unsigned good = 0;
	memset(&row, 0, sizeof(row));
	ck_assert_int_eq(pthread_create(&writer, NULL, write_many, NULL), 0);
	while (!atomic_load(&done)) {
		int e = tg_desired_read(&row, &copy);
		ck_assert(e == 0 || e == -EAGAIN);
		if (e)
			continue;
		good++;
		ck_assert_uint_eq(copy.generation, copy.stint);
		ck_assert_uint_eq(copy.generation, copy.since_ns);
		ck_assert_uint_eq(copy.session[15], copy.generation & 0xff);
	}
	pthread_join(writer, NULL);
	ck_assert_uint_gt(good, 0);
	ck_assert_int_eq(tg_desired_read(&row, &copy), 0);
	ck_assert_uint_eq(copy.generation, 199999);
}
END_TEST

START_TEST(a_writer_that_was_killed_is_noticed_and_the_next_one_repairs)
{
	struct tg_desired copy;
	memset(&row, 0, sizeof(row));
	tg_desired_write_begin(&row);
	ck_assert_int_eq(tg_desired_read(&row, &copy), -EAGAIN);
	fill(5);
	ck_assert_int_eq(tg_desired_read(&row, &copy), 0);
	ck_assert_uint_eq(copy.stint, 5);
}
END_TEST

TESTS("leg", a_reader_never_sees_half_a_change, a_writer_that_was_killed_is_noticed_and_the_next_one_repairs)
