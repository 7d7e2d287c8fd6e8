/* controlplane/link/link.c: a row is used again only when the final record of its last generation is durable;
 * `released` is told only when that record is in the journal or can't come; no row is lost.
 *
 * One row, three generations. The control plane is killed between any two steps; its successor drains the meter
 * ring, takes up what its session's file says (calls/takeover.c), or not, and releases what is left. The worker
 * carries out a command as one step (meter.pml) and is killed before it takes it from the ring. */
#define GENERATIONS 3
#define OTHER 4 /* a record of another row */
#define KILLS_C 2
#define KILLS_W 1

mtype = { PROGRAM, SOURCE, RELEASE };

#define FREE      0
#define RESERVED  1
#define OPEN      2
#define RELEASING 3

/* A generation's final record. */
#define NEVER    0 /* not opened */
#define COUNTING 1
#define IN_RING  2
#define APPENDED 3
#define DURABLE  4

chan commands = [3] of { mtype, byte };
chan refusals = [3] of { mtype, byte }; /* the event ring */
chan meters = [2] of { byte };          /* finals, and records of other rows */
byte desired, programmed, generation;   /* of the row: desired row, egress record; the region's last one */
byte final[GENERATIONS + 2];
byte pending[GENERATIONS + 1]; /* PROGRAMs in the ring */
byte kills_c, kills_w, others, sources;
byte kept, kept_generation; /* the session's file: its row's state, written before what leads to it */

#define DIE_C if :: kills_c < KILLS_C -> kills_c++; goto killed :: true fi
#define DIE_W if :: kills_w < KILLS_W -> kills_w++; goto start :: true fi

active proctype worker()
{
	mtype kind;
	byte g;
start:
end:	do
	:: others < 1 && nfull(meters) -> others++; meters!OTHER
	:: nempty(commands) && nfull(meters) && nfull(refusals) ->
		atomic {
			commands?<kind, g>;
			if
			:: kind == PROGRAM && programmed == 0 ->
				assert(final[g] == NEVER);
				programmed = g;
				final[g] = COUNTING
			:: kind == PROGRAM && programmed != 0 ->
				assert(programmed == g) /* else the row is stuck: refused */
			:: kind == SOURCE && programmed == g -> /* its peer or item may be gone */
				if
				:: refusals!SOURCE, g
				:: true
				fi
			:: kind == RELEASE && programmed == g ->
				meters!g;
				final[g] = IN_RING;
				programmed = 0
			:: else -> refusals!kind, g
			fi
		};
		DIE_W;
		atomic {
			commands?kind, g;
			if
			:: kind == PROGRAM -> pending[g]--
			:: else
			fi;
			kind = 0; g = 0
		}
	od
}

/* link_release() */
inline begin_release()
{
	state = RELEASING;
#ifdef MUTATION_desired_cleared_at_release
	desired = 0;
#endif
	to_release = gen
}

/* handler.released: the session may be closed in the records now. */
inline released()
{
	assert(final[gen] >= APPENDED || (final[gen] == NEVER && !pending[gen]))
}

inline give_back()
{
#ifndef MUTATION_desired_cleared_at_release
	desired = 0;
#endif
	state = FREE;
	gone = false
}

active proctype control()
{
	mtype kind;
	byte state, gen, g, batch, behind;
	byte to_release; /* a RELEASE that is not in the ring yet, with its generation by value */
	bool gone, to_program;
	goto start;
killed:
	/* Of what was appended it may be that nothing had been synced. */
	if
	:: batch && final[batch] == APPENDED -> final[batch] = IN_RING
	:: batch && final[batch] == APPENDED -> final[batch] = DURABLE
	:: else
	fi;
start:
	skip;
	d_step {
		g = 0; batch = 0; behind = 0; to_release = 0; gone = false; to_program = false;
		state = FREE; gen = 0
	};
	/* drain_meters(), which gives up when the journal takes nothing */
	do
	:: nempty(meters) ->
		meters?<batch>;
		if
		:: batch != OTHER && final[batch] == IN_RING -> final[batch] = APPENDED; DIE_C; final[batch] = DURABLE
		:: else
		fi;
		meters?_;
		batch = 0;
		DIE_C
	:: break
	od;
	/* link_adopt(), link_adopt_reserved() */
	if
	:: kept == RESERVED && !programmed && !desired -> gen = kept_generation; state = RESERVED
	:: (kept == OPEN || kept == RELEASING) && (programmed == kept_generation || desired == kept_generation) ->
		gen = kept_generation;
		state = OPEN;
		if
		:: kept == OPEN -> to_program = true
		:: kept == RELEASING -> begin_release()
		fi
	:: (kept == OPEN || kept == RELEASING) && programmed != kept_generation && desired != kept_generation ->
		gen = kept_generation;
		released();
		gen = 0
	:: kept = 0 /* the file is of no use: dropped */
	fi;
	DIE_C;
	/* link_release_leftovers() */
	if
	:: state == FREE && (programmed || desired) ->
		gen = (programmed -> programmed : desired);
		begin_release()
	:: else
	fi;
	do
	:: state == FREE && generation < GENERATIONS -> /* link_reserve() */
		atomic {
			g = 1;
			do
			:: g <= generation ->
				assert(final[g] == DURABLE || (final[g] == NEVER && !pending[g]));
				g++
			:: else -> break
			od;
			g = 0;
			generation++;
			gen = generation;
			state = RESERVED
		};
		DIE_C;
		d_step { kept = RESERVED; kept_generation = gen };
		DIE_C
	:: state == RESERVED && nfull(commands) && !to_release -> /* link_program() and link_submit() */
		kept = OPEN;
		DIE_C;
#ifdef MUTATION_pushed_before_desired
		atomic { nfull(commands) && !to_release -> commands!PROGRAM, gen; pending[gen]++ };
		DIE_C;
		desired = gen;
#else
		desired = gen;
		DIE_C;
		atomic { nfull(commands) && !to_release -> commands!PROGRAM, gen; pending[gen]++ };
#endif
		state = OPEN;
		DIE_C
	:: to_program && nfull(commands) && !to_release -> /* resume_media() */
		to_program = false;
		desired = gen;
		atomic { nfull(commands) -> commands!PROGRAM, gen; pending[gen]++ };
		DIE_C
	:: state == OPEN && sources < 1 && !to_program && nfull(commands) ->
		sources++;
		commands!SOURCE, gen;
		DIE_C
	:: state == OPEN && !to_program ->
		kept = RELEASING;
		DIE_C;
		begin_release();
		DIE_C
	:: to_release && nfull(commands) -> /* push_chain(), now or from the list of those that wait */
		atomic { commands!RELEASE, to_release; to_release = 0 };
		DIE_C
	:: nempty(refusals) -> /* take_event() */
		refusals?kind, g;
		DIE_C;
		if
#ifdef MUTATION_any_refusal_ends_release
		:: g == gen && state == RELEASING && !gone ->
#else
		:: g == gen && state == RELEASING && kind == RELEASE && !gone ->
#endif
			atomic {
				gone = true;
#ifdef MUTATION_refused_is_free
				behind = 0;
#else
				/* The final record may have come by another RELEASE: it is in the ring by now. */
				behind = len(meters);
#endif
			};
			if
			:: behind == 0 -> released(); give_back()
			:: else
			fi
		:: else
		fi;
		kind = 0;
		g = 0;
		DIE_C
	:: nempty(meters) && !batch -> /* poll_meters(): one record stands for a batch */
		atomic {
			meters?<batch>;
			if
			:: batch == OTHER -> skip
			:: final[batch] == IN_RING -> final[batch] = APPENDED
			:: batch != OTHER && final[batch] != IN_RING -> assert(final[batch] == DURABLE) /* seen */
			fi
		};
		DIE_C;
		if
		:: batch == gen && state == RELEASING -> released()
		:: else
		fi;
#ifdef MUTATION_reuse_before_durable
		if
		:: batch == gen && state == RELEASING -> give_back()
		:: else
		fi;
#endif
		DIE_C
	:: batch && final[batch] == APPENDED -> /* the journal syncs */
		final[batch] = DURABLE
	:: batch && (batch == OTHER || final[batch] == DURABLE) -> /* finish_batch() */
		meters?_;
		DIE_C;
		if
		:: batch == gen && state == RELEASING -> give_back()
		:: else
		fi;
		batch = 0;
		if
		:: gone && behind > 0 ->
			behind--;
			if
			:: behind == 0 -> released(); give_back()
			:: else
			fi
		:: else
		fi;
		DIE_C
	:: state == FREE && generation == GENERATIONS && !batch && empty(meters) && empty(refusals) &&
		empty(commands) ->
		assert(!programmed && !desired);
		break
	od
}
