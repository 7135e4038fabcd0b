/*
 * wcbuf for Spin: N lines (1..12) written through a cacheable and a write-combine alias, handed to
 * a device and back. FIX=1: clean+invalidate between the two stores. Step for step the model of
 * model.ts and wcbuf.m; every step is one transition. Leaves out: liveness.
 *   spin -DN=9 -DFIX=1 -a wcbuf.pml; gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c; ./pan -m8000000 -w24
 */
#define ABSENT 0
#define CLEAN 1			/* CLEAN + value */
#define DIRTY 5			/* DIRTY + value */
#define EMPTY 4

byte memory[N];			/* 0..3 */
byte copy[N];			/* ABSENT, CLEAN + v, DIRTY + v */
byte buffer[N] = EMPTY;		/* EMPTY or 0..3 */
bit bell;
bit done;

active proctype cpu() {
	byte i;
	byte phase;
	do
	:: d_step { phase == 0 && i < N -> copy[i] = DIRTY + 1; phase = 2 - FIX }
#if FIX
	:: d_step { phase == 1 ->
		if
		:: copy[i] >= DIRTY -> memory[i] = copy[i] - DIRTY
		:: else
		fi;
		copy[i] = ABSENT; phase = 2 }
#endif
	:: d_step { phase == 2 -> buffer[i] = 2; phase = 0; i++ }
	:: d_step { phase == 0 && i == N ->
		i = 0;
		do
		:: i < N ->
			if
			:: buffer[i] != EMPTY -> memory[i] = buffer[i]; buffer[i] = EMPTY
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0; phase = 3 }
	:: d_step { phase == 3 -> bell = 1; phase = 4 }
	:: d_step { phase == 4 && done -> phase = 5 }
	:: d_step { phase == 5 && i < N -> assert(memory[i] == 3); i++ }
	od
}

active proctype device() {
	byte i;
	byte phase;
	do
	:: d_step { phase == 0 && bell -> phase = 1 }
	:: d_step { phase == 1 && i < N -> assert(memory[i] == 2); phase = 2 }
	:: d_step { phase == 2 -> memory[i] = 3; i++; phase = 1 }
	:: d_step { phase == 1 && i == N -> done = 1; phase = 3 }
	od
}

#define HARDWARE(l) \
	:: d_step { copy[l] >= DIRTY -> memory[l] = copy[l] - DIRTY; copy[l] = ABSENT } \
	:: d_step { copy[l] >= CLEAN && copy[l] < DIRTY -> copy[l] = ABSENT } \
	:: d_step { copy[l] == ABSENT -> copy[l] = CLEAN + memory[l] } \
	:: d_step { buffer[l] != EMPTY -> memory[l] = buffer[l]; buffer[l] = EMPTY }

active proctype hardware() {
	do
	HARDWARE(0)
#if N > 1
	HARDWARE(1)
#endif
#if N > 2
	HARDWARE(2)
#endif
#if N > 3
	HARDWARE(3)
#endif
#if N > 4
	HARDWARE(4)
#endif
#if N > 5
	HARDWARE(5)
#endif
#if N > 6
	HARDWARE(6)
#endif
#if N > 7
	HARDWARE(7)
#endif
#if N > 8
	HARDWARE(8)
#endif
#if N > 9
	HARDWARE(9)
#endif
#if N > 10
	HARDWARE(10)
#endif
#if N > 11
	HARDWARE(11)
#endif
	od
}
