/* dataplane/leg.c and resume.c, relays: a packet that was relayed is counted for the leg that heard it, once.
 *
 * `forwarded` is in the row of the leg that is heard, `relayed` in the egress record of the leg that hears it;
 * the fold moves one into the other when the source changes. The worker is killed between any two stores. */
#define PACKETS 3
#define CHANGES 3
#define KILLS   2

#define NOTHING 0
#define RELAY   1

byte relayed, forwarded, source; /* the region */
bool sink;                       /* the feeder's row names this leg */
byte fold_sum;                   /* worker statistics: what `relayed` is to be */
bool fold_begun;
byte packets, changes, kills, wanted;

#define DIE if :: kills < KILLS -> kills++; goto start :: true fi

inline fold()
{
#ifdef MUTATION_fold_without_note
	relayed = relayed + forwarded;
	DIE;
	forwarded = 0;
	DIE;
#else
	fold_sum = relayed + forwarded;
	DIE;
	fold_begun = true;
	DIE;
	relayed = fold_sum;
	DIE;
	forwarded = 0;
	DIE;
	fold_begun = false;
	DIE;
#endif
}

active proctype worker()
{
start:
	/* dp_resume() */
	if
	:: fold_begun ->
		relayed = fold_sum;
		DIE;
		forwarded = 0;
		DIE;
		fold_begun = false;
		DIE
	:: else
	fi;
	/* mend_relay() */
	if
	:: !(sink && source == RELAY) -> sink = false; DIE; forwarded = 0; DIE; source = NOTHING; DIE
	:: else
	fi;
end:	do
	:: true ->
		assert(relayed + (source == RELAY -> forwarded : 0) == packets);
		if
		:: packets < PACKETS && source == RELAY -> d_step { packets++; forwarded++ } /* dp_legs_sent() */
		:: wanted == RELAY && source == RELAY -> wanted = NOTHING /* carried out: it leaves the ring */
		:: wanted == RELAY && source == NOTHING -> /* dp_leg_relay() */
			source = RELAY;
			DIE;
			sink = true
		:: wanted == NOTHING && source == RELAY -> /* dp_leg_silence() */
#ifdef MUTATION_detach_before_fold
			sink = false;
			DIE;
#endif
			fold();
			sink = false;
			DIE;
			source = NOTHING
		:: changes < CHANGES && wanted != source -> skip
		:: changes < CHANGES -> changes++; wanted = RELAY - source
		:: changes == CHANGES && packets == PACKETS -> break
		:: true
		fi;
		DIE
	od
}
