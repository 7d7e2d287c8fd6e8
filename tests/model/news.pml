/* dataplane/digits.c, legs.c (dp_legs_news), resume.c and look_at_news() of controlplane/link/link.c: no digit
 * that was queued is lost or overwritten, though the event ring is full or either side is killed; what finds
 * the queue full is counted.
 *
 * A control plane that takes the call up goes on where its predecessor's file stopped. */
#define DIGITS  4
#define WAITING 2 /* TG_DIGITS_WAITING */
#define KILLS   2

byte digit[WAITING], digit_count, digits_lost, events_missed; /* by the worker */
byte digits_taken;					      /* by the control plane */
chan events = [1] of { bit }; /* whose leg: 1 is the one that is looked at */
byte arrived;
byte handled; /* what the session's file holds of them, their number with them (calls/shelf.h) */
byte kills_w, kills_c;
bool worker_idle;

#define DIE_W if :: kills_w < KILLS -> kills_w++; goto start :: true fi
#define DIE_C if :: kills_c < KILLS -> kills_c++; goto start :: true fi

active proctype worker()
{
start:
	worker_idle = false;
#ifndef MUTATION_resume_without_news
	/* What was stored without an event: look at all legs. */
	events_missed = events_missed + 1;
	DIE_W;
#endif
	worker_idle = true;
	do
	:: arrived < DIGITS ->
		atomic { worker_idle = false; arrived++ };
		DIE_W;
		if
#ifndef MUTATION_queue_unbounded
		:: digit_count - digits_taken >= WAITING ->
			digits_lost++;
			DIE_W
#endif
		:: else ->
#ifdef MUTATION_count_before_digit
			digit_count++;
			DIE_W;
			digit[(digit_count - 1) % WAITING] = digit_count;
#else
			digit[digit_count % WAITING] = digit_count + 1;
			DIE_W;
			digit_count++;
#endif
			DIE_W
		fi;
		if
		:: nfull(events) -> events!1
#ifdef MUTATION_missed_not_counted
		:: full(events) -> skip
#else
		:: full(events) -> events_missed++
#endif
		fi;
		DIE_W;
		worker_idle = true
	:: nfull(events) -> events!0 /* news of another leg */
	:: arrived == DIGITS -> break
	od
}

inline look()
{
	n = digit_count;
	do
	:: passed < n ->
		assert(digit[passed % WAITING] == passed + 1);
		DIE_C;
		assert(handled == passed);
#ifdef MUTATION_taken_before_handled
		digits_taken = passed + 1;
		DIE_C;
		handled = passed + 1;
#else
		handled = passed + 1;
		DIE_C;
		digits_taken = passed + 1; /* link_digits_settled() */
#endif
		passed++;
		DIE_C
	:: else -> break
	od
}

active proctype control()
{
	byte missed, n, passed;
	bit mine;
start:
	skip;
#ifdef MUTATION_file_without_count
	d_step { mine = 0; missed = 0; n = 0; passed = digits_taken };
#else
	d_step { mine = 0; missed = 0; n = 0; passed = handled; digits_taken = handled };
#endif
	look(); /* the row is taken up */
end:	do
	:: nempty(events) ->
		events?mine;
		DIE_C;
		if
		:: mine -> mine = 0; look()
		:: else
		fi
	:: missed != events_missed ->
		missed = events_missed;
		DIE_C;
		look()
	:: atomic { worker_idle && empty(events) && missed == events_missed ->
		assert(handled == digit_count && digit_count + digits_lost <= DIGITS) };
		if
		:: arrived == DIGITS && worker_idle && empty(events) && missed == events_missed -> break
		:: else
		fi
	od
}
