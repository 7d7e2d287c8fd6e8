#include "controlplane/link/meter_fact.h"

static void put(json_t *to, const struct tg_meter *m)
{
	for (int i = 0; i < TG_METERS; i++)
		json_object_set_new(to, tg_meter_name[i], json_integer((json_int_t)m->v[i]));
}

static json_t *object(const struct tg_meter *m)
{
	json_t *o = json_object();
	if (o)
		put(o, m);
	return o;
}

json_t *meter_fact(uint64_t region, const struct tg_meter_record *r)
{
	json_t *f = json_pack("{s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:I}",
		"region", (json_int_t)region, "worker", (int)r->worker, "row", (json_int_t)r->leg,
		"generation", (json_int_t)r->generation, "stint", (json_int_t)r->stint, "part",
		(json_int_t)r->part, "start_ns", (json_int_t)r->start_ns, "end_ns", (json_int_t)r->end_ns,
		"final", (int)r->final, "media_timeout", (int)r->media_timeout, "lost", (json_int_t)r->lost,
		"jitter_us", (json_int_t)r->jitter_us, "outages", (json_int_t)r->outages, "outage_ms",
		(json_int_t)r->outage_ms, "uncertain_packets", (json_int_t)r->uncertain_packets);
	if (f)
		put(f, &r->counts);
	return f;
}

json_t *snapshot_fact(uint64_t region, uint32_t worker, const struct tg_meter_record *r,
	const struct tg_meter *journalled, bool *ok)
{
	*ok = true;
	for (int i = 0; i < TG_METERS; i++)
		if (r->total.v[i] != r->closed.v[i] + r->counts.v[i] || r->closed.v[i] != journalled->v[i])
			*ok = false;
	return json_pack("{s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "region", (json_int_t)region,
		"worker", (json_int_t)worker, "tag", (json_int_t)r->stint, "at_ns", (json_int_t)r->end_ns,
		"ok", (int)*ok, "open", object(&r->counts), "closed", object(&r->closed), "total",
		object(&r->total), "journalled", object(journalled));
}
