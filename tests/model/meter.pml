/* dataplane/meter.c, command.c, resume.c and the meter half of controlplane/link/link.c: every packet of a leg
 * is journalled in exactly one part of one stint, once, whoever is killed when.
 *
 * One leg lives: PROGRAM (stint 1), STINT 2, STINT 3, RELEASE. The worker is killed between any two of its
 * stores, the control plane between any two of its steps; of what it had appended and not synced any prefix
 * survives. a and b stand for the counters of a part; a packet counts in both. A worker that finds the meter
 * ring in use may stop before a command (its chain does not fit) and let packets go on. Rings are whole here:
 * ring.pml shows that. */
#define SIZE 4 /* of the meter ring */
#define CAP  2 /* records in it at most */
#define NAMES 12
#ifndef PACKETS
#define PACKETS 2
#endif
#ifndef KILLS_W
#define KILLS_W 2
#endif
#ifndef KILLS_C
#define KILLS_C 1
#endif
#define GENERATION 1

typedef record {
	byte stint, part, a, b, start, end, closed_a, closed_b;
	bool final
};

/* The region. */
record ring[SIZE];
byte meter_n, meter_taken; /* absolute ends of the meter ring */
byte command_taken; /* of the four; the control plane may have sent any number of the others */
byte in_generation, out_generation, stint, part, a, b, start_ns;
byte closed_a, closed_b; /* worker statistics */
/* The journal. */
byte j_name[NAMES], j_a[NAMES], j_b[NAMES], j_end[NAMES];
byte j_n, j_durable;
/* Of the model. */
byte clock_ns, packets, kills_w, kills_c;

#define DIE_W if :: kills_w < KILLS_W -> kills_w++; goto start :: true fi
#define DIE_C if :: kills_c < KILLS_C -> kills_c++; goto killed :: true fi
#define LAST ring[(meter_n + SIZE - 1) % SIZE]

#define PROGRAM 0
#define RELEASE 3
#define COMMANDS 4

/* With nothing in the meter ring: what is journalled and what is open is all that there was. */
inline audit()
{
	d_step {
		if
		:: meter_n == meter_taken ->
			sum_a = 0; sum_b = 0; i = 0;
			do
			:: i < j_n -> sum_a = sum_a + j_a[i]; sum_b = sum_b + j_b[i]; i++
			:: else -> break
			od;
			assert(closed_a == sum_a && closed_b == sum_b);
			if
			:: open -> assert(sum_a + a == packets && sum_b + b == packets)
			:: else -> assert(sum_a == packets && sum_b == packets)
			fi;
			i = 0; sum_a = 0; sum_b = 0
		:: else
		fi
	}
}

active proctype worker()
{
	byte i, n, kind, next, end_ns, was_a, was_b, sum_a, sum_b;
	bool open, was_same;
start:
	skip;
	d_step { i = 0; n = 0; kind = 0; next = 0; end_ns = 0; was_a = 0; was_b = 0; open = false; was_same = false };
	/* dp_resume() */
	if
	:: in_generation != out_generation || !in_generation ->
		in_generation = 0;
		DIE_W;
		out_generation = 0
	:: else -> open = true
	fi;
#ifndef MUTATION_close_not_finished
	/* Of all records only the last can be of a close that was cut off: it says how far that had come. */
	if
	:: meter_n ->
#ifndef MUTATION_closed_not_in_record
		closed_a = LAST.closed_a;
		DIE_W;
		closed_b = LAST.closed_b;
		DIE_W;
#endif
		if
		:: open && LAST.final ->
			in_generation = 0;
			DIE_W;
			out_generation = 0;
			DIE_W;
			open = false
		:: open && !LAST.final && LAST.stint == stint && LAST.part == part ->
			a = 0;
			DIE_W;
			b = 0;
			DIE_W;
			start_ns = LAST.end;
			DIE_W;
			part++
		:: else
		fi
	:: else
	fi;
#endif
	do
	:: true ->
		audit();
		/* dp_commands_run() */
		if
		:: n = 0
		:: n = (command_taken < COMMANDS -> 1 : 0)
		:: n = COMMANDS - command_taken
		fi;
		do
		:: i < n ->
			kind = command_taken + i;
			if
			:: kind != PROGRAM && meter_n - meter_taken >= CAP -> break
			:: kind != PROGRAM && meter_n != meter_taken -> break
			:: kind == PROGRAM || meter_n - meter_taken < CAP
			fi;
			if
			:: kind == PROGRAM && !open -> /* dp_leg_open() */
				d_step {
					a = 0; b = 0; part = 0; stint = 1;
					clock_ns++; start_ns = clock_ns
				};
				out_generation = GENERATION;
				DIE_W;
				in_generation = GENERATION;
				open = true
			:: kind != PROGRAM && open ->
				/* dp_meter_close() */
				d_step {
					clock_ns++; end_ns = clock_ns;
					next = (kind == RELEASE -> stint : kind + 1);
					was_a = a; was_b = b;
					ring[meter_n % SIZE].stint = stint;
					ring[meter_n % SIZE].part = part;
					ring[meter_n % SIZE].a = a;
					ring[meter_n % SIZE].b = b;
					ring[meter_n % SIZE].start = start_ns;
					ring[meter_n % SIZE].end = end_ns;
					ring[meter_n % SIZE].closed_a = closed_a + a;
					ring[meter_n % SIZE].closed_b = closed_b + b;
					ring[meter_n % SIZE].final = (kind == RELEASE);
					meter_n++
				};
				DIE_W;
				closed_a = closed_a + was_a;
				DIE_W;
				closed_b = closed_b + was_b;
				DIE_W;
				a = 0;
				DIE_W;
				b = 0;
				DIE_W;
#ifndef MUTATION_start_after_name
				start_ns = end_ns;
				DIE_W;
#endif
#ifdef MUTATION_part_before_stint
				part = (next == stint -> part + 1 : 0);
				DIE_W;
				stint = next;
#else
				was_same = (next == stint);
				stint = next;
				DIE_W;
				part = (was_same -> part + 1 : 0);
#endif
				DIE_W;
#ifdef MUTATION_start_after_name
				start_ns = end_ns;
				DIE_W;
#endif
				if
				:: kind == RELEASE -> /* dp_leg_free() */
					in_generation = 0;
					DIE_W;
					out_generation = 0;
					DIE_W;
					open = false
				:: else
				fi
			:: else /* nothing changes: open already, or refused */
			fi;
			DIE_W;
#ifdef MUTATION_taken_by_batch
			i++
#else
			d_step { command_taken++; n-- };
			DIE_W
#endif
		:: else -> break
		od;
		skip;
		d_step { command_taken = command_taken + i; i = 0; n = 0; kind = 0; next = 0; end_ns = 0; was_a = 0; was_b = 0; was_same = false };
		/* A burst. */
		if
		:: open && packets < PACKETS -> d_step { packets++; a++; b++ }
		:: true
		fi;
		DIE_W
	od
}

active proctype control()
{
	byte i, n, k, name, replayed;
	goto start;
killed:
	if
	:: j_n > j_durable -> j_durable++; goto killed /* it had reached the disk all the same */
	:: true
	fi;
	skip;
	d_step {
		k = j_durable;
		do
		:: k < j_n -> j_name[k] = 0; j_a[k] = 0; j_b[k] = 0; j_end[k] = 0; k++
		:: else -> break
		od;
		j_n = j_durable; i = 0; n = 0; k = 0; name = 0
	};
start:
	replayed = j_n;
	do
	:: meter_n != meter_taken ->
		d_step { n = meter_n - meter_taken; i = 0 };
		DIE_C;
#ifdef MUTATION_taken_before_durable
		meter_taken = meter_taken + n;
		DIE_C;
#endif
		do
		:: i < n ->
			d_step {
#ifdef MUTATION_taken_before_durable
#define AT ring[(meter_taken - n + i) % SIZE]
#else
#define AT ring[(meter_taken + i) % SIZE]
#endif
				name = AT.stint * 16 + AT.part + 1;
				k = 0;
				do
#if defined(MUTATION_no_dedupe)
				:: true -> k = j_n; break
#else /* engine.c, seen(): what was in the journal at the start */
				:: k < replayed && j_name[k] != name -> k++
				:: k == replayed -> k = j_n; break
#endif
				:: else -> break
				od;
				if
				:: k == j_n -> /* journal_append() */
					k = 0;
					do
					:: k < j_n -> assert(j_name[k] != name); k++
					:: else -> break
					od;
					/* A part begins where the one before ended. */
					assert(!j_n || AT.start == j_end[j_n - 1]);
					assert(j_n < NAMES);
					j_name[j_n] = name; j_a[j_n] = AT.a; j_b[j_n] = AT.b; j_end[j_n] = AT.end;
					j_n++
				:: else
				fi;
				k = 0; name = 0;
				i++
			};
			DIE_C
		:: else -> break
		od;
#ifndef MUTATION_taken_before_durable
		do
		:: j_durable == j_n -> break
		:: j_durable < j_n -> j_durable++
		:: j_durable < j_n && kills_c < KILLS_C -> kills_c++; goto killed
		od;
		meter_taken = meter_taken + n;
#endif
		skip;
		d_step { i = 0; n = 0 };
		DIE_C
#ifdef MUTATION_taken_before_durable
	:: j_durable < j_n -> j_durable = j_n
#endif
	od
}
