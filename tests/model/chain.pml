/* The command ring (controlplane/link/link.c, dataplane/command.c): a chain takes effect between two bursts or
 * not yet; a command for a leg that is gone does nothing to its row's next leg; a leg that was released is not
 * opened again.
 *
 *   1  PROGRAM row 0 generation 1, PROGRAM row 1 generation 2     a chain
 *   2  STINT 2 of both                                            a chain
 *   3  RELEASE row 0 generation 1
 *   4  PROGRAM row 0 generation 3         by the control plane that found the final record durable
 *   5  STINT 3 of row 0 generation 1      stale: by a predecessor that was killed
 *
 * A command is carried out as one step here: meter.pml shows why that may be said. The control plane may be
 * killed before any push: that is as if the worker has not seen the rest yet. The worker is killed anywhere; it may find the meter ring
 * too full for a chain. */
#define KILLS 2
#define CAP   2 /* of the meter ring */
#define PROGRAM 1
#define STINT   2
#define RELEASE 3

typedef command {
	byte kind, row, generation, stint;
	bool more
};
command ring[8];
byte sent, taken, waiting; /* ends of the command ring; records in the meter ring */
byte generation[2], stint[2];
bool released[4];
bool final_durable; /* of row 0 generation 1 */
byte kills;
bool cut_off; /* a chain was begun by a worker that was killed */
bool begun;

#define DIE if :: kills < KILLS -> kills++; goto start :: true fi

#define PUT(i, k, r, g, s, m)                                                                                  \
	ring[i].kind = k; ring[i].row = r; ring[i].generation = g; ring[i].stint = s; ring[i].more = m

active proctype control()
{
	d_step {
		PUT(0, PROGRAM, 0, 1, 1, true);
		PUT(1, PROGRAM, 1, 2, 1, false);
		PUT(2, STINT, 0, 1, 2, true);
		PUT(3, STINT, 1, 2, 2, false);
		PUT(4, RELEASE, 0, 1, 0, false);
		PUT(5, PROGRAM, 0, 3, 2, false);
		PUT(6, STINT, 0, 1, 3, false)
	};
#ifdef MUTATION_pushed_one_by_one
	do
	:: sent < 5 -> sent++
	:: else -> break
	od;
#else
	sent = sent + 2;
	sent = sent + 2;
	sent++;
#endif
	final_durable;
	sent++;
	sent++
}

active proctype meter_reader()
{
end:	do
	:: waiting > 0 ->
		atomic {
			waiting--;
			if
			:: waiting == 0 && released[1] -> final_durable = true
			:: else
			fi
		}
	od
}

active proctype worker()
{
	byte n, i, length, records, done; /* done: carried out and in the ring */
start:
	skip;
	d_step {
		n = 0; i = 0; length = 0; records = 0; done = 0;
		if :: begun -> cut_off = true :: else fi
	};
end:	do
	:: sent > taken ->
chain:		atomic {
			n = sent - taken - done;
			length = 1;
			i = 0;
			do
			:: length < n && ring[taken + done + length - 1].more -> length++
			:: else -> break
			od;
			records = 0;
			do
			:: i < length -> records = records + (ring[taken + done + i].kind != PROGRAM -> 1 : 0); i++
			:: else -> break
			od;
			i = 0
		};
		if
#ifdef MUTATION_room_for_one
		:: records && waiting >= CAP -> goto burst
		:: !records || waiting < CAP
#else
		:: waiting + records > CAP -> goto burst
		:: else
#endif
		fi;
		begun = true;
		do
		:: i < length ->
#define C ring[taken + done + i]
			atomic {
				if
				:: C.kind == PROGRAM && generation[C.row] == 0 ->
					assert(!released[C.generation]);
					generation[C.row] = C.generation;
					stint[C.row] = C.stint
				:: C.kind == PROGRAM && generation[C.row] != 0 -> skip /* changed, or refused */
#ifdef MUTATION_generation_ignored
				:: C.kind != PROGRAM ->
#else
				:: C.kind != PROGRAM && generation[C.row] == C.generation ->
#endif
					assert(generation[C.row] == C.generation);
#ifdef MUTATION_room_for_one
					if
					:: waiting >= CAP -> goto next /* refused: busy */
					:: else
					fi;
#endif
					waiting++;
					if
					:: C.kind == STINT -> stint[C.row] = C.stint
					:: else -> generation[C.row] = 0; released[C.generation] = true
					fi
				:: else -> skip /* refused: stale */
				fi
			};
next:			skip;
			DIE;
#ifdef MUTATION_taken_by_batch
			i++
#else
			d_step { taken++; length-- };
			DIE
#endif
		:: else -> break
		od;
		skip;
		d_step { begun = false; cut_off = false };
#ifdef MUTATION_taken_by_batch
		done = done + length;
		if
		:: sent > taken + done -> goto chain
		:: true
		fi;
#endif
burst:
		skip;
		d_step {
			taken = taken + done; done = 0;
			n = 0; i = 0; length = 0; records = 0;
			/* Both have got the stint or neither, except until a chain that was cut off is over. */
			assert(generation[0] != 1 || generation[1] != 2 || cut_off || stint[0] == stint[1]);
			assert(cut_off || taken >= 5 || (generation[0] == 1) == (generation[1] == 2))
		};
		DIE
	od
}
