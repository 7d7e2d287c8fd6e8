#include "dataplane/emodel.h"

#include <math.h>

#define R_DEFAULT     93.2
#define DELAY_FREE_MS 100.0

const struct dp_emodel_codec dp_emodel_g711 = {.ie = 0, .bpl = 25.1};
const struct dp_emodel_codec dp_emodel_g711_bare = {.ie = 0, .bpl = 4.3};

/* G.107 (7-27), (7-28). */
static double delay_impairment(double ms)
{
	if (ms <= DELAY_FREE_MS)
		return 0;
	double x = log2(ms / DELAY_FREE_MS);
	return 25 * (pow(1 + pow(x, 6), 1.0 / 6) - 3 * pow(1 + pow(x / 3, 6), 1.0 / 6) + 2);
}

/* G.107 (7-29). */
static double equipment_impairment(const struct dp_emodel_codec *c, const struct dp_emodel_path *p)
{
	double loss = p->loss_percent < 0 ? 0 : p->loss_percent > 100 ? 100 : p->loss_percent;
	double burst = p->burst_ratio < 1 ? 1 : p->burst_ratio;
	return c->ie + (95 - c->ie) * loss / (loss / burst + c->bpl);
}

double dp_emodel_r(const struct dp_emodel_codec *codec, const struct dp_emodel_path *path)
{
	double r = R_DEFAULT - delay_impairment(path->delay_ms) - equipment_impairment(codec, path);
	return r > 0 ? r : 0;
}

double dp_emodel_mos(double r)
{
	if (r <= 0)
		return 1;
	if (r >= 100)
		return 4.5;
	double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
	return mos > 1 ? mos : 1; /* below R = 6.5 the curve dips */
}

double dp_emodel_delay_ms(double round_trip_ms, double frame_ms, double jitter_ms)
{
	return round_trip_ms / 2 + frame_ms + 2 * jitter_ms;
}
