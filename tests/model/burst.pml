/* dataplane/transmit.c, legs.c and resume.c: what was given to a port and not counted when the worker was killed is
 * bounded by what its successor calls uncertain, and legs of which nothing was under way are exact.
 *
 * Two legs. A burst is of one of them; the port takes all of it or less. The worker is killed between any two
 * stores. `sent` is what far ends hear: the port's, which nobody can ask afterwards. */
#define BURST  2
#define BURSTS 3
#define KILLS  2
#define LEGS   2

byte counted[LEGS], uncertain[LEGS]; /* rows */
byte noted, noted_leg;               /* worker statistics */
byte sent[LEGS];
/* Of the model. */
byte bursts, kills;
bool under_way[LEGS], was_under_way[LEGS]; /* now; at a kill */

#define DIE if :: kills < KILLS -> kills++; goto killed :: true fi

active proctype worker()
{
	byte leg, i, taken;
	goto start;
killed:
	skip;
	d_step {
		was_under_way[0] = was_under_way[0] || under_way[0];
		was_under_way[1] = was_under_way[1] || under_way[1];
		under_way[0] = false;
		under_way[1] = false;
		leg = 0; i = 0; taken = 0
	};
start:
	/* note_uncertain() */
	do
	:: noted > 0 ->
#ifndef MUTATION_not_told
		uncertain[noted_leg]++;
		DIE;
#endif
		noted--;
		DIE
	:: else -> break
	od;
end:	do
	:: true ->
		/* Between two bursts everything holds. */
		leg = 0;
		do
		:: leg < LEGS ->
			assert(counted[leg] <= sent[leg]);
			assert(sent[leg] <= counted[leg] + uncertain[leg]);
			assert(!uncertain[leg] || was_under_way[leg]);
			leg++
		:: else -> break
		od;
		if
		:: bursts == BURSTS -> break
		:: bursts < BURSTS -> bursts++; leg = 0
		:: bursts < BURSTS -> bursts++; leg = 1
		fi;
		/* flush_lane() */
		noted_leg = leg;
		DIE;
		skip;
#ifndef MUTATION_noted_after_sending
		d_step { noted = BURST; under_way[leg] = true };
		DIE;
#endif
		i = 0;
		do
		:: i < BURST -> sent[leg]++; i++; DIE
		:: i < BURST -> break
		:: else -> break
		od;
		taken = i;
		skip;
#ifdef MUTATION_noted_after_sending
		d_step { noted = BURST; under_way[leg] = true };
		DIE;
#endif
#ifdef MUTATION_cleared_before_counting
		d_step { noted = 0; under_way[leg] = false };
		DIE;
#endif
		i = 0;
		do
		:: i < taken -> counted[leg]++; i++; DIE
		:: else -> break
		od;
		skip;
#ifndef MUTATION_never_cleared
#ifndef MUTATION_cleared_before_counting
		d_step { noted = 0; under_way[leg] = false };
#endif
#else
		under_way[leg] = false;
#endif
		DIE
	od
}
