#include "controlplane/journal/crc32c.h"

#include "tests/unit/journal/scratch.h"

START_TEST(check_value)
{
	ck_assert_uint_eq(journal_crc32c(0, "123456789", 9), 0xe3069283u);
	ck_assert_uint_eq(journal_crc32c(0, "", 0), 0);
}
END_TEST

/* RFC 3720 B.4. */
START_TEST(rfc3720_vectors)
{
	uint8_t block[32] = {0};
	ck_assert_uint_eq(journal_crc32c(0, block, 32), 0x8a9136aau);
	memset(block, 0xff, 32);
	ck_assert_uint_eq(journal_crc32c(0, block, 32), 0x62a8ab43u);
	for (int i = 0; i < 32; i++)
		block[i] = (uint8_t)i;
	ck_assert_uint_eq(journal_crc32c(0, block, 32), 0x46dd794eu);
}
END_TEST

START_TEST(in_pieces)
{
	uint32_t crc = journal_crc32c(0, "1234", 4);
	ck_assert_uint_eq(journal_crc32c(crc, "56789", 5), 0xe3069283u);
}
END_TEST

/* Of every length, from every place in a word. */
START_TEST(instruction_and_table_agree)
{
	uint8_t block[64];
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(37 * i + 11);
	for (size_t from = 0; from < 8; from++)
		for (size_t len = 0; from + len <= sizeof(block); len++)
			ck_assert_uint_eq(journal_crc32c(7, block + from, len),
				journal_crc32c_by_table(7, block + from, len));
	ck_assert_uint_eq(journal_crc32c_by_table(0, "123456789", 9), 0xe3069283u);
}
END_TEST

SCRATCH_MAIN("crc32c", 5, check_value, rfc3720_vectors, in_pieces, instruction_and_table_agree)
