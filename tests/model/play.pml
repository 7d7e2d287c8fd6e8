/* TG_CMD_SOURCE with a play, offered again after a kill (dataplane/command.c, leg.c, play.c, resume.c): a play
 * that was asked for is heard, its end is told, and what was over does not begin again.
 *
 * Two plays of two frames follow each other; the second may come at any time, or before the first began. The
 * worker is killed between any two stores. */
#define KILLS  2
#define FRAMES 2

#define NOTHING 0
#define PLAY    1

byte source, play_id, play_done, frame; /* the egress record */
byte taken;			       /* commands that have left the ring: PLAY 1, PLAY 2 */
byte kills;
byte begun; /* the last one that was looked at */
bool over[3];
bool told; /* news of the last end: an event, or events_missed */

#define DIE if :: kills < KILLS -> kills++; goto start :: true fi

active proctype worker()
{
	byte n, i, id;
start:
	skip;
	d_step { n = 0; i = 0; id = 0; told = true };
	/* take_up(): a play goes on; what is only half one, or over, is none. */
	if
	:: source != PLAY || play_id == play_done -> source = NOTHING
	:: else
	fi;
end:	do
	:: true ->
		/* What the command that was carried out last asked for, until the next one changes it. */
		assert(!taken || begun > taken || (source == PLAY && play_id == taken) || play_done == taken);
		assert(told);
		if
		:: n = 0
		:: taken < 2 -> n = 1
		:: n = 2 - taken
		fi;
		i = 0;
		do
		:: i < n ->
			if
			:: break /* no room: the chain waits */
			:: true
			fi;
			id = taken + i + 1;
			d_step {
				if :: begun < id -> begun = id :: else fi
			};
			if
#ifndef MUTATION_play_again
			:: id == play_id -> skip /* do_play(): it plays, or is over */
#endif
			:: else -> /* dp_leg_play() */
				source = NOTHING;
				DIE;
				assert(!over[id]);
				frame = 0;
				DIE;
#ifdef MUTATION_id_before_source
				play_id = id;
				DIE;
				source = PLAY;
#else
				source = PLAY;
				DIE;
				play_id = id;
#endif
				DIE
			fi;
			DIE;
#ifdef MUTATION_taken_by_batch
			i++
#else
			d_step { taken++; n-- };
			DIE
#endif
		:: else -> break
		od;
		skip;
		d_step { taken = taken + i; i = 0; n = 0; id = 0 };
		DIE;
		/* A turn. */
		if
		:: source == PLAY && frame < FRAMES -> frame++
		:: source == PLAY && frame == FRAMES -> /* dp_leg_play_done() */
#ifdef MUTATION_silence_before_done
			source = NOTHING;
			DIE;
#endif
			d_step { play_done = play_id; over[play_id] = true; told = false };
			DIE;
			source = NOTHING;
			DIE;
			told = true
		:: true
		fi;
		DIE
	od
}
