#include "contract/stats.h"

#include "base/clock.h"
#include "tests/unit/contract/suite.h"

#define S CLOCK_NS_PER_S

START_TEST(a_workers_state)
{
	static const struct {
		uint64_t alive, beat, now;
		enum tg_worker_state state;
	} tries[] = {
		{0, 100 * S, 100 * S, TG_WORKER_OFF}, /* never ran, or has ended */
		{100 * S, 0, 100 * S, TG_WORKER_OFF},
		{100 * S, 100 * S, 100 * S, TG_WORKER_RUNS},
		{101 * S, 100 * S, 100 * S, TG_WORKER_RUNS},
		{100 * S, 101 * S - 1, 101 * S, TG_WORKER_RUNS},
		{100 * S, 101 * S, 101 * S, TG_WORKER_STUCK},
		{1, 101 * S, 101 * S, TG_WORKER_STUCK},
		{100 * S, 100 * S, 103 * S - 1, TG_WORKER_RUNS}, /* the process stands still, or beats late */
		{100 * S, 100 * S, 103 * S, TG_WORKER_OFF},
		{UINT64_MAX, UINT64_MAX, 1, TG_WORKER_RUNS}, /* numbers that nobody wrote */
		{1, UINT64_MAX, UINT64_MAX, TG_WORKER_STUCK},
	};
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		struct tg_worker_stats s = {.alive_ns = tries[i].alive};
		ck_assert_msg(
			tg_worker_state(&s, tries[i].beat, tries[i].now) == tries[i].state, "try %zu", i);
	}
}
END_TEST

TESTS("stats", a_workers_state)
