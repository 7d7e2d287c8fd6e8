/* How a connection sounds, by the E-model (ITU-T G.107): pure, floating point, never on the packet path.
 *
 * R = 93.2 - Id - Ie,eff: the defaults of G.107 for everything that is not the network's (echo is taken to be
 * cancelled). Id is the delay's part (Idd), Ie,eff that of codec and loss, by the codec's values of G.113. */
#ifndef TG_DATAPLANE_EMODEL_H
#define TG_DATAPLANE_EMODEL_H

struct dp_emodel_codec {
	double ie;  /* equipment impairment without loss */
	double bpl; /* robustness against loss, percent */
};

/* G.113 appendix I: G.711 with packet loss concealment (G.711 appendix I), as phones have it; and without. */
extern const struct dp_emodel_codec dp_emodel_g711, dp_emodel_g711_bare;

struct dp_emodel_path {
	double delay_ms;     /* one way, mouth to ear */
	double loss_percent; /* 0 to 100 */
	double burst_ratio;  /* 1: random loss */
};

/* Rating factor, 0 to 93.2. */
double dp_emodel_r(const struct dp_emodel_codec *codec, const struct dp_emodel_path *path);
/* Mean opinion score that R stands for, 1 to 4.5 (G.107 annex B). */
double dp_emodel_mos(double r);

/* One way's delay from what RTCP knows: half the round trip, one frame, and a jitter buffer of twice the
 * interarrival jitter. */
double dp_emodel_delay_ms(double round_trip_ms, double frame_ms, double jitter_ms);

#endif
