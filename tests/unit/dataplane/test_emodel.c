#include "dataplane/emodel.h"

#include "tests/unit/contract/suite.h"

static double r_of(double delay_ms, double loss_percent)
{
	struct dp_emodel_path p = {.delay_ms = delay_ms, .loss_percent = loss_percent, .burst_ratio = 1};
	return dp_emodel_r(&dp_emodel_g711, &p);
}

START_TEST(nothing_impairs)
{
	ck_assert_double_eq_tol(r_of(0, 0), 93.2, 1e-9);
	ck_assert_double_eq_tol(r_of(100, 0), 93.2, 1e-9);
	/* The MOS of G.107's defaults. */
	ck_assert_double_eq_tol(dp_emodel_mos(93.2), 4.41, 0.005);
}
END_TEST

/* Idd of 200 ms is 25 (2^(1/6) - 3 (1 + 3^-6)^(1/6) + 2) = 3.04; of 400 ms 24.07. */
START_TEST(delay)
{
	ck_assert_double_eq_tol(r_of(200, 0), 93.2 - 3.044, 0.01);
	ck_assert_double_eq_tol(r_of(400, 0), 93.2 - 24.07, 0.01);
	double before = 94;
	for (int ms = 100; ms < 2000; ms += 10) {
		double r = r_of((double)ms, 0);
		ck_assert_double_le(r, before);
		before = r;
	}
}
END_TEST

/* Ie,eff = 95 Ppl / (Ppl + Bpl): 5 % of loss are 15.78 with concealment, 51.08 without. */
START_TEST(loss)
{
	ck_assert_double_eq_tol(r_of(0, 5), 93.2 - 95.0 * 5 / 30.1, 1e-9);
	struct dp_emodel_path p = {.loss_percent = 5, .burst_ratio = 1};
	ck_assert_double_eq_tol(dp_emodel_r(&dp_emodel_g711_bare, &p), 93.2 - 51.075, 0.001);
	/* In bursts it is heard more. */
	p.burst_ratio = 2;
	ck_assert_double_eq_tol(dp_emodel_r(&dp_emodel_g711, &p), 93.2 - 95.0 * 5 / 27.6, 1e-9);
	ck_assert_double_eq_tol(r_of(0, 100), 93.2 - 95.0 * 100 / 125.1, 1e-9);
	ck_assert_double_eq_tol(r_of(0, 1000), r_of(0, 100), 1e-9);
	ck_assert_double_eq(r_of(2000, 100), 0);
}
END_TEST

/* G.107 table B.1: R 90, 80, 70, 60, 50 are MOS 4.34, 4.03, 3.60, 3.10, 2.58. */
START_TEST(opinion_scores)
{
	ck_assert_double_eq_tol(dp_emodel_mos(90), 4.34, 0.005);
	ck_assert_double_eq_tol(dp_emodel_mos(80), 4.03, 0.0065);
	ck_assert_double_eq_tol(dp_emodel_mos(70), 3.60, 0.005);
	ck_assert_double_eq_tol(dp_emodel_mos(60), 3.10, 0.005);
	ck_assert_double_eq_tol(dp_emodel_mos(50), 2.58, 0.0065);
	ck_assert_double_eq(dp_emodel_mos(0), 1);
	ck_assert_double_eq(dp_emodel_mos(3), 1);
	ck_assert_double_eq(dp_emodel_mos(100), 4.5);
}
END_TEST

START_TEST(delay_of_a_connection)
{
	ck_assert_double_eq(dp_emodel_delay_ms(100, 20, 5), 80);
}
END_TEST

TESTS("emodel", nothing_impairs, delay, loss, opinion_scores, delay_of_a_connection)
