#include "controlplane/calls/cause.h"

#include "tests/unit/journal/scratch.h"

START_TEST(causes_of_the_rfc)
{
	static const int table[][2] = {{200, 16}, {404, 1}, {480, 18}, {486, 17}, {487, 16}, {484, 28},
		{503, 41}, {600, 17}, {603, 21}, {604, 1}, {499, 31}, {599, 41}, {699, 21}, {0, 127},
		{300, 127}};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		ck_assert_int_eq(cause_of_status(table[i][0]), table[i][1]);
}
END_TEST

SCRATCH_MAIN("cause", 10, causes_of_the_rfc)
