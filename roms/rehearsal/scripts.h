// SPDX-License-Identifier: Apache-2.0
// What happens when: each step so many frames after the one before it. test_rehearsal.py has what
// the rules are to make of it.

#include <stdint.h>

typedef struct {
    uint8_t after;      // frames since the step before; 0: the same frame
    uint16_t address;   // PRESS: nothing is written, a button of `value` has to be pressed anew
    uint8_t value;
} step_t;

enum { END = 0xFF, PRESS = 0x0000, SCRIPTS = 11 };

#define BYTE(after, address, value) {after, address, value}
#define WORD(after, address, value) {after, address, (value) >> 8}, {0, (address) + 1, (value) & 0xFF}
#define HERE(k, value) WORD(0, 0xD16C + 44 * (k), value)
#define THERE(k, value) WORD(0, 0xD8A5 + 44 * (k), value)
#define STOP {END, 0, 0}

// The score in three bytes of two digits, the lowest first.
#define SCORE(after, a, b, c) {after, 0xC0A0, a}, {0, 0xC0A1, b}, {0, 0xC0A2, c}

// Titles and menus that wait for START, then a game: points, a level, the end.
static const step_t falling[] = {
    BYTE(1, 0xFFE1, 0x24), SCORE(0, 0x50, 0x99, 0), BYTE(0, 0xFFA9, 9),
    BYTE(250, 0xFFE1, 0x25), BYTE(200, 0xFFE1, 0x07),
    BYTE(0, PRESS, 0x80), BYTE(3, 0xFFE1, 0x0E),
    BYTE(0, PRESS, 0x80), BYTE(3, 0xFFE1, 0x11),
    BYTE(0, PRESS, 0x80), BYTE(0, 0xFFE1, 0x0A),
    BYTE(9, 0xFFE1, 0x00), SCORE(0, 0, 0, 0), BYTE(0, 0xFFA9, 0),
    SCORE(60, 0x40, 0, 0), SCORE(10, 0x40, 0x01, 0), BYTE(10, 0xFFA9, 1),
    SCORE(10, 0, 0, 0x01), BYTE(10, 0xFFA9, 2), BYTE(10, 0xFFE1, 0x01), BYTE(5, 0xFFE1, 0x0D),
    STOP};

// A battle of three against three that is won.
static const step_t won[] = {
    HERE(0, 300), HERE(1, 10), HERE(2, 5), HERE(3, 0), HERE(4, 0), HERE(5, 0),
    THERE(0, 256), THERE(1, 20), THERE(2, 7), THERE(3, 0), THERE(4, 0), THERE(5, 0),
    BYTE(10, 0xD16D, 0),                                // 300 to 256: the low byte is 0, no more
    BYTE(10, 0xD8A5, 0),                                // one of theirs
    WORD(10, 0xD16C, 0),                                // one of ours
    WORD(10, 0xD16C + 88, 0), THERE(1, 0),              // one of each
    WORD(10, 0xD16C, 50),                               // healed
    WORD(10, 0xD16C, 0),                                // and down again
    WORD(10, 0xD8A5 + 88, 0),                           // the last of theirs
    STOP};

// One against one, lost.
static const step_t lost[] = {HERE(0, 1), THERE(0, 20), WORD(10, 0xD16C, 0), STOP};

// One against one, both down at once.
static const step_t draw[] = {HERE(0, 1), THERE(0, 1), WORD(10, 0xD16C, 0), THERE(0, 0), STOP};

#define MET BYTE(0, 0xD057, 1), BYTE(0, 0xDA80, 3), BYTE(0, 0xD2F7, 0x81)

// Caught: the last of the owned flags, the box later; then the battle is over.
static const step_t new_kind[] = {
    MET, BYTE(10, 0xDA80, 2), BYTE(5, 0xD30A, 1), BYTE(0, 0xD2F6, 1),  // none of these counts
    BYTE(5, 0xD309, 4), BYTE(10, 0xDA80, 3), BYTE(5, 0xD2F7, 0x83), BYTE(10, 0xD057, 0), STOP};

// Caught: the box has one more, not two.
static const step_t known_kind[] = {
    MET, BYTE(10, 0xDA80, 5), BYTE(10, 0xDA80, 6), BYTE(10, 0xD057, 0), STOP};

static const step_t escaped[] = {MET, BYTE(10, 0xD057, 2), BYTE(10, 0xD057, 0), STOP};
static const step_t beaten[] = {MET, BYTE(10, 0xD057, 0xFF), STOP};
static const step_t at_once[] = {MET, BYTE(10, 0xD2F7, 0x05), BYTE(0, 0xD057, 0), STOP};

// Six against six, and bytes beyond them that are of neither side; the high bytes alone are set.
#define OWN(after, k, value) BYTE(after, 0xD16C + 44 * (k), value)
#define THEIRS(after, k, value) BYTE(after, 0xD8A5 + 44 * (k), value)
#define SIX \
    OWN(0, 0, 1), OWN(0, 1, 1), OWN(0, 2, 1), OWN(0, 3, 1), OWN(0, 4, 1), OWN(0, 5, 1), \
    OWN(0, 6, 1), THEIRS(0, 0, 1), THEIRS(0, 1, 1), THEIRS(0, 2, 1), THEIRS(0, 3, 1), \
    THEIRS(0, 4, 1), THEIRS(0, 5, 1), THEIRS(0, 6, 1)

static const step_t six_lost[] = {
    SIX, OWN(10, 0, 0), OWN(0, 1, 0), THEIRS(0, 0, 0), THEIRS(0, 1, 0),  // two of each at once
    OWN(10, 2, 0), OWN(0, 3, 0), OWN(0, 4, 0),                           // the sixth stands
    OWN(10, 6, 0), OWN(1, 6, 1), THEIRS(9, 6, 0), THEIRS(1, 6, 1),       // nobody
    OWN(9, 5, 0), STOP};

static const step_t six_won[] = {
    SIX, THEIRS(10, 0, 0), THEIRS(0, 1, 0), THEIRS(0, 2, 0), THEIRS(0, 3, 0), THEIRS(0, 4, 0),
    WORD(10, 0xD8A5 + 220, 1),                                           // hardly stands, is healed
    WORD(5, 0xD8A5 + 220, 256), THEIRS(5, 5, 0), STOP};

static const step_t *const scripts[SCRIPTS] = {
    falling, won, lost, draw, new_kind, known_kind, escaped, beaten, at_once, six_lost,
    six_won};
